"""A last item that overtakes what another process has put -> the producer puts it himself."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    puts = list(case.of("put"))
    for last in puts:
        queue = subject(last.node)
        if case.is_sentinel(last.node.written.get("value"), queue):
            for other in puts:
                own = other.process == last.process or case.count(other.process) != 1
                if not own and subject(other.node) == queue:
                    yield _moved(case, last, other)


def _moved(case: Case, last: Spot, other: Spot) -> Candidate:
    changes = case.source.move(last.path, other.path, after=True)
    why = f"`{other.process}` puts the last item into `{subject(last.node)}` itself:"
    return Candidate(changes, f"{why} what one process puts comes out in order.")


EDIT = Edit("the last item by its producer", 1, _candidates)
