"""What is done to primitives, in Promela: an action goes in, and goes to its type's operation.

Each operation is as fine as it has to be: what others can see between two steps of CPython's own
is two steps in the model.
"""

from __future__ import annotations

from mpflow import registry
from mpflow.promela import cells, events, locks, pipes, queues
from mpflow.promela.body import Body, Operations
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import target
from mpflow.scenario import Node

TYPES = (*locks.COUNTED, *locks.OWNED, "event", *queues.TYPES, "pipe")
_OPERATIONS: dict[str, Operations] = {
    **locks.OPERATIONS,
    **cells.OPERATIONS,
    **events.OPERATIONS,
    **queues.OPERATIONS,
    **pipes.OPERATIONS,
}
VERBS = frozenset(_OPERATIONS)


def operate(body: Body, node: Node) -> None:
    """Write an action on a primitive."""
    verb = registry.verbs()[node.verb]
    assert verb.subject is not None
    found = target(node, verb, verb.subject, body.terms, body.world.scenario.names)
    if found.type not in TYPES:
        known = ", ".join(TYPES)
        raise Refusal(f"a {found.type} cannot be exported", f"these can be: {known}")
    operation = _OPERATIONS.get(node.verb, {}).get(found.type)
    if operation is None:
        raise Refusal(f"`{node.verb}` of a {found.type} cannot be exported")
    body.need(found)
    operation(body, node, found)
