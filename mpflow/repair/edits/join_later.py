"""A join that waits for ever -> the join moved behind what the child waits for."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, inside, item_path
from mpflow.scenario import Node

_TAKES = ("get", "recv")
_GIVES = ("put", "send", "set", "release", "notify", "notify_all", "close")


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting("join"):
        for node in spot.later:
            verbs = {each.verb for each in inside(node)}
            if verbs & {*_TAKES, *_GIVES}:
                changes = case.source.move(spot.path, item_path(node), after=True)
                yield Candidate(changes, f"{_moved(spot, node)}: {_reason(verbs)}")


def _moved(spot: Spot, node: Node) -> str:
    return f"`{spot.process}` joins behind the `{node.verb}` of line {node.line}"


def _reason(verbs: set[str]) -> str:
    if verbs & {*_TAKES}:
        return "a process that has put something ends only when that is taken out."
    return "the process that is joined waits for that."


EDIT = Edit("join later", 0, _candidates)
