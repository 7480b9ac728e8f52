"""What a process can reach: an action's names go in, the primitives and processes come out.

A name that only the run can tell reaches everything that it might: a process is handed what it
may name, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mpflow import expressions, registry
from mpflow.document import Path
from mpflow.expressions import Compiled
from mpflow.kinds import Argument, Verb
from mpflow.scenario import Declaration, Node, Scenario, nodes_of
from mpflow.scenario.names import Complaint

_BASE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[\[.]")


class Reference(NamedTuple):
    """An argument that names something: the names, or None where only the run can tell;
    then `base` is the declaration that they belong to, if the text shows that."""

    node: Node
    verb: Verb
    argument: Argument
    names: tuple[str, ...] | None
    base: str | None


def references(
    scenario: Scenario, declaration: Declaration, index: int | None, indexed: bool = False
) -> Iterator[Reference]:
    """Every naming argument in the actions of one replica; `indexed`: only those that can be
    another in each replica."""
    scope = {**scenario.params, **({} if index is None else {"index": index})}
    for node in nodes_of(declaration.nodes or ()):
        verb = registry.verbs()[node.verb]
        for argument in verb.arguments:
            if argument.form not in ("subject", "subjects", "processes"):
                continue
            if argument.name in node.arguments and (
                not indexed or "index" in node.arguments[argument.name].names
            ):
                yield Reference(
                    node,
                    verb,
                    argument,
                    _names(node, argument.name, scope),
                    _base(node.written.get(argument.name)),
                )


def _names(node: Node, argument: str, scope: Mapping[str, Any]) -> tuple[str, ...] | None:
    compiled = node.arguments[argument]
    if not compiled.names <= scope.keys() or (compiled.functions and not compiled.constant):
        return None
    try:
        found = expressions.evaluate(compiled, scope)
    except Exception:
        return None  # the action will fail the same way when it is taken
    listed = found if isinstance(found, list | tuple) else [found]
    return tuple(str(each) for each in listed)


def _base(written: object) -> str | None:
    shape = _BASE.match(written) if isinstance(written, str) else None
    return shape[1] if shape else None


def reachable(scenario: Scenario, declaration: Declaration, index: int | None) -> frozenset[str]:
    """The real objects that one replica may touch, by name: `jobs`, `forks[1]`, `link.conn1`."""
    names = scenario.names
    found: set[str] = set()
    for each in references(scenario, declaration, index):
        if set(each.verb.types) == {"process"}:
            continue
        for text in each.names or ():
            places = names.subject(text, each.verb)
            if not isinstance(places, Complaint):
                found.update(place.name for place in places if place.type != "process")
        if each.names is None:
            found.update(_possible(scenario, each))
    for compiled in _handed(declaration):
        for name in compiled.names & names.primitives.keys():
            found.update(place.name for place in names.places(name))
    return frozenset(found)


def functions(
    scenario: Scenario, declaration: Declaration
) -> Iterator[tuple[Node | None, Path, str]]:
    """What names Python code, as far as the text and the params tell: the action, or None for
    what the process itself runs; the place; the name."""
    if declaration.python is not None:
        key = "target" if declaration.target is not None else "class"
        yield None, (*declaration.path, key), declaration.python
    for node in nodes_of(declaration.nodes or ()):
        for argument in registry.verbs()[node.verb].arguments:
            if argument.form == "function":
                found = _names(node, argument.name, scenario.params)
                if found is not None and len(found) == 1:
                    yield node, node.places.get(argument.name, node.path), found[0]


def _handed(declaration: Declaration) -> Iterator[Compiled]:
    """What Python code is given, by the process's declaration or by a call."""
    yield from (declaration.args, declaration.kwargs)
    for node in nodes_of(declaration.nodes or ()):
        if registry.verbs()[node.verb].function:
            names = ("args", "kwargs", "over")
            yield from (node.arguments[name] for name in names if name in node.arguments)


def _possible(scenario: Scenario, reference: Reference) -> Iterator[str]:
    """What a name might turn out to be: replicas of its base, or all that the verb takes."""
    primitives = scenario.names.primitives
    for name, declared in primitives.items():
        fits = declared.type in reference.verb.types
        if fits and (reference.base is None or reference.base == name):
            yield from (place.name for place in scenario.names.places(name))


def startable(
    scenario: Scenario, declaration: Declaration, index: int | None, indexed: bool = False
) -> frozenset[str]:
    """The processes that one replica may start, by the names of their replicas."""
    found: set[str] = set()
    for each in references(scenario, declaration, index, indexed):
        if each.node.verb == "start":
            found.update(named_processes(scenario, declaration, each))
    return frozenset(found)


def named_processes(
    scenario: Scenario, declaration: Declaration, reference: Reference
) -> frozenset[str]:
    """The processes that a `processes` argument means; all of them where only the run can tell."""
    if reference.names is None:
        return _every(scenario)
    found: set[str] = set()
    for text in reference.names:
        if text == "all":
            found.update(_every(scenario) - {declaration.name})
            continue
        names = scenario.names.process(text)
        if not isinstance(names, Complaint):
            found.update(names)
    return frozenset(found)


def _every(scenario: Scenario) -> frozenset[str]:
    return frozenset(name for each in scenario.names.processes.values() for name in each)
