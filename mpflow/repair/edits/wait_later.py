"""Each waits for the other before he has done his own part -> the wait behind that part."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, inside, item_path
from mpflow.scenario import Node

_WAITS = ("acquire", "wait", "get", "recv", "put", "send")
_GIVES = frozenset({"release", "set", "put", "send", "notify", "notify_all", "get", "recv"})
_OWNED = ("lock", "rlock", "condition", "value", "array")  # lock_order.py is for these
FAR = 6  # actions that it is moved over at most


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting(*_WAITS):
        if case.type_of(spot.node) not in _OWNED:
            for node in spot.later[:FAR]:
                if _gives(node):
                    yield _behind(case, spot, node)


def _gives(node: Node) -> bool:
    return any(each.verb in _GIVES for each in inside(node))


def _behind(case: Case, spot: Spot, node: Node) -> Candidate:
    changes = case.source.move(spot.path, item_path(node), after=True)
    did = f"`{spot.process}` does the `{node.verb}` of line {node.line} first"
    return Candidate(changes, f"{did}, and then its `{spot.node.verb}`: somebody has to begin.")


EDIT = Edit("wait later", 2, _candidates)
