"""The text of a scenario that `check` finds wrong goes in; out comes the smallest edit found that
`check` proves right, as a diff.

Each kind of edit is a file in edits/. What is expected of the scenario is never edited, and nothing
of it is run.
"""

from __future__ import annotations

import difflib
from typing import NamedTuple

from mpflow.model.check import Options, Report
from mpflow.repair.search import Search
from mpflow.repair.source import lines_of
from mpflow.scenario import Choice, Scenario

__all__ = ["Suggestion", "suggest"]

_NO_END = "\\ No newline at end of file\n"


class Suggestion(NamedTuple):
    """A repair: the whole text, the unified diff to it, what was changed and why, the names of the
    kinds of edits, and how many candidates were checked."""

    text: str
    diff: str
    why: str
    edits: tuple[str, ...]
    tried: int


def suggest(
    text: str,
    path: str = "<string>",
    choice: Choice | None = None,
    options: Options = Options(),  # noqa: B008
    wrong: tuple[Scenario, Report] | None = None,
) -> Suggestion | None:
    """A repair of a scenario file's text; `path` is the file's, as the user named it; `wrong` is
    its first case that is, and what `check` said of it, where that is known already. None where
    nothing is wrong, nothing was found in time, or nothing can be checked. Takes at most 10 seconds
    besides what a check of the file takes."""
    search = Search(text.removeprefix("\ufeff"), path, choice or Choice(), options)
    found = search.run(wrong)
    if found is None:
        return None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    diff = _diff(search.text, found.text, path)
    return Suggestion(mark + found.text, diff, " ".join(found.why), found.edits, search.tried)


def _diff(old: str, new: str, name: str) -> str:
    """The unified diff of two texts, as `patch` takes it."""
    name += "\t" * (" " in name)  # where a name ends that has spaces
    lines = difflib.unified_diff(lines_of(old), lines_of(new), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)
