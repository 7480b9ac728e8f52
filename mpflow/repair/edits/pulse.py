"""An event that is set and cleared at once -> one that stays set."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.of("clear"):
        name = subject(spot.node)
        if any(node.verb == "set" and subject(node) == name for node in spot.nodes[: spot.at]):
            why = f"`{spot.process}` leaves `{name}` set: who comes or wakes late sees it too."
            yield Candidate(case.source.delete(spot.path), why)


EDIT = Edit("an event instead of a pulse", 2, _candidates)
