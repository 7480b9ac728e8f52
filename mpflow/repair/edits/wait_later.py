"""Each waits for the other before he has done his own part -> the wait behind that part."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, inside, item_path, subject
from mpflow.scenario import Node

_WAITS = ("acquire", "wait", "get", "recv", "put", "send")
_GIVES = frozenset({"release", "set", "put", "send", "notify", "notify_all", "get", "recv"})
_SHARED = frozenset({"load", "store"})  # what a wait may protect
FAR = 6  # actions that it is moved over at most


def _candidates(case: Case) -> Iterator[Candidate]:
    for spot in case.waiting(*_WAITS):
        if not _is_held(case, spot):
            for node in spot.later[:FAR]:
                if _protected(spot, node):
                    break
                if any(each.verb in _GIVES for each in inside(node)):
                    yield _behind(case, spot, node)


def _is_held(case: Case, spot: Spot) -> bool:
    """Whether it waits for something that is there at first, or that its process gives back."""
    name = subject(spot.node)
    if case.declared(name) is None or (spot.node.verb == "acquire" and case.is_lock(spot.node)):
        return True
    return any(s.process == spot.process and subject(s.node) == name for s in case.of("release"))


def _protected(spot: Spot, node: Node) -> bool:
    """Whether an action may be what is waited for: then the wait stays before it."""
    same = node.verb == "release" and subject(node) == subject(spot.node)
    return same or any(each.verb in _SHARED for each in inside(node))


def _behind(case: Case, spot: Spot, node: Node) -> Candidate:
    changes = case.source.move(spot.path, item_path(node), after=True)
    did = f"`{spot.process}` does the `{node.verb}` of line {node.line} first"
    return Candidate(changes, f"{did}, and then its `{spot.node.verb}`: somebody has to begin.")


EDIT = Edit("wait later", 2, _candidates)
