"""Plan -> a generator that asks for each action instead of taking it.

Who drives it says how each action came out, by send() or throw(), one Ask for each event of a
trace: verify answers with what a trace says, a simulation with what its model says. Nothing is
imported, called or opened here, whatever the plan names. Arguments are worked out by the same
sources as in a run, and control flow is Python's (engine/source.py is the form that acts).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from itertools import count
from types import CodeType, GeneratorType
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.evaluation import NAMESPACE, PREFIX
from mpflow.exceptions import caught
from mpflow.kinds import Structure
from mpflow.naming import (
    Error,
    constant,
    handed,
    hidden,
    meant,
    names_of,
    plans_of,
    replicas,
    variables,
)
from mpflow.plan import Plan, Program, Step

_CERTAIN = ("raise", "exit", "assert")  # what comes of them, their arguments tell


class Ask(NamedTuple):
    """An action about to be taken. `type` is that of the primitive it is on, or `process`.

    `shows` says that the trace has `value`. `raises` is the exception that will come, whatever
    the answer: an argument that cannot be worked out (`arguments` is None then), a `raise`.
    """

    verb: str
    line: int
    on: Any = None
    type: str = ""
    value: Any = None
    shows: bool = False
    arguments: Mapping[str, Any] | None = {}
    phase: str = ""
    raises: BaseException | None = None


Asking = Generator[Ask, Any, Any]


class Lost(BaseException):
    """Where a process goes from here cannot be known. No handler of a scenario catches it."""


class Walk:
    """One process on its way: `asks` is the generator.

    `names` is what self, and in main the other processes, mean; `words` replaces functions of
    the source: `caught`, `turn` (called in each turn of a loop and for each `let`), `each` (a
    list to be gone through), those of expressions.
    """

    def __init__(
        self,
        plan: Plan,
        program: Program,
        names: Mapping[str, object],
        words: Mapping[str, object],
    ) -> None:
        self.plan = plan
        self.program = program
        self.slots, self.dynamic = variables(plan)
        self.handed = handed(program, plan.name)
        self.started: list[str] = []
        self.kept: dict[str, Any] | None = None
        self.space = self._space(names, words)
        exec(_compiled(plan, program), self.space)
        self.asks: GeneratorType[Ask, Any, Any] = self.space["body"]()

    def _space(self, names: Mapping[str, object], words: Mapping[str, object]) -> dict[str, Any]:
        program, plan = self.program, self.plan
        outer = {"error": Error(), **program.params, **names}
        if plan.replica is not None:
            outer["index"] = plan.replica
        return {
            **NAMESPACE,
            **{name: getattr(self, name) for name in ("do", "enter", "leave", "fail", "assign")},
            "BaseException": BaseException,
            "locals": locals,
            "leaving": self.leaving,
            "again": self.again,
            "times": lambda times: count() if times is None else range(times),
            "scaled": self._scaled,
            "caught": caught,
            "alive": _alive,
            "turn": lambda: None,
            "each": lambda items: items,
            "identical": lambda one, other: one is other,
            **words,
            **{f"{PREFIX}{name}": each for name, each in outer.items()},
            **{f"outer_{name}": outer.get(name) for name in hidden(self.slots, program)},
        }

    def variables(self) -> dict[str, Any]:
        """The variables by name: at its end, or where it stands just now."""
        if self.kept is not None:
            return self.kept
        frame = self.asks.gi_frame
        return {} if frame is None else self._kept(frame.f_locals)

    def left(self, error: BaseException) -> None:
        """It has ended by an exception: its variables are those of the frame it came through."""
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_name == "body":
                self.leaving(traceback.tb_frame.f_locals)
                return
            traceback = traceback.tb_next

    def abandon(self) -> None:
        """Go no further; no action is asked for on the way out."""
        self.kept = self.variables()
        if self.asks.gi_frame is not None:
            try:
                self.asks.throw(Lost())
            except BaseException:
                return

    # What the source calls

    def do(self, number: int, arguments: Mapping[str, Any]) -> Asking:
        """Take a step's action."""
        _alive()
        step = self.plan.steps[number]
        return self._operations(step, arguments) if step.operates else _own(step, arguments)

    def enter(self, number: int, arguments: Mapping[str, Any]) -> Asking:
        """Begin a `with` or a `section`; gives what `leave` is to undo."""
        _alive()
        step = self.plan.steps[number]
        if step.verb == "section":
            return _section(step, arguments["name"], "enter")
        return self._acquire(step, arguments)

    def leave(self, number: int, entered: Any) -> Asking:
        """End a `with` or a `section`."""
        _alive()
        step = self.plan.steps[number]
        if step.verb == "section":
            return _section(step, entered, "leave")
        name, type_name = entered
        return _operation(step, "release", name, type_name, {})

    def fail(self, number: int, error: BaseException) -> Asking:
        """An action whose arguments could not be worked out."""
        _alive()
        step = self.plan.steps[number]
        on = step.arguments.get(step.operates)
        static = on[1:-1] if on and f"{on[1:-1]!r}" == on and step.kind != "open" else None
        return _failing(step, static, error)

    def assign(self, name: str, value: object) -> None:
        """Set a variable whose name the run decides."""
        self.space[f"{PREFIX}{name}"] = value
        if name not in self.slots:
            self.slots = (*self.slots, name)

    def leaving(self, names: Mapping[str, Any]) -> None:
        """The source has come to its end, or goes no further: its variables are kept."""
        self.kept = self._kept(names)

    def again(self, names: Mapping[str, Any]) -> None:
        """A finally block is done: if this is the way out by a return, it may have set some."""
        if self.kept is not None:
            self.leaving(names)

    def _kept(self, names: Mapping[str, Any]) -> dict[str, Any]:
        found = self.space if self.dynamic else names
        keys = ((name, f"{PREFIX}{name}") for name in self.slots)
        return {name: found[key] for name, key in keys if key in found}

    def _scaled(self, seconds: Any) -> Any:
        if self.program.time_scale == 1 or isinstance(seconds, bool):
            return seconds
        return seconds * self.program.time_scale if isinstance(seconds, int | float) else seconds

    # Operations on primitives and processes

    def _operations(self, step: Step, arguments: Mapping[str, Any]) -> Asking:
        try:
            targets = list(self._targets(step, step.verb, arguments))
        except Exception as error:
            yield from _failing(step, None, error)
        results = []
        for name, type_name in targets:
            results.append((yield from _operation(step, step.verb, name, type_name, arguments)))
            if step.verb == "start" and name not in self.started:
                self.started.append(name)
        if step.verb == "join":
            return all(results)
        return results[0] if len(results) == 1 else results

    def _acquire(self, step: Step, arguments: Mapping[str, Any]) -> Asking:
        try:
            ((name, type_name),) = self._targets(step, "acquire", arguments)
        except Exception as error:
            yield from _failing(step, None, error)
        given = {**arguments, "block": True, "timeout": None}
        yield from _operation(step, "acquire", name, type_name, given)
        return name, type_name

    def _targets(
        self, step: Step, verb: str, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        """Each name that an action is on, and its type, as this process knows it."""
        for name in names_of(step, arguments):
            processes = partial(self._processes, name, verb)
            yield from meant(step.verb, verb, name, self.handed.get(name), processes)

    def _processes(self, name: str, verb: str) -> list[str] | None:
        """The replicas that a name means here; `all` are those that were, or may be, started."""
        if name == "all" and verb != "start":
            return list(self.started)
        plans = plans_of(self.program, self.plan.name)
        return replicas(self.program, plans, self.plan.name, name, verb)


def _operation(
    step: Step, verb: str, name: str, type_name: str, arguments: Mapping[str, Any]
) -> Asking:
    operation = registry.primitive(type_name).operation(verb)
    assert operation is not None
    value = arguments[operation.shows] if operation.shows else None
    shows = operation.shows is not None
    return (yield Ask(verb, step.line, name, type_name, value, shows, arguments))


def _own(step: Step, arguments: Mapping[str, Any]) -> Asking:
    """An action that is no primitive's."""
    action = registry.action(step.verb)
    on = arguments[action.names] if action.names else None
    value = arguments[action.shows] if action.shows else None
    error = None
    if step.verb in _CERTAIN and action.real is not None:
        given = [arguments[a.name] for a in action.arguments if a.name != "into"]
        error = _raised(action.real, given)
    shows = action.shows is not None
    answer = yield Ask(step.verb, step.line, on, "", value, shows, arguments, "", error)
    if error is not None:
        raise error
    return answer


def _raised(real: Callable[..., object], given: list[Any]) -> BaseException | None:
    """What an action raises that does nothing else; None too where that cannot be known."""
    try:
        real(None, *given)
    except Lost:
        return None
    except BaseException as error:
        return own_kind(error)
    return None


def own_kind(error: BaseException) -> BaseException:
    """An exception that can pass through generators: what means something else to them, or to
    who drives them, goes by the same name only."""
    kind = type(error)
    if isinstance(error, StopIteration | GeneratorExit):
        kind = type(kind.__name__, (Exception,), {})
    elif isinstance(error, KeyboardInterrupt):
        kind = type(kind.__name__, (KeyboardInterrupt,), {})
    return error if kind is type(error) else kind(*error.args)


def _section(step: Step, name: Any, phase: str) -> Asking:
    yield Ask("section", step.line, name, phase=phase)
    return name


def _failing(step: Step, on: str | None, error: BaseException) -> Asking:
    error = own_kind(error)
    yield Ask(step.verb, step.line, on, arguments=None, raises=error)
    raise error


def _alive() -> None:
    """Lost is never held up: nothing is asked for on its way, nothing swallows it."""
    error, seen = sys.exc_info()[1], 0
    while error is not None and seen < 1000:
        if isinstance(error, Lost):
            raise error
        error, seen = error.__context__, seen + 1


# The source


def source(plan: Plan, program: Program) -> str:
    """The text of the generator function `body`."""
    return "\n".join(_Writer(plan, program).lines())


def _compiled(plan: Plan, program: Program) -> CodeType:
    """`is` becomes a call: a value that is not known must have its say."""
    tree = _Identity().visit(ast.parse(source(plan, program)))
    return compile(ast.fix_missing_locations(tree), f"<mpflow {plan.name}>", "exec")


class _Identity(ast.NodeTransformer):
    """`a is b` -> `identical(a, b)`."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node
        name = ast.Name("identical", ast.Load())
        call = ast.Call(name, [node.left, node.comparators[0]], [])
        return call if isinstance(node.ops[0], ast.Is) else ast.UnaryOp(ast.Not(), call)


class _Writer:
    """Writes the source of one process, step by step."""

    def __init__(self, plan: Plan, program: Program) -> None:
        self.plan = plan
        self.names, self.dynamic = variables(plan)
        self.hidden = () if self.dynamic else hidden(self.names, program)

    def lines(self) -> Iterator[str]:
        yield "def body():"
        if self.dynamic and self.names:
            yield f"    global {', '.join(f'v_{name}' for name in self.names)}"
        yield "    if 0: yield"
        yield from (f"    v_{name} = outer_{name}" for name in self.hidden)
        yield from (f"    v_{name} = {source}" for name, source in self.plan.vars)
        finals = {step.opens for step in self.plan.steps if step.part == "finally"}
        for step in self.plan.steps:
            write = {"do": _do, "open": _open, "part": _part, "close": _close}[step.kind]
            yield from write(step)
            if step.kind == "close" and step.opens in finals:
                yield f"{'    ' * (step.depth + 2)}again(locals())"
        yield "    leaving(locals())"


def _do(step: Step) -> Iterator[str]:
    indent = "    " * (step.depth + 1)
    if step.verb == "let":
        sets = step.arguments["variables"].split("\n")
        yield from _trying(indent, ["turn()", *sets], f"yield from fail({step.number}, error)")
    elif step.verb == "pass":
        yield f"{indent}pass"
    elif step.then in ("", "return"):
        yield from _acting(indent, step, f"do({step.number}, {_table(step)})")
    if step.then == "return":
        yield f"{indent}leaving(locals())"
    if step.then:
        yield from (f"{indent}alive()", f"{indent}{step.then}")


def _acting(indent: str, step: Step, call: str) -> Iterator[str]:
    """One action; its result goes where `into` says."""
    into = step.arguments.get("into", "None") if step.kind == "do" else "None"
    name = constant(into)
    before = [] if name or into == "None" else [f"into = {into}"]
    failing = f"asked = fail({step.number}, error)"
    yield from _trying(indent, [*before, f"asked = {call}"], failing)
    if before:
        yield f"{indent}assign(into, (yield from asked))"
    else:
        yield f"{indent}{f'v_{name} = ' if name else ''}yield from asked"


def _trying(indent: str, lines: list[str], failing: str) -> Iterator[str]:
    yield f"{indent}try:"
    yield from (f"{indent}    {line}" for line in lines)
    yield f"{indent}except BaseException as error:"
    yield f"{indent}    {failing}"


def _open(step: Step) -> Iterator[str]:
    indent, structure, arguments = "    " * (step.depth + 1), _structure(step), dict(step.arguments)
    if structure.enter:
        yield from _entering(indent, step)
    sets = []
    for argument in registry.action(step.verb).arguments:
        given = arguments.get(argument.name, "None")
        if argument.form == "variable" and given != "None":
            name = constant(given)
            arguments[argument.name] = f"v_{name}" if name else f"turn_{step.number}"
            if not name:
                sets.append(f"{indent}    assign({given}, turn_{step.number})")
        elif argument.form == "list":
            arguments[argument.name] = f"each({given})"
    yield from (f"{indent}{line}" for line in structure.opening(arguments, step.number))
    yield f"{indent}    {'turn()' if structure.loop else 'pass'}"
    yield from sets


def _entering(indent: str, step: Step) -> Iterator[str]:
    call = f"enter({step.number}, {_table(step)})"
    failing = f"asked = fail({step.number}, error)"
    yield from _trying(indent, [f"asked = {call}"], failing)
    yield f"{indent}held_{step.number} = yield from asked"


def _part(step: Step) -> Iterator[str]:
    indent = "    " * (step.depth + 1)
    yield indent + _structure(step).parts[step.part].format(**step.arguments)
    yield f"{indent}    pass"


def _close(step: Step) -> Iterator[str]:
    indent = "    " * (step.depth + 1)
    if _structure(step).leave:
        yield f"{indent}finally:"
        yield f"{indent}    yield from leave({step.opens}, held_{step.opens})"


def _structure(step: Step) -> Structure:
    structure = registry.action(step.verb).structure
    assert structure is not None
    return structure


def _table(step: Step) -> str:
    entries = (f"{name!r}: {each}" for name, each in step.arguments.items() if name != "into")
    return f"{{{', '.join(entries)}}}"
