"""The text of a scenario that `check` finds wrong goes in; out comes the smallest edit found that
`check` proves right, as a diff.

Each kind of edit is a file in edits/. Candidates are tried in the order of their diffs' sizes, one
edit alone before two together. What is expected of the scenario is never edited, nothing of it is
run, and a candidate counts only if every case of it is proved and no expectation is left untested.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from os import listdir, path
from typing import Any, NamedTuple

from mpflow import document
from mpflow.model.check import Options, Report, check
from mpflow.model.values import Uncheckable
from mpflow.repair.clues import clues
from mpflow.repair.kinds import Case, Edit
from mpflow.repair.source import applied
from mpflow.scenario import Choice, Scenario
from mpflow.understanding import understand

__all__ = ["Suggestion", "suggest"]

SECONDS = 10.0  # for all candidates together
EACH = 2.0  # seconds and
STATES = 200_000  # states for one of them
EXPANDED = 25  # candidates to which a second edit is added
_EDITABLE = ("primitives", "processes", "main")


class Suggestion(NamedTuple):
    """A repair: the whole text, the unified diff to it, what was changed and why, the names of the
    kinds of edits, and how many candidates were checked."""

    text: str
    diff: str
    why: str
    edits: tuple[str, ...]
    tried: int


class _Variant(NamedTuple):
    """A text that may be tried: what came of the first by some edits."""

    text: str
    size: int
    why: tuple[str, ...]
    edits: tuple[str, ...]
    ranks: tuple[int, ...]


def suggest(
    text: str,
    name: str = "<string>",
    choice: Choice | None = None,
    options: Options = Options(),  # noqa: B008
) -> Suggestion | None:
    """A repair of a scenario file's text; `name` is the file's, as the user named it. None where
    nothing is wrong, nothing was found in time, or nothing can be checked."""
    search = _Search(text, name, choice or Choice(), options)
    found = search.run()
    if found is None:
        return None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    diff = _diff(search.text, found.text, name)
    return Suggestion(mark + found.text, diff, " ".join(found.why), found.edits, search.tried)


@cache
def _every() -> tuple[Edit, ...]:
    """The kinds of edits that stand in edits/."""
    folder = path.join(path.dirname(__file__), "edits")
    names = sorted(each.removesuffix(".py") for each in listdir(folder) if each.endswith(".py"))
    modules = (import_module(f"mpflow.repair.edits.{n}") for n in names if n != "__init__")
    return tuple(module.EDIT for module in modules)


class _Search:
    def __init__(self, text: str, name: str, choice: Choice, options: Options) -> None:
        self.text = text.lstrip("\ufeff")
        self.name = name
        self.choice = choice
        self.options = options
        self.data: Any = None
        self.seen = {self.text}
        self.tried = 0
        self.end = 0.0

    def run(self) -> _Variant | None:
        """The first variant that is proved: of one edit, or else of two."""
        first = _Variant(self.text, 0, (), (), ())
        scenarios = self._cases(self.text)
        self.data = scenarios[0].document.data if scenarios else None
        wrong = self._wrong(scenarios, self.options)
        self.end = time.monotonic() + SECONDS
        if wrong is None:
            return None
        found, failed = self._try(self._variants(first, *wrong))
        if found is None:
            further = [
                variant for each, *why in failed[:EXPANDED] for variant in self._variants(each, *why)
            ]
            found, _ = self._try(further)
        return found

    # Variants

    def _variants(self, base: _Variant, scenario: Scenario, report: Report) -> list[_Variant]:
        """What all kinds of edits make of a text, each text once."""
        case = Case(scenario, clues(report))
        found = []
        for edit in _every():
            for candidate in edit.candidates(case):
                if candidate.changes:
                    text = applied(base.text, candidate.changes)
                    if text not in self.seen:
                        self.seen.add(text)
                        found.append(
                            _Variant(
                                text,
                                _size(self.text, text),
                                (*base.why, candidate.why),
                                (*base.edits, edit.name),
                                (*base.ranks, edit.rank),
                            )
                        )
        return found

    def _try(
        self, variants: list[_Variant]
    ) -> tuple[_Variant | None, list[tuple[_Variant, Scenario, Report]]]:
        """The smallest variant that is proved; besides, those that are still wrong, and how."""
        failed: list[tuple[_Variant, Scenario, Report]] = []
        for each in sorted(variants, key=lambda each: (each.size, sum(each.ranks))):
            if time.monotonic() >= self.end:
                break
            scenarios = self._cases(each.text)
            if not scenarios or not self._same(scenarios[0].document.data):
                continue
            self.tried += 1
            verdict = self._verdict(scenarios)
            if verdict is None:
                return each, failed
            if verdict is not _UNKNOWN:
                failed.append((each, *verdict))
        return None, failed

    def _cases(self, text: str) -> list[Scenario]:
        """The cases of a text; none where it has problems."""
        found, problems = document.parse(text, self.name)
        if found is None or problems:
            return []
        scenarios, wrong = understand(found, problems, self.choice)
        return [] if wrong else scenarios

    def _same(self, data: Any) -> bool:
        """Whether an edit has left alone what a scenario promises, and all its processes."""
        rest = [
            {key: each for key, each in data.items() if key not in _EDITABLE}
            for data in (data, self.data)
        ]
        names = [set(data.get("processes") or ()) for data in (data, self.data)]
        return rest[0] == rest[1] and names[0] == names[1]

    # Verdicts

    def _wrong(
        self, scenarios: Sequence[Scenario], options: Options
    ) -> tuple[Scenario, Report] | None:
        """The first case that violates what is expected."""
        for scenario in scenarios:
            report = _checked(scenario, options)
            if report is not None and report.verdict == "violated":
                return scenario, report
        return None

    def _verdict(self, scenarios: Sequence[Scenario]) -> Any:
        """None where all is proved; else the first case that is not, and its report."""
        for scenario in scenarios:
            left = min(EACH, self.end - time.monotonic())
            limits = self.options.limits
            states = min(limits.states or STATES, STATES)
            less = limits._replace(states=states, seconds=max(left, 0.0))
            options = self.options._replace(limits=less, progress=None)
            report = _checked(scenario, options)
            if report is None or (report.verdict != "violated" and not _proved(report)):
                return _UNKNOWN
            if report.verdict == "violated":
                return scenario, report
        return None


_UNKNOWN = object()


def _checked(scenario: Scenario, options: Options) -> Report | None:
    try:
        return check(scenario, options)
    except Uncheckable:
        return None


def _proved(report: Report) -> bool:
    """Whether it is proved, and of runs that there are."""
    return report.verdict == "proved" and all(each.startswith("line ") for each in report.idle)


def _size(old: str, new: str) -> int:
    """How many lines a diff takes out and puts in."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0))
    return sum(line[0] in "+-" for line in lines[2:])


def _diff(old: str, new: str, name: str) -> str:
    """The unified diff of two texts, as `patch` takes it."""
    found = []
    for line in difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), name, name
    ):
        ended = line.endswith("\n")
        found.append(line if ended else f"{line}\n\\ No newline at end of file\n")
    return "".join(found)
