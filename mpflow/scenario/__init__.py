"""Document -> Scenario: what a file says, with params filled in, expressions compiled, lines kept.

What a scenario is stands here; building.py makes it. A scenario is one case of its file: params
and start method are settled. Whether what it says makes sense is for meaning/. NamedTuples
throughout: immutable, and `dataclasses` would cost every command 20 ms to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from mpflow.document import Document, Path
from mpflow.expressions import Compiled
from mpflow.scenario.names import Names, replicas

MAX_CASES = 1000


class Node(NamedTuple):
    """An action: its verb, its arguments' expressions by name, and the blocks inside it."""

    verb: str
    arguments: Mapping[str, Compiled]
    blocks: tuple[Block, ...]
    path: Path
    line: int
    places: Mapping[str, Path]
    written: Mapping[str, Any]


class Block(NamedTuple):
    """A list of actions inside an action: `do`, `else`, or `except` with an exception's name."""

    part: str
    exception: str | None
    nodes: tuple[Node, ...]
    line: int


class Declaration(NamedTuple):
    """A process as declared, with all its replicas."""

    name: str
    count: int | None  # type: ignore[assignment]  # tuple.count is not missed
    nodes: tuple[Node, ...] | None
    target: str | None
    class_: str | None
    args: Compiled
    kwargs: Compiled
    vars: tuple[tuple[str, Compiled], ...]
    system_name: Compiled | None
    daemon: bool
    path: Path
    line: int

    @property
    def replicas(self) -> tuple[str, ...]:
        return replicas(self.name, self.count)

    @property
    def python(self) -> str | None:
        """The Python function or class that it runs, if it has no actions."""
        return self.target or self.class_


class Condition(NamedTuple):
    """An expression of `expect` or `outcome`, with its text and its place."""

    text: str
    compiled: Compiled
    path: Path
    line: int


class Expectation(NamedTuple):
    """Section 6 of the language, ready to be judged; processes by the names of their replicas."""

    deadlock: str = "never"
    timeout: str = "never"
    exitcodes: Mapping[str, tuple[int | None, ...]] = {}
    errors: Mapping[str, tuple[str | None, ...]] = {}
    always: tuple[Condition, ...] = ()
    never: tuple[Condition, ...] = ()
    sometimes: tuple[Condition, ...] = ()
    order: tuple[tuple[str, str, int], ...] = ()
    exclusive: Mapping[str, int] = {}
    output: tuple[str, ...] | None = None
    outcomes: tuple[object, ...] | None = None
    lines: Mapping[str, int] = {}


class Scenario(NamedTuple):
    """One case of a scenario file."""

    name: str
    path: str
    folder: str
    document: Document
    description: str
    label: str
    start_method: str
    timeout: float
    own_timeout: bool
    timing: str
    params: Mapping[str, Any]
    names: Names
    processes: Mapping[str, Declaration]
    main: Declaration
    outcome: tuple[tuple[str, Condition], ...]
    expectation: Expectation
    declared: frozenset[str]


class Choice(NamedTuple):
    """What the command line or the API settles: it wins over the file."""

    params: Mapping[str, Any] = {}
    start_method: str | None = None
    timeout: float | None = None


def nodes_of(nodes: Sequence[Node]) -> Iterator[Node]:
    """All actions of a block, those inside others too."""
    for node in nodes:
        yield node
        for block in node.blocks:
            yield from nodes_of(block.nodes)


Case = tuple[str, Mapping[str, Any], str | None]  # its label, its params, its start method


def cases(document: Document, choice: Choice) -> list[Case]:
    """Each combination of the matrix."""
    params = {**(document.data.get("params") or {}), **choice.params}
    matrix = document.data.get("matrix") or {}
    axes = {
        key: values
        for key, values in matrix.items()
        if key not in choice.params and not (key == "start_method" and choice.start_method)
    }
    own = choice.start_method or document.data.get("start_method")
    found: list[Case] = []
    for values in product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        label = ", ".join(f"{key}={value}" for key, value in chosen.items())
        method = chosen.pop("start_method", own)
        found.append((label, {**params, **chosen}, method))
    return found
