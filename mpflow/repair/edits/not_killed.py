"""A process that is killed while it may hold something -> one that may end by itself."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.of("terminate", "kill"):
        named = spot.node.written.get("process")
        why = f"`{spot.process}` does not {spot.node.verb} `{named}`: the dead give nothing back."
        yield Candidate(case.source.delete(spot.path), why)


EDIT = Edit("no kill", 3, _candidates)
