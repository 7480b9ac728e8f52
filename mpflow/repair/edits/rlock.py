"""A lock that a process takes twice -> an rlock, which knows its owner."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit


def _candidates(case: Case) -> Iterator[Candidate]:
    for each in case.clues.waits("acquire", "with"):
        for name in each.on:
            declared = case.declared(name)
            own = name in case.clues.held.get(each.process, ())
            if own and declared is not None and declared.type == "lock":
                path = ("primitives", declared.name)
                written = case.scenario.document.data["primitives"][declared.name]
                whole = path if isinstance(written, str) else (*path, "type")
                why = f"`{declared.name}` is an rlock: `{each.base}` already holds it when it asks."
                yield Candidate(case.source.replace(whole, "rlock"), why)


EDIT = Edit("rlock", 1, _candidates)
