"""What an action is on: its argument goes in, a Target comes out, with its index in Promela.

A name that the run puts together, as in `forks[$i]`, is a place in an array of the model.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from mpflow import registry
from mpflow.kinds import Verb
from mpflow.promela.refusal import Refusal
from mpflow.promela.terms import Terms
from mpflow.promela.values import Term
from mpflow.scenario import Node
from mpflow.scenario.names import Complaint, Declared, Names

_INDEXED = re.compile(r"([A-Za-z_]\w*)\[(\d+)\]")
_OPEN = re.compile(r"([A-Za-z_]\w*)\[")
_CLOSE = re.compile(r"\](?:\.([A-Za-z_]\w*))?")


class Target(NamedTuple):
    """A primitive, or one of several: `replica` where it is known, else the code of its place."""

    declared: Declared
    type: str
    part: str
    replica: int | None
    place: str = ""
    needs: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()  # that decide which one it is

    @property
    def name(self) -> str:
        """The name under which it is declared."""
        return self.declared.name

    @property
    def shown(self) -> str:
        """Its name for a comment."""
        if self.declared.count is None:
            return self.name + self.part
        return f"{self.name}[{self.number}]{self.part}"

    @property
    def at(self) -> str:
        """The index of an array with one place for each replica; none where there is one alone."""
        if self.declared.count is None:
            return ""
        return f"[{self.number}]"

    @property
    def number(self) -> str:
        """The number of the replica."""
        return self.place if self.replica is None else str(self.replica)

    def within(self, width: int, place: str) -> str:
        """The index into an array with `width` places for each replica."""
        if self.declared.count is None:
            return f"[{place}]"
        if self.replica is not None and place.isdigit():
            return f"[{self.replica * width + int(place)}]"
        return f"[{self.number} * {width} + {place}]"

    @property
    def replicas(self) -> list[int]:
        """All that it may be."""
        known = range(self.declared.count or 1) if self.replica is None else [self.replica]
        return list(known)


def targets(node: Node, argument: str, terms: Terms) -> list[str]:
    """The names in an argument that can name several: known ones only."""
    known = terms.of(node.arguments[argument].source).known
    listed = list(known) if isinstance(known, list | tuple) else [known]
    if not all(isinstance(each, str) for each in listed):
        raise Refusal(f"only the run can tell what `{node.verb}` is done to here", "", argument)
    return listed


def target(node: Node, verb: Verb, argument: str, terms: Terms, names: Names) -> Target:
    """The primitive in an argument."""
    source = node.arguments[argument].source
    known = terms.of(source).known
    if isinstance(known, str):
        return named(known, verb, names)
    return _pattern(ast.parse(source, mode="eval").body, verb, argument, terms, names)


def named(text: str, verb: Verb, names: Names) -> Target:
    """The primitive of a known name."""
    if text.partition("[")[0] in names.processes:
        raise Refusal(f"`{verb.name}` of a process cannot be exported")
    place = names.primitive(text)
    if isinstance(place, Complaint):
        raise Refusal(f"this fails: {place.message}", place.hint)
    if place.type not in verb.types:
        raise Refusal(f"this fails: `{verb.name}` does not go with a {place.type}")
    found = _INDEXED.match(text)
    declared = names.primitives[place.declared]
    return Target(declared, place.type, place.part, int(found[2]) if found else 0)


def _pattern(tree: ast.expr, verb: Verb, argument: str, terms: Terms, names: Names) -> Target:
    """`base[$…]` or `base[$…].end`."""
    parts = tree.args if isinstance(tree, ast.Call) else []
    ends = [str(each.value) for each in parts[::2] if isinstance(each, ast.Constant)]
    if len(parts) == 3 and len(ends) == 2:
        begin, end = _OPEN.fullmatch(ends[0]), _CLOSE.fullmatch(ends[1])
        declared = names.primitives.get(begin[1]) if begin else None
        if end and declared and declared.count and declared.type in verb.types:
            part = f".{end[1]}" if end[1] else ""
            if part in registry.primitive(declared.type).parts(declared.options):
                return _indexed(declared, part, terms.number(ast.unparse(parts[1])), parts[1])
    message = "only the run can tell what this is done to"
    raise Refusal(message, "write `name[$index]`, of primitives declared with `count`", argument)


def _indexed(declared: Declared, part: str, index: Term, tree: ast.expr) -> Target:
    count = declared.count or 0
    needs = index.needs
    if not 0 <= index.low <= index.high < count:
        needs = (*needs, f"({index.code} >= 0 && {index.code} < {count})")
    used = frozenset(each.id for each in ast.walk(tree) if isinstance(each, ast.Name))
    return Target(declared, declared.type, part, None, index.code, needs, used)
