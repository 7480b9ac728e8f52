"""One process of a Scenario goes in, the lines of its proctype come out.

Here: the process as a whole, its blocks, and what ends it. control.py has the structures,
operations.py and children.py what is done to primitives and processes.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.exceptions import named
from mpflow.problems import Problem
from mpflow.promela.facts import Facts
from mpflow.promela.frames import Finally, Flow, Frame, Handlers, Loop, With
from mpflow.promela.lines import Lines, Step, both
from mpflow.promela.refusal import Refusal
from mpflow.promela.terms import OPAQUE, UNKNOWN, Self, Terms, Texts, joined_kind
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
            self._end(0, last=True)
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
        self._kinds(kinds)
        self.flow = Flow(frozenset(self.first), Counter())

    def _kinds(self, kinds: dict[str, str]) -> None:
        """The kind of each variable: of all that it is ever set to."""
        nodes = list(nodes_of(self.declaration.nodes or ()))
        items = {name: "scalar" for node in nodes if node.verb == "for" for name in sets(node)}
        for _ in range(_ROUNDS):
            known = {name: kind for name, kind in kinds.items() if kind}
            self.terms.kinds, self.terms.set = items | known, items.keys() | known.keys()
            for node in nodes:
                for name, kind in self._given(node):
                    if name in kinds and kind:
                        kinds[name] = joined_kind(kinds[name] or kind, kind)
        self.terms.kinds = {name: kind or "number" for name, kind in kinds.items()}

    def _given(self, node: Node) -> Iterator[tuple[str, str]]:
        """The kinds of what an action sets."""
        if node.verb == "let":
            for name, source in assignments(node):
                yield name, self._kind_of(source)
        elif node.verb == "choose":
            for source in chosen(node):
                yield from ((name, self._kind_of(source)) for name in sets(node))
        else:
            texts = node.verb in ("get", "recv", "exitcode", "active_children")
            yield from ((name, "scalar" if texts else "number") for name in sets(node))

    def _kind_of(self, source: str) -> str:
        try:
            return self.terms.of(source).kind
        except Refusal:
            return ""  # not known yet, or refused where it is written

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

    def attempt(self, step: Step, error: str, note: str = "") -> None:
        """A step, or an exception where it cannot be taken."""
        before = self.flow
        self.lines.line("if" + (f"\t/* {note} */" if note else ""))
        self.lines.line(f":: {step}")
        self.branch(":: else", lambda: self.raise_(error))
        self.lines.line("fi;")
        self.flow = before

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

    # Ways out

    def raise_(self, error: str, code: int = 1) -> None:
        """An exception comes here; `code` is the exit code where nothing catches it."""
        frames = self.frames
        while frames:
            *rest, frame = frames
            frames = tuple(rest)
            if isinstance(frame, Handlers):
                for name, label in frame.labels:
                    if _catches(name, error):
                        self.lines.goto(label)
                        self._leave()
                        return
            else:
                self._pass(frame, frames)
        self._end(code)

    def catches(self, error: str) -> bool:
        """Whether anything around here catches an exception."""
        found = (label for f in self.frames if isinstance(f, Handlers) for label in f.labels)
        return any(_catches(name, error) for name, _ in found)

    def jump(self, continues: bool) -> None:
        """`break` and `continue`."""
        frames = self.frames
        while frames:
            *rest, frame = frames
            frames = tuple(rest)
            if isinstance(frame, Loop):
                self.lines.goto(frame.again if continues else frame.over)
                break
            self._pass(frame, frames)
        self._leave()

    def return_(self) -> None:
        """`return`: the process ends, and all around it is left."""
        frames = self.frames
        while frames:
            *rest, frame = frames
            frames = tuple(rest)
            self._pass(frame, frames)
        self._end(0)

    def die(self, code: int) -> None:
        """The process ends at once, and leaves everything as it is."""
        pairs = (pair for each in self.world.facts.producers.values() for pair in each)
        if any(process == self.name for process, _ in pairs):
            raise Refusal("what it has put may be lost with the process", "end it by `return`")
        if self.children or self.name == "main":
            raise Refusal("nobody waits for its children then", "end it by `return`")
        self.lines.step("", *self._ended(code))
        self.lines.goto("end")
        self._leave()

    def _pass(self, frame: Frame, outer: tuple[Frame, ...]) -> None:
        """Leave a block on the way out."""
        before, flow = self.frames, self.flow
        self.frames = outer
        if isinstance(frame, With):
            frame.release()
        elif isinstance(frame, Finally):
            self.inside(frame.nodes)
        self.frames, self.flow = before, flow

    def _leave(self) -> None:
        self.flow = self.flow._replace(alive=False)

    @property
    def name(self) -> str:
        """The process's name in the scenario."""
        return self.identity.name

    def _ended(self, code: int) -> list[str]:
        effects = [] if self.name == "main" else [f"ended[{self.number}] = 1"]
        return [*effects, f"exitcode[{self.number}] = {code}"] if code else effects

    def _end(self, code: int, last: bool = False) -> None:
        """The process's end: its feeders are done by then, and so are its children. Where nobody
        looks at it without waiting, it comes at once with the last action."""
        guard = both(list(self._before_end()))
        effects = self._ended(code)
        if last and not guard and len(effects) == 1 and self.name not in self.world.facts.timed:
            if not self.lines.append(effects[0]):
                self.lines.step("", *effects)
        elif guard or effects:
            self.lines.step(guard and f"({guard})", *effects, note="the process ends")
        if not last:
            self.lines.goto("end")
        self._leave()

    def _before_end(self) -> Iterator[str]:
        for name, pairs in self.world.facts.producers.items():
            for number, (process, _) in enumerate(pairs):
                if process == self.name:
                    yield f"len(buffer_{name}[{number}]) == 0"
        if self.name != "main":  # nobody waits for main's end
            yield from (f"ended[{self.world.identities[c].number}]" for c in self.children)


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


def _catches(handler: str, error: str) -> bool:
    return issubclass(named(error), named(handler))


def names(code: str, variables: Collection[str]) -> bool:
    """Whether the code of a lock has one of these variables in it."""
    return any(f"v_{each}" in code for each in variables)
