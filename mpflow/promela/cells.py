"""Shared values and arrays in Promela: variables, and the lock that each access takes.

In: a node of one process, and what it is on. Out: lines of its Body.
"""

from __future__ import annotations

from collections.abc import Mapping

from mpflow.promela.body import Body, Operations
from mpflow.promela.locks import mine, owner
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target
from mpflow.scenario import Node

CELLS = ("value", "array")
WHOLE = ("h", "i", "l", "q")  # codes of types that hold all of the model's numbers


def _load(body: Body, node: Node, found: Target) -> None:
    place, guard = _cell(body, node, found), _access(body, found)
    into = body.into(node)
    if into or guard:
        effects = [f"{into} = {place}"] if into else []
        body.lines.step(guard, *effects, note=body.note(node, found.shown))


def _store(body: Body, node: Node, found: Target) -> None:
    term = body.terms.number(node.arguments["value"].source)
    body.need(term)
    place, guard = _cell(body, node, found), _access(body, found)
    body.lines.step(guard, f"{place} = {term.code}", note=body.note(node, found.shown))


def _cell(body: Body, node: Node, found: Target) -> str:
    """The variable of the model that an access is about."""
    options = found.declared.options
    if options["typecode"] not in WHOLE:
        raise Refusal(f"typecode {options['typecode']} cannot be exported", "use i: whole numbers")
    if found.type == "value":
        return f"value_{found.name}{found.at}"
    size = size_of(options)
    at = body.terms.number(node.arguments["at"].source)
    needs = at.needs
    if not 0 <= at.low <= at.high < size:
        needs = (*needs, f"({at.code} >= 0 && {at.code} < {size})")
    body.need(at._replace(needs=needs))
    return f"array_{found.name}{found.within(size, at.code)}"


def _access(body: Body, found: Target) -> str:
    """What an access waits for: its lock, where that is ever held for longer than an access."""
    lock = found.declared.options["lock"]
    if lock is False:
        return ""
    if lock is True:
        if found.name not in body.world.facts.guarded:
            return ""
        return mine(body, owner(found)[0])
    declared = body.world.scenario.names.primitives[lock]
    if declared.type != "rlock":
        message = f"each access to `{found.name}` takes the plain lock `{lock}`"
        raise Refusal(message, "leave out its `lock`: one of its own does")
    return mine(body, f"owner_{lock}")


def size_of(options: Mapping[str, object]) -> int:
    """How many items an array has."""
    size, initial = options["size"], options["initial"]
    return len(initial) if isinstance(initial, list) else int(str(size))


OPERATIONS: dict[str, Operations] = {
    "load": dict.fromkeys(CELLS, _load),
    "store": dict.fromkeys(CELLS, _store),
}
