"""A joinable queue whose task_done is said too rarely, or too often -> once for each item."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, item_path, subject
from mpflow.repair.source import together


def _candidates(case: Case) -> Iterator[Candidate]:
    yield from _missing(case)
    for spot in case.of("task_done"):
        if spot.process in {name.partition("[")[0] for name in case.clues.errors}:
            why = f"`{spot.process}` says task_done once for each item."
            yield Candidate(case.source.delete(spot.path), why)


def _missing(case: Case) -> Iterator[Candidate]:
    joined = {name for each in case.clues.waits("join") for name in each.on}
    for queue in sorted(joined):
        gets = [spot for spot in case.of("get") if subject(spot.node) == queue]
        said = {s.process for s in case.of("task_done") if subject(s.node) == queue}
        for spot in gets:
            why = f"`{spot.process}` says task_done when it has taken an item from `{queue}`:"
            why += " join waits for as many as were put."
            for node in (spot.node, *spot.later):
                changes = case.source.insert(item_path(node), True, ("task_done", queue))
                yield Candidate(changes, why)
        lacking = [spot for spot in gets if spot.process not in said]
        if len(lacking) > 1:
            done = (case.source.insert(s.path, True, ("task_done", queue)) for s in lacking)
            yield Candidate(together(*done), f"Each get of `{queue}` is followed by a task_done.")


EDIT = Edit("task_done for each item", 0, _candidates)
