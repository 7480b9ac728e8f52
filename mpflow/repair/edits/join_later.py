"""A join that waits for ever -> the join moved behind what the child waits for."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, item_path
from mpflow.scenario import Node

_TAKES = ("get", "recv", "load")
_GIVES = ("put", "send", "set", "release", "notify", "notify_all", "close")


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting("join"):
        for node in spot.later:
            changes = case.source.move(spot.path, item_path(node), after=True)
            yield Candidate(changes, f"{_moved(spot, node)}: {_reason(node)}")


def _moved(spot: Spot, node: Node) -> str:
    return f"`{spot.process}` joins behind the `{node.verb}` of line {node.line}"


def _reason(node: Node) -> str:
    if node.verb in _TAKES:
        return "a process that has put something ends only when it can be taken out."
    if node.verb in _GIVES:
        return "that is what the process waits for that is joined."
    return "what the joined process waits for comes first."


EDIT = Edit("join later", 0, _candidates)
