"""A wait with a lock held that others need to end it -> the wait before the lock is taken."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, item_path, subject

_WAITS = ("acquire", "wait", "get", "recv", "join")


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting(*_WAITS):
        if spot.node.verb == "wait" and case.type_of(spot.node) == "condition":
            continue  # it gives the lock back while it waits
        holder = next((each for each in reversed(spot.around) if each.verb == "with"), None)
        for node in spot.nodes[: spot.at]:
            if node.verb == "acquire" and subject(node) != subject(spot.node):
                holder = node
        if holder is not None:
            changes = case.source.move(spot.path, item_path(holder), after=False)
            did = f"`{spot.process}` does its `{spot.node.verb}` before it takes"
            why = f"{did} `{subject(holder)}`: others need that to end the wait."
            yield Candidate(changes, why)


EDIT = Edit("wait outside", 1, _candidates)
