"""The actions of a file go in, Nodes come out: arguments by name, blocks inside their action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mpflow import expressions, registry
from mpflow.document import Document, Path
from mpflow.expressions import Compiled
from mpflow.kinds import Argument, Verb
from mpflow.scenario import Block, Node
from mpflow.scenario.values import Values


class Nodes:
    """Makes the nodes of one document."""

    def __init__(self, document: Document, values: Values) -> None:
        self.document = document
        self.values = values

    def block(self, data: Sequence[Any], path: Path) -> tuple[Node, ...]:
        """A list of actions as nodes."""
        return tuple(self._node(action, (*path, i)) for i, action in enumerate(data))

    def _node(self, action: Any, path: Path) -> Node:
        name, given = (action, None) if isinstance(action, str) else next(iter(action.items()))
        verb = registry.verbs()[name]
        at = path if isinstance(action, str) else (*path, name)
        written, places = _written(verb, given, at)
        arguments: dict[str, Compiled] = {}
        blocks: list[Block] = []
        for argument in verb.arguments:
            place = places.get(argument.name, at)
            if argument.form == "block":
                if argument.name in written:
                    nodes = self.block(written[argument.name] or [], place)
                    blocks.append(Block(argument.name, None, nodes, self._line(place, at)))
            elif argument.form == "handlers":
                for error, nodes in (written.get(argument.name) or {}).items():
                    inner = (*place, error)
                    block = self.block(nodes or [], inner)
                    blocks.append(Block("except", error, block, self._line(inner, at)))
            elif argument.name in written:
                arguments[argument.name] = self._argument(argument, written[argument.name], place)
            else:
                arguments[argument.name] = expressions.value(argument.default)
        line = self.document.key_span(at).line
        return Node(name, arguments, tuple(blocks), at, line, places, written)

    def _line(self, place: Path, at: Path) -> int:
        return self.document.key_span(place if len(place) > len(at) else at).line

    def _argument(self, argument: Argument, data: Any, path: Path) -> Compiled:
        if argument.form == "condition":
            return self.values.expression(data, path).compiled
        if argument.form == "assignments":
            return self._assignments(data, path)
        if argument.form == "times" and data == "forever":
            return expressions.value(None)
        return self.values.value(data, path, argument.form not in ("values", "table"))

    def _assignments(self, data: Mapping[str, Any], path: Path) -> Compiled:
        """`let`: a statement for each variable, set before the next value is worked out."""
        parts = [(key, self.values.value(each, (*path, key))) for key, each in data.items()]
        return Compiled(
            source="\n".join(f"v_{key} = {each.source}" for key, each in parts),
            names=frozenset().union(*(each.names for _, each in parts)),
            attributes=tuple(pair for _, each in parts for pair in each.attributes),
            functions=frozenset().union(*(each.functions for _, each in parts)),
            constant=False,
            bare=frozenset().union(*(each.bare for _, each in parts)),
        )


def _written(verb: Verb, given: Any, at: Path) -> tuple[Mapping[str, Any], dict[str, Path]]:
    """A verb's arguments by name, in whichever form they are written, and where each stands."""
    first = verb.arguments[0] if verb.arguments else None
    if first is not None and first.form == "assignments":
        return {first.name: given}, {first.name: at}
    if isinstance(given, dict):
        return given, {key: (*at, key) for key in given}
    if given is None or first is None:
        return {}, {}
    return {first.name: given}, {first.name: at}
