"""An action goes in, lines of its process's Body come out; or a Refusal that says why none do."""

from __future__ import annotations

from collections.abc import Callable

from mpflow.promela import children, control, locks, operations
from mpflow.promela.body import Body
from mpflow.promela.refusal import Refusal
from mpflow.scenario import Node

Writer = Callable[[Body, Node], None]

_WRITERS: dict[str, Writer] = {
    **control.WRITERS,
    **children.WRITERS,
    "with": locks.with_,
}

_SIGNAL = "a signal may strike at any step of a process", "let it end by itself"
_CODE = "Python code cannot be exported", "write it as actions"
_FILE = "Promela has no files", "leave it out"
_REASONS = {
    "terminate": _SIGNAL,
    "kill": _SIGNAL,
    "signal": _SIGNAL,
    "suspend": _SIGNAL,
    "resume": _SIGNAL,
    "call": _CODE,
    "read": _FILE,
    "write": _FILE,
    "active_children": ("a list of names is no value of the model", "ask `is_alive` of each"),
}


def write(body: Body, node: Node) -> None:
    """Write an action."""
    if node.verb in _WRITERS:
        _WRITERS[node.verb](body, node)
    elif node.verb in operations.VERBS:
        operations.operate(body, node)
    else:
        message, hint = _REASONS.get(node.verb, (f"`{node.verb}` cannot be exported", ""))
        raise Refusal(message, hint)
