"""What actions do to variables: a process's actions go in, the kinds of its variables come out."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from mpflow import registry
from mpflow.promela.refusal import Refusal
from mpflow.promela.terms import Terms
from mpflow.promela.values import joined_kind
from mpflow.scenario import Node

_ROUNDS = 5  # through all actions, to find the kinds of variables that depend on others


def find_kinds(nodes: Sequence[Node], kinds: dict[str, str], terms: Terms) -> None:
    """Tell `terms` the kind of each variable: of all that it is ever set to. `kinds` has what they
    are at first; nothing for one that is not set then."""
    items = {name: "scalar" for node in nodes if node.verb == "for" for name in sets(node)}
    for _ in range(_ROUNDS):
        known = {name: kind for name, kind in kinds.items() if kind}
        terms.kinds, terms.set = items | known, items.keys() | known.keys()
        for node in nodes:
            for name, kind in _given(node, terms):
                if name in kinds and kind:
                    kinds[name] = joined_kind(kinds[name] or kind, kind)
    terms.kinds = {name: kind or "number" for name, kind in kinds.items()}


def _given(node: Node, terms: Terms) -> Iterator[tuple[str, str]]:
    """The kinds of what an action sets."""
    if node.verb == "let":
        for name, source in assignments(node):
            yield name, _kind_of(source, terms)
    elif node.verb == "choose":
        for source in chosen(node):
            yield from ((name, _kind_of(source, terms)) for name in sets(node))
    else:
        texts = node.verb in ("get", "recv", "exitcode", "active_children")
        yield from ((name, "scalar" if texts else "number") for name in sets(node))


def _kind_of(source: str, terms: Terms) -> str:
    try:
        return terms.of(source).kind
    except Refusal:
        return ""  # not known yet, or refused where it is written


def assignments(node: Node) -> Iterator[tuple[str, str]]:
    """The variables of a `let`, each with its source."""
    for line in ast.parse(node.arguments["variables"].source).body:
        assert isinstance(line, ast.Assign)
        assert isinstance(line.targets[0], ast.Name)
        yield line.targets[0].id.removeprefix("v_"), ast.unparse(line.value)


def chosen(node: Node) -> list[str]:
    """The sources of what a `choose` chooses from."""
    tree = ast.parse(node.arguments["from"].source, mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "made":
        tree = tree.args[0]
    return [ast.unparse(each) for each in tree.elts] if isinstance(tree, ast.List) else []


def sets(node: Node) -> Iterator[str]:
    """The variables that an action sets itself."""
    for argument in registry.verbs()[node.verb].arguments:
        written = node.written.get(argument.name)
        if argument.form == "variable" and isinstance(written, str):
            yield written
        elif argument.form == "assignments" and isinstance(written, Mapping):
            yield from written


def names(code: str, variables: Collection[str]) -> bool:
    """Whether the code of a lock has one of these variables in it."""
    return any(f"v_{each}" in code for each in variables)
