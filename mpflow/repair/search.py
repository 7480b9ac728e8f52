"""A text goes in, the smallest variant of it that `check` proves right comes out.

Variants are tried in the order of their diffs' sizes, one edit alone before two together, and
drastic ones last. One counts only if every case of it is proved, no expectation is left untested,
and all that the file promises is as it was.
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import takewhile
from typing import Any, NamedTuple

from mpflow import document
from mpflow.model.check import Options, Report, check
from mpflow.model.values import Uncheckable
from mpflow.repair.clues import clues
from mpflow.repair.kinds import DRASTIC, Case, Edit
from mpflow.repair.source import applied, lines_of
from mpflow.scenario import Choice, Scenario
from mpflow.understanding import understand

SECONDS = 10.0  # for all variants together
MILD = 0.6  # the share of that for edits that are not drastic
EACH = 2.0  # seconds and
STATES = 200_000  # states for one of them
LARGEST = 200_000  # characters of a text that is edited
INTERRUPTED = "interrupted"  # by a Ctrl-C, which a check takes for a limit
EXPANDED = 25  # variants to which a second edit is added


class Variant(NamedTuple):
    """What came of a text by some edits: the size of its diff, what each edit does and why, their
    names, their ranks."""

    text: str
    size: int = 0
    why: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()


class Tried(NamedTuple):
    """What `check` said of a variant: its first case that is wrong, and how; neither where that is
    not known, or where all is proved."""

    variant: Variant
    proved: bool
    scenario: Scenario | None = None
    report: Report | None = None


class Search:
    """One search; `tried` counts the variants that were checked."""

    def __init__(self, text: str, path: str, choice: Choice, options: Options) -> None:
        self.text = text
        self.path = path
        self.choice = choice
        self.options = options
        self.data: Any = None
        self.seen = {text}
        self.tried = 0
        self.end = 0.0

    def run(self, wrong: tuple[Scenario, Report] | None = None) -> Variant | None:
        """The first variant that is proved: of one edit, or else of two. `wrong`: the first case
        that is, and what `check` has said of it, if that is known."""
        if len(self.text) > LARGEST:
            return None
        scenarios = self._cases(self.text)
        if not scenarios:
            return None
        self.data = scenarios[0].document.data
        first = Variant(self.text)
        if wrong is None:
            start = self._checked(first, scenarios, self.options)
        else:
            start = Tried(first, False, *wrong)
        for tried in self._stages(start):
            if tried and tried[-1].proved:
                return tried[-1].variant
        return None

    def _stages(self, start: Tried) -> Iterator[list[Tried]]:
        """One edit, then two; drastic ones only after that."""
        begun = time.monotonic()
        self.end = begun + SECONDS * MILD
        single = self._variants([start])
        tried = self._tried(each for each in single if not _drastic(each))
        yield tried
        double = self._variants(tried[:EXPANDED])
        yield self._tried(each for each in double if not _drastic(each))
        self.end = begun + SECONDS
        tried = self._tried(each for each in single if _drastic(each))
        yield tried
        double = [each for each in double if _drastic(each)]
        yield self._tried(_in_order([*self._variants(tried[:EXPANDED]), *double]))

    # Variants

    def _variants(self, wrong: Iterable[Tried]) -> list[Variant]:
        """What all kinds of edits make of wrong texts, smallest diffs first."""
        found: list[Variant] = []
        for variant, _, scenario, report in wrong:
            if scenario is not None and report is not None:
                self._edited(variant, Case(scenario, clues(report)), found)
        return _in_order(found)

    def _edited(self, base: Variant, case: Case, found: list[Variant]) -> None:
        """What they make of one of them, each text once."""
        for edit in every():
            for candidate in edit.candidates(case):
                if time.monotonic() >= self.end:
                    return
                text = applied(base.text, candidate.changes or ())
                if text not in self.seen:
                    self.seen.add(text)
                    size = _size(self.text, text)
                    why, names = (*base.why, candidate.why), (*base.edits, edit.name)
                    found.append(Variant(text, size, why, names, (*base.ranks, edit.rank)))

    def _tried(self, variants: Iterable[Variant]) -> list[Tried]:
        """What came of variants that could be checked, one after the other until one is proved."""
        found: list[Tried] = []
        for variant in variants:
            left = self.end - time.monotonic()
            if left <= 0:
                break
            scenarios = self._cases(variant.text)
            if scenarios and self._same(scenarios[0].document.data):
                self.tried += 1
                found.append(self._checked(variant, scenarios, self._less(left)))
                if found[-1].proved:
                    break
        return found

    # Verdicts

    def _cases(self, text: str) -> list[Scenario]:
        """The cases of a text; none where it has problems."""
        found, problems = document.parse(text, self.path)
        if found is None or problems:
            return []
        scenarios, wrong = understand(found, problems, self.choice)
        return [] if wrong else scenarios

    def _same(self, data: Any) -> bool:
        """Whether a file promises what the first one does, and has the same processes."""
        return bool(_promises(data) == _promises(self.data))

    def _less(self, left: float) -> Options:
        """The options for one variant."""
        limits = self.options.limits
        states = min(limits.states or STATES, STATES)
        limits = limits._replace(states=states, seconds=min(EACH, left))
        return self.options._replace(limits=limits, progress=None)

    def _checked(self, variant: Variant, scenarios: Sequence[Scenario], options: Options) -> Tried:
        """What `check` says of all cases."""
        proved = True
        for scenario in scenarios:
            try:
                report = check(scenario, options)
            except Uncheckable:
                return Tried(variant, False)
            if report.cut == INTERRUPTED:
                raise KeyboardInterrupt
            if report.verdict == "violated":
                return Tried(variant, False, scenario, report)
            proved = proved and report.verdict == "proved" and not _untested(report)
        return Tried(variant, proved)


@cache
def every() -> tuple[Edit, ...]:
    """The kinds of edits that stand in edits/."""
    folder = os.path.join(os.path.dirname(__file__), "edits")
    names = (each.removesuffix(".py") for each in sorted(os.listdir(folder)))
    modules = [n for n in names if n.isidentifier() and not n.startswith("_")]
    return tuple(import_module(f"mpflow.repair.edits.{name}").EDIT for name in modules)


def _in_order(variants: list[Variant]) -> list[Variant]:
    """Smallest diffs first."""
    return sorted(variants, key=lambda each: (each.size, sum(each.ranks)))


def _drastic(variant: Variant) -> bool:
    """Whether an edit takes something away that may have been meant."""
    return max(variant.ranks) >= DRASTIC


def _untested(report: Report) -> bool:
    """Whether no run puts some expectation to the test."""
    return not all(each.startswith("line ") for each in report.idle)


def _promises(data: Any) -> Any:
    """What no edit may touch; `x-…` are places for anchors."""
    free = ("primitives", "processes", "main")
    rest = {k: each for k, each in data.items() if k not in free and not k.startswith("x-")}
    return rest, set(data.get("processes") or ())


def _size(old: str, new: str) -> int:
    """How many lines a diff takes out and puts in."""
    one, other = lines_of(old), lines_of(new)
    while one and other and one[-1] == other[-1]:
        del one[-1], other[-1]
    pairs = zip(one, other, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    lines = list(difflib.unified_diff(one[same:], other[same:], n=0))
    return sum(line[0] in "+-" for line in lines[2:])
