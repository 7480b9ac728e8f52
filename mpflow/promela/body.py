"""One process of a Scenario goes in, the lines of its proctype come out.

Here: the process as a whole, and its blocks. control.py and loops.py have the structures,
leaving.py the ways out of them, operations.py and children.py what is done to primitives and
processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpflow.problems import Problem
from mpflow.promela.facts import Facts
from mpflow.promela.frames import Flow, Frame
from mpflow.promela.lines import Lines
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target
from mpflow.promela.terms import Terms
from mpflow.promela.values import OPAQUE, UNKNOWN, Self, Texts
from mpflow.promela.variables import find_kinds, names, sets
from mpflow.scenario import Declaration, Node, Scenario, nodes_of

_ROUNDS = 5  # through all actions, to find the kinds of variables that depend on others


class Identity(NamedTuple):
    """Which process of the scenario it is: its name, its number, its index among replicas."""

    name: str
    number: int
    replica: int | None

    @property
    def code(self) -> str:
        """Its name in the model."""
        return "p_" + self.name.replace("[", "_").replace("]", "")


class World(NamedTuple):
    """What all processes of a model share while they are written."""

    scenario: Scenario
    identities: Mapping[str, Identity]
    facts: Facts  # of the pass before
    noted: Facts  # of this one
    texts: Texts
    write: Callable[[Body, Node], None]  # an action
    end: Callable[[Body], None]  # the end of a process, behind its last action


Operations = Mapping[str, Callable[["Body", Node, Target], None]]  # of one verb, by type


class Body:
    """Writes one process."""

    def __init__(self, world: World, declaration: Declaration, identity: Identity) -> None:
        self.world = world
        self.declaration = declaration
        self.identity = identity
        self.lines = Lines()
        self.problems: list[Problem] = []
        self.frames: tuple[Frame, ...] = ()
        self.flow = Flow(frozenset(), Counter())
        self.children: list[str] = []  # started so far
        self.times: float = 1  # how often what is being written is done, at most
        self.depth = 0  # of structures around it
        self.labels = 0
        self.counters: list[str] = []  # of loops
        self.first: dict[str, Any] = {}  # what variables are at first
        scope: dict[str, Any] = {**world.scenario.params, "self": Self(self._system_name())}
        if identity.replica is not None:
            scope["index"] = identity.replica
        self.terms = Terms(scope, {}, world.texts)
        self.scope = scope

    @property
    def number(self) -> int:
        """The process's number in the model."""
        return self.identity.number

    def write(self) -> None:
        """Write all of it; what cannot be said is in `problems` afterwards."""
        declaration = self.declaration
        try:
            self._whole()
            self._variables()
        except Refusal as refusal:
            document = self.world.scenario.document
            self.problems.append(refusal.problem(document, declaration.path))
            return
        self.block(declaration.nodes or ())
        if self.flow.alive:
            self.world.end(self)
        self.lines.flush()

    def declarations(self) -> Iterator[str]:
        """Its variables, with what they are at first."""
        first = {key: each for key, each in self.first.items() if self.terms.kinds.get(key)}
        for name, kind in sorted(self.terms.kinds.items()):
            if kind not in OPAQUE and name not in self.scope:
                code = self.terms.scalar(repr(first[name])).code if name in first else "0"
                yield f"int v_{name} = {code};"
        yield from (f"int {name};" for name in self.counters)

    # The process as a whole

    def _system_name(self) -> str:
        return "MainProcess" if self.identity.name == "main" else self.identity.name

    def _whole(self) -> None:
        if self.declaration.python is not None:
            raise Refusal("Python code cannot be exported", "write it as `actions`")
        if self.declaration.daemon:
            message = "a daemon may be killed at any step, when main ends"
            raise Refusal(message, "leave out `daemon: true`, and let it end by itself")
        if self.declaration.system_name is not None:
            shown = self.terms.of(self.declaration.system_name.source).known
            self.scope["self"] = Self(str(shown))

    def _variables(self) -> None:
        """What `vars` say, and the kinds of all variables. One that no action sets is known."""
        nodes = list(nodes_of(self.declaration.nodes or ()))
        kinds = {name: "" for node in nodes if node.verb != "for" for name in sets(node)}
        for name, compiled in self.declaration.vars:
            scope = {**self.scope, **self.first}
            term = Terms(scope, {}, self.world.texts).of(compiled.source)
            if term.known is UNKNOWN:
                raise Refusal(f"only the run can tell what `{name}` is at first")
            self.first[name] = term.known
            if name in kinds:
                kinds[name] = term.kind
            else:
                self.scope[name] = term.known
        hidden = sorted(kinds.keys() & self.scope.keys())
        if hidden:
            message = f"the variable `{hidden[0]}` hides what has the same name"
            raise Refusal(message, "give the variable another name")
        find_kinds(nodes, kinds, self.terms)
        self.flow = Flow(frozenset(self.first), Counter())

    # Blocks and actions

    def block(self, nodes: Sequence[Node]) -> None:
        """A list of actions, up to one that leaves it."""
        for node in nodes:
            if not self.flow.alive:
                return
            self.terms.set = self.flow.set
            try:
                self.world.write(self, node)
            except Refusal as refusal:
                self.problems.append(refusal.at(self.world.scenario.document, node))
                self.assign(*sets(node))

    def inside(self, nodes: Sequence[Node], *frames: Frame, times: float = 1) -> None:
        """A block inside a structure, one level deeper."""
        before = self.frames, self.times, self.depth
        self.frames, self.times, self.depth = (
            (*before[0], *frames),
            before[1] * times,
            before[2] + 1,
        )
        self.block(nodes)
        self.frames, self.times, self.depth = before

    def branch(self, opening: str, write: Callable[[], None]) -> None:
        """A branch of an `if` or `do`: how it begins, and then what `write` writes."""
        lines = self.lines
        lines.line(f"{opening};")
        begun = len(lines.written)
        lines.depth += 1
        write()
        lines.flush()
        lines.depth -= 1
        if len(lines.written) > begun:
            lines.written[begun - 1] = lines.depth, f"{opening} ->"

    def need(self, *terms: Any) -> None:
        """Assert what the model takes for granted from here on: it says no more where it fails."""
        for each in dict.fromkeys(need for term in terms for need in term.needs):
            self.lines.line(f"assert({each});\t/* the model says no more where this fails */")

    def assign(self, *variables: str) -> None:
        """From here on these variables are set; a lock that is named by them is another."""
        held = Counter({k: n for k, n in self.flow.held.items() if not names(k, variables)})
        self.flow = self.flow._replace(set=self.flow.set | set(variables), held=held)
        self.terms.set = self.flow.set

    def into(self, node: Node) -> str:
        """The variable that an action's result goes into: its code, or nothing."""
        name = node.written.get("into")
        if name is None:
            return ""
        self.assign(name)
        return f"v_{name}"

    def label(self, stem: str) -> str:
        """A new label."""
        self.labels += 1
        return f"{stem}_{self.labels}"

    def note(self, node: Node, shown: str = "") -> str:
        """What an action is, for a comment."""
        return f"line {node.line}: {node.verb} {shown}".rstrip()

    @property
    def name(self) -> str:
        """The process's name in the scenario."""
        return self.identity.name


def waits(body: Body, node: Node) -> bool:
    """Whether an action waits as long as it takes. A time may be over whenever the action cannot
    go on, so to wait for some time and not to wait at all come to the same."""
    given = {}
    for name in ("block", "timeout"):
        if name in node.arguments:
            given[name] = body.terms.of(node.arguments[name].source).known
            if given[name] is UNKNOWN:
                raise Refusal("only the run can tell whether this waits", "", name)
    return bool(given.get("block", True)) and given.get("timeout") is None
