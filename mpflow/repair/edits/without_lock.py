"""Someone waits, with a lock in hand, for another who needs that lock first -> the other does
without: nobody else can come in as long as the lock is held for him."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, subject

_SIGNALS = ("acquire", "wait", "get", "recv")


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting("with"):
        lock = subject(spot.node)
        holders = {name for name, locks in case.clues.held.items() if lock in locks}
        for each in case.clues.waits(*_SIGNALS):
            if each.process in holders and lock not in each.on:
                inner = spot.node.places["do"]
                changes = case.source.unwrap(spot.path, inner, len(spot.node.blocks[0].nodes))
                did = f"`{spot.process}` does not take `{lock}` in line {spot.node.line}"
                why = f"{did}: `{each.base}` holds it and waits for what `{spot.process}` does."
                yield Candidate(changes, why)
                break


EDIT = Edit("without the lock", 3, _candidates)
