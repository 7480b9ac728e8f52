"""One notify, and several who wait -> notify_all."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    stuck = {name for each in case.clues.waits("wait") for name in each.on}
    for spot in case.of("notify"):
        name = subject(spot.node)
        if name in stuck and not spot.node.written.keys() - {"condition"}:
            why = f"`{spot.process}` notifies all who wait for `{name}`, not one of them."
            yield Candidate(case.source.rename(spot.node.path, "notify_all"), why)


EDIT = Edit("notify all", 0, _candidates)
