"""An end that does not wait for what was put -> one that does."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.of("os_exit"):
        why = f"`{spot.process}` ends by exit, which waits until all it has put is written."
        yield Candidate(case.source.rename(spot.node.path, "exit"), why)
    for spot in case.of("cancel_join_thread"):
        queue = subject(spot.node)
        why = f"`{spot.process}` does not give up what it has put into `{queue}`."
        yield Candidate(case.source.delete(spot.path), why)


EDIT = Edit("orderly exit", 1, _candidates)
