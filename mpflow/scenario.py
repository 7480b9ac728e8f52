"""Document -> Scenario: what a file says, with params filled in, expressions compiled, lines kept.

NamedTuples throughout: immutable, and `dataclasses` would cost every command 20 ms to import.
A scenario is one case of its file: params and start method are settled. Whether what it says
makes sense is for meaning.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from os import path as os_path
from typing import Any, NamedTuple

from mpflow import expressions, registry
from mpflow.document import Document, Path
from mpflow.expressions import Compiled, ExpressionError
from mpflow.findings import Findings, leaves
from mpflow.kinds import Argument, Verb
from mpflow.names import RESERVED, Complaint, Declared, Names, replicas
from mpflow.problems import Problem, suggestion

DEFAULT_TIMEOUT = 60.0
MAX_CASES = 1000
LONGEST_TIMEOUT = 10.0**9  # seconds; more than a system call takes


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


def build(
    document: Document,
    choice: Choice,
    case: Case,
    lost: frozenset[str] = frozenset(),
    bodies: dict[Path, tuple[Node, ...]] | None = None,
) -> tuple[Scenario, list[Problem]]:
    """One case of a document that fits the schema, and what is wrong with its expressions.

    `bodies` keeps the actions of each process, which all cases share.
    """
    builder = _Builder(document, case[1], lost, {} if bodies is None else bodies)
    return builder.scenario(choice, case[0], case[2]), builder.findings.problems


class _Builder:
    """Goes through a document once; every fault becomes a Problem and a harmless stand-in."""

    def __init__(
        self,
        document: Document,
        params: Mapping[str, Any],
        lost: frozenset[str],
        bodies: dict[Path, tuple[Node, ...]],
    ) -> None:
        self.document = document
        self.params = params
        self.bodies = bodies
        self.findings = Findings(document, lost)
        self.report = self.findings.report

    def scenario(self, choice: Choice, label: str, start_method: str | None) -> Scenario:
        data = self.document.data
        stem = os_path.splitext(os_path.basename(self.document.path))[0]
        primitives = {
            name: self._primitive(name, declared)
            for name, declared in (data.get("primitives") or {}).items()
        }
        processes = {
            name: self._process(name, declared) for name, declared in data["processes"].items()
        }
        names = Names(primitives, {name: each.replicas for name, each in processes.items()})
        timeout = self._timeout(data.get("timeout", DEFAULT_TIMEOUT))
        return Scenario(
            name=data.get("name", stem),
            path=self.document.path,
            folder=os_path.dirname(os_path.abspath(self.document.path)),
            document=self.document,
            description=data.get("description", ""),
            label=label,
            start_method=start_method or _default_start_method(),
            timeout=choice.timeout or timeout,
            own_timeout="timeout" in data and choice.timeout is None,
            params=self.params,
            names=names,
            processes=processes,
            main=self._main(processes),
            outcome=tuple(
                (key, self.expression(each, ("outcome", key)))
                for key, each in (data.get("outcome") or {}).items()
            ),
            expectation=self._expectation(data.get("expect") or {}, names),
            declared=frozenset(data.get("params") or {}),
        )

    def _timeout(self, data: Any) -> float:
        seconds = self.constant(data, ("timeout",), int | float)
        if seconds is None or 0 < seconds < LONGEST_TIMEOUT:
            return float(seconds or DEFAULT_TIMEOUT)
        message = f"`timeout` is a number of seconds, more than 0, not {seconds!s:.60}"
        self.report("out-of-range", message, ("timeout",))
        return DEFAULT_TIMEOUT

    # What is declared

    def _primitive(self, name: str, data: Any) -> Declared:
        path: Path = ("primitives", name)
        given = {"type": data} if isinstance(data, str) else dict(data)
        primitive = registry.primitive(given["type"])
        options = {
            option.name: self.constant(
                given[option.name], (*path, option.name), _WANTED[option.form]
            )
            if option.name in given
            else option.default
            for option in primitive.options
        }
        for key, message in primitive.check(options):
            self.report("bad-option", message, (*path, key))
            options[key] = next(o.default for o in primitive.options if o.name == key)
        return Declared(name, given["type"], options, self._count(given, path))

    def _count(self, data: Mapping[str, Any], path: Path) -> int | None:
        if "count" not in data:
            return None
        count = self.constant(data["count"], (*path, "count"), int)
        if not isinstance(count, int) or not 0 <= count <= 1000:
            if count is not None:
                message = f"`count` is a whole number from 0 to 1,000, not {count!r:.60}"
                self.report("out-of-range", message, (*path, "count"))
            return 1
        return count

    def _process(self, name: str, data: Mapping[str, Any]) -> Declaration:
        path: Path = ("processes", name)
        if "actions" in data:
            for key in ("args", "kwargs"):
                if key in data:
                    message = f"`{key}` goes with `target` or `class`, not with `actions`"
                    self.report("unknown-key", message, (*path, key), key=True)
        shown = data.get("name")
        return Declaration(
            name=name,
            count=self._count(data, path),
            nodes=self.body(data["actions"], (*path, "actions")) if "actions" in data else None,
            target=data.get("target"),
            class_=data.get("class"),
            args=self.value(data.get("args", []), (*path, "args")),
            kwargs=self.value(data.get("kwargs", {}), (*path, "kwargs")),
            vars=tuple(
                (key, self.value(each, (*path, "vars", key)))
                for key, each in (data.get("vars") or {}).items()
            ),
            system_name=None if shown is None else self.value(shown, (*path, "name")),
            daemon=bool(self.constant(data.get("daemon", False), (*path, "daemon"), bool)),
            path=path,
            line=self.document.key_span(path).line,
        )

    def _main(self, processes: Mapping[str, Declaration]) -> Declaration:
        data = self.document.data
        path: Path = ("main",)
        if data.get("main") is not None:
            nodes = self.body(data["main"], path)
        else:
            if path not in self.bodies:
                self.bodies[path] = self._default_main(processes)
            nodes = self.bodies[path]
        empty = expressions.value([])
        return Declaration(
            name="main",
            count=None,
            nodes=nodes,
            target=None,
            class_=None,
            args=empty,
            kwargs=expressions.value({}),
            vars=(),
            system_name=None,
            daemon=False,
            path=path,
            line=self.document.key_span(path if data.get("main") else ("processes",)).line,
        )

    def _default_main(self, processes: Mapping[str, Declaration]) -> tuple[Node, ...]:
        """Start every process that no other one starts, then join them, in the order declared."""
        started = set(_started(processes.values()))
        left_out = {*started, *RESERVED}
        own = [each for each in processes.values() if each.name not in left_out]
        return tuple(
            Node(
                verb,
                {**_defaults(registry.verbs()[verb]), "process": expressions.value(each.name)},
                (),
                each.path,
                each.line,
                {"process": each.path},
                {"process": each.name},
            )
            for verb in ("start", "join")
            for each in own
        )

    # Actions

    def body(self, data: Sequence[Any], path: Path) -> tuple[Node, ...]:
        """All that a process does; it is the same in every case."""
        if path not in self.bodies:
            self.bodies[path] = self.block(data, path)
        return self.bodies[path]

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
            return self.expression(data, path).compiled
        if argument.form == "assignments":
            return self._assignments(data, path)
        if argument.form == "times" and data == "forever":
            return expressions.value(None)
        return self.value(data, path)

    def _assignments(self, data: Mapping[str, Any], path: Path) -> Compiled:
        """`let`: each variable is set before the next value is worked out."""
        parts = [(key, self.value(each, (*path, key))) for key, each in data.items()]
        entries = (f"{key!r}: bind(v, {key!r}, {each.source})" for key, each in parts)
        return Compiled(
            source=f"{{{', '.join(entries)}}}",
            names=frozenset().union(*(each.names for _, each in parts)),
            attributes=tuple(pair for _, each in parts for pair in each.attributes),
            functions=frozenset().union(*(each.functions for _, each in parts)),
            constant=False,
            bare=frozenset().union(*(each.bare for _, each in parts)),
        )

    # What is expected

    def _expectation(self, data: Mapping[str, Any], names: Names) -> Expectation:
        lines = {key: self.document.key_span(("expect", key)).line for key in data}
        conditions = {
            key: tuple(
                self.expression(each, ("expect", key, i))
                for i, each in enumerate(data.get(key, ()))
            )
            for key in ("always", "never", "sometimes")
        }
        exclusive = {
            str(section): self.constant(most, ("expect", "exclusive", section), int) or 0
            for section, most in data.get("exclusive", {}).items()
        }
        return Expectation(
            deadlock=data.get("deadlock", "never"),
            timeout=data.get("timeout", "never"),
            exitcodes=self._by_process(data, "exitcode", names),
            errors=self._by_process(data, "error", names),
            order=tuple(
                (str(a), str(b), self.document.span(("expect", "order", i)).line)
                for i, (a, b) in enumerate(data.get("order", ()))
            ),
            exclusive=exclusive,
            output=self._output(data.get("output")),
            outcomes=self._outcomes(data.get("outcomes")),
            lines=lines,
            **conditions,
        )

    def _by_process(
        self, data: Mapping[str, Any], key: str, names: Names
    ) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        for name, allowed in data.get(key, {}).items():
            path: Path = ("expect", key, name)
            listed = self.constant(allowed, path, object)
            values = tuple(listed) if isinstance(listed, list) else (listed,)
            who: Any = ("main",) if name == "main" else names.process(name)
            if isinstance(who, Complaint):
                self.findings.complain(who, path, key=True)
                continue
            found.update(dict.fromkeys(who, values))
        return found

    def _output(self, data: Sequence[Any] | None) -> tuple[str, ...] | None:
        if data is None:
            return None
        filled = (
            self.constant(each, ("expect", "output", i), object) for i, each in enumerate(data)
        )
        return tuple(line for each in filled for line in str(each).split("\n"))

    def _outcomes(self, data: Sequence[Any] | None) -> tuple[object, ...] | None:
        if data is None:
            return None
        return tuple(
            self.constant(each, ("expect", "outcomes", i), object) for i, each in enumerate(data)
        )

    # Expressions

    def value(self, data: Any, path: Path) -> Compiled:
        """Data with templates in it; each faulty template is a Problem at its own place."""
        try:
            return expressions.value(data)
        except ExpressionError as error:
            self._faultyleaves(data, path, error)
            return expressions.value(None)

    def _faultyleaves(self, data: Any, path: Path, error: ExpressionError) -> None:
        said = len(self.findings.problems)
        for leaf, at, key in leaves(data, path):
            try:
                expressions.template(leaf)
            except ExpressionError as fault:
                self._expression_problem(fault, at, key)
        if len(self.findings.problems) == said:
            self._expression_problem(error, path, False)

    def expression(self, data: Any, path: Path) -> Condition:
        """A whole expression: a condition, an outcome, an expectation."""
        line = self.document.span(path).line
        try:
            return Condition(str(data), _condition(data), path, line)
        except ExpressionError as error:
            self._expression_problem(error, path, False)
            return Condition(str(data), expressions.value(None), path, line)

    def _expression_problem(self, error: ExpressionError, path: Path, key: bool) -> None:
        place = self.document.key_span(path)
        if not key:
            place = self.document.within(path, error.start, error.end)
        self.report(error.code, error.message, place, error.hint)

    def constant(self, data: Any, path: Path, wanted: Any) -> Any:
        """A value that params alone decide; None, and a Problem, when it cannot be had."""
        compiled = self.value(data, path)
        unknown = sorted(compiled.names - self.params.keys())
        if unknown:
            message = f"`{unknown[0]}` is not a param; only params can be used here"
            place, hint = self.findings.place_of(unknown[0], path), ""
            if self.params:
                hint = suggestion(unknown[0], self.params)
            self.report("undefined-variable", message, place, hint, about=unknown[0])
            return None
        try:
            found = expressions.evaluate(compiled, self.params)
        except Exception as error:
            self.report("bad-value", f"{type(error).__name__}: {error}", path)
            return None
        if not isinstance(found, wanted) or (isinstance(found, bool) and wanted in _NUMBERS):
            words = _WANTED_WORDS.get(wanted, "something else")
            message = f"`{path[-1]}` is {words}; this is {found!r:.60}"
            self.report("wrong-type", message, path)
            return None
        return found


def _condition(data: Any) -> Compiled:
    """A condition needs no `$`; one around all of it does no harm."""
    if isinstance(data, str) and _WHOLE.fullmatch(data):
        try:
            return expressions.condition(data[1:])
        except ExpressionError as error:
            error.start, error.end = error.start + 1, error.end + 1
            raise
    return expressions.condition(data)


_WHOLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\(.*\))", re.DOTALL)
_NUMBERS: tuple[Any, ...] = (int, float | int, int | float)
_WANTED_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    int | float: "a number",
    bool: "true or false",
    list: "a list",
    str: "a text",
}
_WANTED: Mapping[str, Any] = {
    "integer": int,
    "number": int | float,
    "seconds": int | float,
    "boolean": bool,
    "list": list,
    "value": object,
    "text": str,
}


def _default_start_method() -> str:
    """Python's own default; asking multiprocessing would fix it for the whole process."""
    if sys.platform in ("win32", "darwin"):
        return "spawn"
    return "forkserver" if sys.version_info >= (3, 14) else "fork"


def _defaults(verb: Verb) -> dict[str, Compiled]:
    return {a.name: expressions.value(a.default) for a in verb.arguments}


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


def nodes_of(nodes: Sequence[Node]) -> Iterator[Node]:
    """All actions of a block, those inside others too."""
    for node in nodes:
        yield node
        for block in node.blocks:
            yield from nodes_of(block.nodes)


def _started(processes: Any) -> Iterator[str]:
    """The declared names that processes other than main start, as far as the text shows."""
    for process in processes:
        for node in nodes_of(process.nodes or ()):
            if node.verb == "start" and node.arguments["process"].constant:
                found = expressions.evaluate(node.arguments["process"], {})
                for name in found if isinstance(found, list) else [found]:
                    yield str(name).partition("[")[0]
