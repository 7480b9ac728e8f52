"""A lock that a process releases and never acquires -> an acquire before what it is to guard."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, item_path, subject
from mpflow.scenario import Node

FAR = 6  # actions before which it is tried


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.of("release"):
        if case.is_lock(spot.node) and not _acquired(case, spot):
            for node in _places(spot):
                name = subject(spot.node)
                changes = case.source.insert(item_path(node), False, ("acquire", name))
                why = f"`{spot.process}` acquires `{name}` before it releases it:"
                yield Candidate(changes, f"{why} till then another may hold it.")


def _acquired(case: Case, spot: Spot) -> bool:
    """Whether its process ever acquires what it releases."""
    own = (each for each in case.of("acquire", "with") if each.process == spot.process)
    return any(subject(each.node) == subject(spot.node) for each in own)


def _places(spot: Spot) -> Iterator[Node]:
    """Before what it may go: actions of its list, and of its process, the first of them first."""
    yield from spot.nodes[: spot.at + 1][:FAR]
    if spot.around:
        yield from (spot.declaration.nodes or ())[:FAR]


EDIT = Edit("acquire before release", 1, _candidates)
