"""A barrier for more, or fewer, than those who come -> one for as many as come."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    primitives = case.scenario.names.primitives
    for name in (each.name for each in primitives.values() if each.type == "barrier"):
        coming = [spot for spot in case.of("wait") if subject(spot.node) == name]
        for parties in _numbers(case, name, coming):
            if parties != primitives[name].options.get("parties"):
                changes = case.source.replace(("primitives", name, "parties"), parties)
                yield Candidate(changes, f"`{name}` opens for {parties}: as many come to it.")


def _numbers(case: Case, name: str, coming: list[Spot]) -> list[int]:
    """How many may come: all processes that wait at it, or those that were seen waiting."""
    processes = dict.fromkeys(spot.process for spot in coming)
    stuck = {each.process for each in case.clues.waits("wait") if name in each.on}
    found = [sum(map(case.count, processes)), len(stuck)]
    return [number for number in dict.fromkeys(found) if number > 1]


EDIT = Edit("barrier's parties", 1, _candidates)
