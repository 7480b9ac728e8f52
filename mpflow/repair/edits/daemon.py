"""A daemon that is cut off when main ends -> no daemon."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit


def _candidates(case: Case) -> Iterator[Candidate]:
    for each in case.scenario.processes.values():
        if each.daemon:
            why = f"`{each.name}` is no daemon: main's end waits for it instead of cutting it off."
            yield Candidate(case.source.drop((*each.path, "daemon")), why)


EDIT = Edit("no daemon", 1, _candidates)
