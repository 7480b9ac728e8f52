"""The contract that an edit's file fills in, and what it is given: a Case goes in, Candidates come
out, smallest first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.document import Path
from mpflow.repair.clues import Clues, Waiting
from mpflow.repair.source import Changes, Source
from mpflow.scenario import Declaration, Node, Scenario
from mpflow.scenario.names import Declared

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DRASTIC = 3  # the rank from which on an edit takes something away that may have been meant
LOCKS = ("lock", "rlock", "semaphore", "bounded_semaphore", "value", "array", "condition")


class Candidate(NamedTuple):
    """Changes that might mend a scenario (None: they cannot be made safely), and, as one sentence,
    what they do and why."""

    changes: Changes | None
    why: str


class Spot(NamedTuple):
    """An action where it stands: its process, its list, its place there, and the actions that it
    is inside of, from the outermost on."""

    declaration: Declaration
    nodes: tuple[Node, ...]
    at: int
    around: tuple[Node, ...]

    @property
    def node(self) -> Node:
        """The action."""
        return self.nodes[self.at]

    @property
    def process(self) -> str:
        """The name of its process, as declared."""
        return self.declaration.name

    @property
    def path(self) -> Path:
        """Where it stands in its list."""
        return item_path(self.node)

    @property
    def later(self) -> tuple[Node, ...]:
        """The actions behind it in its list."""
        return self.nodes[self.at + 1 :]


class Case:
    """A scenario that `check` found wrong, its text, and what the counterexamples tell."""

    def __init__(self, scenario: Scenario, clues: Clues) -> None:
        self.scenario = scenario
        self.clues = clues
        self.source = Source(scenario.document)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """All actions, main's last."""
        declarations = (*self.scenario.processes.values(), self.scenario.main)
        return tuple(spot for each in declarations for spot in _spots(each, each.nodes or (), ()))

    def of(self, *verbs: str) -> Iterator[Spot]:
        """All actions of these verbs."""
        return (spot for spot in self.spots if spot.node.verb in verbs)

    def waiting(self, *verbs: str) -> Iterator[Spot]:
        """The actions of these verbs in which a process waits for ever."""
        known = {(each.base, each.line, each.verb) for each in self.clues.waits(*verbs)}
        for spot in self.of(*verbs):
            if (spot.process, spot.node.line, spot.node.verb) in known:
                yield spot

    def waiters(self, spot: Spot) -> tuple[Waiting, ...]:
        """The processes that wait in an action."""
        node = spot.node
        known = self.clues.waits(node.verb)
        return tuple(e for e in known if e.base == spot.process and e.line == node.line)

    def declared(self, name: str) -> Declared | None:
        """The primitive that a name, as written, belongs to: `forks[1]` to `forks`."""
        shape = _NAME.match(name)
        return self.scenario.names.primitives.get(shape[0]) if shape else None

    def type_of(self, node: Node) -> str:
        """The type of what an action is on; empty where the text does not tell."""
        found = self.declared(subject(node))
        return found.type if found else ""

    def is_lock(self, node: Node) -> bool:
        """Whether an action acquires something that is there at first: no semaphore of 0, which
        is a signal."""
        found = self.declared(subject(node))
        if found is None or found.type not in LOCKS:
            return False
        return "semaphore" not in found.type or found.options.get("value") != 0

    def processes(self) -> Iterator[Declaration]:
        """All that is declared, and main."""
        yield from (*self.scenario.processes.values(), self.scenario.main)

    def count(self, process: str) -> int:
        """How many replicas a declared process has."""
        return len(self.scenario.names.processes.get(process, ("main",)))

    def is_sentinel(self, value: object, queue: str) -> bool:
        """Whether somebody who gets from a queue compares with this value, so that it is a sign,
        and no item like others."""
        consumers = {spot.process for spot in self.of("get") if subject(spot.node) == queue}
        conditions = (
            str(spot.node.written.get("condition", ""))
            for spot in self.spots
            if spot.process in consumers
        )
        texts = {repr(value), json.dumps(value, default=str)}
        return any(text in condition for condition in conditions for text in texts)

    def new_name(self, wanted: str) -> str:
        """A name that nothing has yet."""
        names, number = self.scenario.names, 1
        taken = {*names.primitives, *names.processes, *self.scenario.params}
        taken |= {str(each) for spot in self.spots for each in _set(spot.node)}
        name = wanted
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        return name


class Edit(NamedTuple):
    """A kind of edit: its name; how much it changes what a scenario means (`rank`: of two diffs of
    the same size, that of the lower rank is tried first); its candidates."""

    name: str
    rank: int
    candidates: Callable[[Case], Iterator[Candidate]]


def item_path(node: Node) -> Path:
    """The path of the list's item that an action is."""
    return node.path if isinstance(node.path[-1], int) else node.path[:-1]


def subject(node: Node) -> str:
    """What an action is on, as it is written; empty where there is nothing, or no text."""
    found = node.written.get(registry.verbs()[node.verb].subject or "")
    return found if isinstance(found, str) else ""


def subject_path(node: Node) -> Path:
    """Where that stands."""
    return node.places[registry.verbs()[node.verb].subject or ""]


def said(*names: str) -> str:
    """Names as a sentence has them: `a` and `b`."""
    return " and ".join(f"`{name}`" for name in dict.fromkeys(names))


def inside(node: Node) -> Iterator[Node]:
    """An action, and all that it contains."""
    yield node
    for block in node.blocks:
        for each in block.nodes:
            yield from inside(each)


def _spots(
    declaration: Declaration, nodes: tuple[Node, ...], around: tuple[Node, ...]
) -> Iterator[Spot]:
    for at, node in enumerate(nodes):
        yield Spot(declaration, nodes, at, around)
        for block in node.blocks:
            yield from _spots(declaration, block.nodes, (*around, node))


def _set(node: Node) -> Iterator[Any]:
    """The variables that an action sets."""
    for argument in registry.verbs()[node.verb].arguments:
        given = node.written.get(argument.name)
        if argument.form == "variable" and given is not None:
            yield given
        if argument.form == "assignments" and isinstance(given, dict):
            yield from given
