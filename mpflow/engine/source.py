"""Steps -> Python source: what a process runs, with tracing included.

An action whose primitive and arguments are plain from the text becomes a call of the real
object's own method between the two stores that record it (record.py); any other becomes a call
of `do`, which works them out. Control flow is Python's, and `x` in the scenario is `v_x` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mpflow import registry
from mpflow.engine.record import FIRST, IDLE, STEP, Site
from mpflow.engine.unsaved import Unsaved
from mpflow.kinds import Operation, Structure
from mpflow.naming import constant, hidden, variables
from mpflow.plan import Plan, Program, Step

_BLOCK = 24  # actions that one look at the room left answers for
_VIEWS = "sites, words, stamps, at, limit"


class Source(NamedTuple):
    """The text of a function `body()`, and what belongs to it.

    For each of its lines: the scenario file's line, and the number of its step (-1: of none).
    `shown` has the site of each step whose value is worked out before its action begins.
    `methods` says which method of which primitive each name of one is; `hidden` are the
    variables that begin as what they hide, `outer_x`.
    """

    text: str
    lines: tuple[int, ...]
    steps: tuple[int, ...]
    sites: tuple[Site, ...]
    shown: Mapping[int, int]
    methods: Mapping[str, tuple[str, str]]
    hidden: tuple[str, ...]


def body(plan: Plan, program: Program) -> Source:
    """The function that takes a process through its steps."""
    return _Writer(plan, program).write()


class _Writer:
    """Writes the source of one process, step by step."""

    def __init__(self, plan: Plan, program: Program) -> None:
        self.plan = plan
        self.program = program
        self.types = {
            repr(f"{name}{part}"): (f"{name}{part}", type_name)
            for name, type_name, options in program.primitives
            for part in registry.primitive(type_name).parts(options)
        }
        self.written: list[tuple[str, int, int]] = []  # text, line of the scenario, step
        self.sites: list[Site] = []
        self.shown: dict[int, int] = {}
        self.methods: dict[str, tuple[str, str]] = {}
        self.variables, self.dynamic = variables(plan)
        # Globals are what they hide already; they are globals where not all names are known.
        self.hidden = () if self.dynamic else tuple(hidden(self.variables, program))
        self.slots = {name: slot for slot, name in enumerate(self.variables)}
        self.unsaved = Unsaved(plan.steps)
        self.block: list[tuple[str, Step]] = []  # lines of the block of actions being written
        self.actions = 0  # in that block
        self.depth = 0
        self.empty = False  # a block has just been opened
        self.stale = False  # a loop without any record has gone by: who knows how long it took
        self.parts: list[str] = []  # which part of each open structure is being written

    def write(self) -> Source:
        self._line(0, "def body():")
        if self.dynamic:
            names = ", ".join(f"v_{name}" for name in self.variables)
            if names:
                self._line(1, f"global {names}")
        self._line(1, f"{_VIEWS} = views()")
        for name in self.hidden:
            self._line(1, f"v_{name} = outer_{name}")
        for name, source in self.plan.vars:
            self._line(1, f"v_{name} = {source}")
            self.unsaved.set(name)
        for step in self.plan.steps:
            self._step(step)
        self._end_block()
        self._line(1, "leaving(at, locals())")
        texts, lines, steps = zip(*self.written, strict=True)
        return Source(
            "\n".join(texts),
            lines,
            steps,
            tuple(self.sites),
            self.shown,
            self.methods,
            self.hidden,
        )

    def _line(self, depth: int, text: str, step: Step | None = None) -> None:
        line, number = (step.line, step.number) if step is not None else (0, -1)
        self.written.append(("    " * depth + text, line, number))
        self.empty = False

    def _step(self, step: Step) -> None:
        if step.kind == "do":
            if self.block and step.depth != self.depth:
                self._end_block()
            self.depth = step.depth
            self._do(step)
            return
        self._end_block()
        structure = _structure(step.verb)
        if step.kind == "open":
            self.parts.append("")
            self._enter(step, structure)
            return
        for line in self._saving(self.unsaved.end()):
            self._line(step.depth + 2, line, step)
        if self.empty:
            self._line(step.depth + 2, "pass", step)
        if step.kind == "part":
            self._line(step.depth + 1, structure.parts[step.part].format(**step.arguments), step)
            self.empty = True
            self.parts[-1] = step.part
        else:
            if self.parts.pop() == "finally":
                self._after_return(step)
            self.unsaved.close()
            if structure.loop and not self._recorded_in(step):
                self.stale = True
            self._leave(step, structure)

    # Structures

    def _enter(self, step: Step, structure: Structure) -> None:
        depth, arguments = step.depth + 1, dict(step.arguments)
        if structure.enter:
            self.depth = step.depth
            self._around(step, structure.enter, step.number)
            self._end_block()
        bound: list[tuple[str, str, str]] = []
        for argument in registry.action(step.verb).arguments:
            source = arguments.get(argument.name, "None")
            if argument.form == "variable" and source != "None":
                name = constant(source)
                arguments[argument.name] = f"v_{name}" if name else f"turn_{step.number}"
                bound.append((name or "", source, arguments[argument.name]))
        self.unsaved.open(step)
        for line in structure.opening(arguments, step.number):
            self._line(depth, line, step)
        self.empty = True
        for name, source, target in bound:
            if name:
                self.unsaved.set(name)
            else:
                self._line(depth + 1, f"assign({source}, {target})", step)

    def _leave(self, step: Step, structure: Structure) -> None:
        if structure.leave:
            self._line(step.depth + 1, "finally:", step)
            self.depth = step.depth + 1
            self._around(step, structure.leave, step.opens)
            self._end_block()
            self._after_return(step)

    def _recorded_in(self, step: Step) -> bool:
        """Whether anything is recorded in the block that closes here."""
        inside = self.plan.steps[step.opens + 1 : step.number]
        silent = ("let", "pass", "break", "continue")
        return any(
            _structure(each.verb).enter if each.kind == "open" else each.verb not in silent
            for each in inside
            if each.kind in ("do", "open")
        )

    def _stamp(self) -> list[str]:
        """What comes next did not begin before now."""
        if not self.stale:
            return []
        self.stale = False
        return [f"sites[at] = {IDLE}", "stamps[at] = now()", "at += 1"]

    def _after_return(self, step: Step) -> None:
        """Where a `return` may have come by on its way out, it has done so before these actions."""
        if any(each.then == "return" for each in self.plan.steps[step.opens : step.number]):
            self._line(step.depth + 2, "leaving(at, locals())", step)

    def _around(self, step: Step, verb: str, opened: int) -> None:
        """What a structure does before and behind its blocks: on a primitive, or by itself."""
        known = self._known(step, verb)
        if known is not None:
            self._direct(step, *known, verb, {})
            return
        arguments = _table(step.arguments)
        if verb == _structure(step.verb).enter:
            self._by_do(step, f"held_{opened} = enter({opened}, {arguments})")
        else:
            self._by_do(step, f"leave({opened}, held_{opened})")

    # Actions

    def _do(self, step: Step) -> None:
        if step.verb == "let":
            for line in step.arguments["variables"].split("\n"):
                self.block.append((line, step))
                self.unsaved.set(line.partition(" = ")[0][2:])
            return
        if step.verb != "pass" and step.then in ("", "return"):
            self._recorded(step)
        elif step.verb == "pass":
            self.block.append(("pass", step))
        if step.then == "return":
            self._end_block()
            self._line(step.depth + 1, "leaving(at, locals())", step)
        if step.then:
            self._end_block()
            for line in [*self._saving(self.unsaved.take()), step.then]:
                self._line(step.depth + 1, line, step)

    def _recorded(self, step: Step) -> None:
        known = self._known(step, step.verb)
        into = step.arguments.get("into", "None")
        if known is not None and (into == "None" or constant(into)):
            self._direct(step, *known, step.verb, step.arguments)
            return
        call = f"do({step.number}, {_table(step.arguments)})"
        name = constant(into)
        if into == "None":
            self._by_do(step, call)
        elif name is None:
            self._by_do(step, f"assign({into}, {call})")
        else:
            self._by_do(step, f"v_{name} = {call}")
            self.unsaved.set(name)

    def _known(self, step: Step, verb: str) -> tuple[str, Operation] | None:
        """The primitive and its operation, where the text tells both and no argument but the
        shown one is given. Python code in the process may record while an action goes on."""
        if self.plan.code or not step.operates:
            return None
        subject = step.arguments[step.operates]
        if subject not in self.types:
            return None
        name, type_name = self.types[subject]
        operation = registry.primitive(type_name).operation(verb)
        if operation is None or not operation.method:
            return None
        given = (a for a in operation.arguments if a.name not in ("into", operation.shows))
        if any(step.arguments.get(a.name, repr(a.default)) != repr(a.default) for a in given):
            return None
        return name, operation

    def _direct(
        self,
        step: Step,
        name: str,
        operation: Operation,
        verb: str,
        arguments: Mapping[str, str],
    ) -> None:
        """An operation on a primitive, in place: site, value, the call, result, stamp."""
        into = constant(arguments.get("into", ""))
        call = f"{self._method(name, operation.method)}()"
        saving, first, after, shows = self._saving(self.unsaved.take()), [], [], ""
        result = any(a.name == "into" for a in operation.arguments)
        if operation.shows:
            shows, call = "value", f"{call[:-2]}(x)"
            first = [f"x = {arguments[operation.shows]}", f"words[at] = {_word('x')}"]
        elif result and operation.boolean and not into:
            shows, call = "boolean", f"words[at] = {call}"
        elif result:
            shows, target = "result", f"v_{into}" if into else "x"
            slot = f"slots[{self.slots[into]}] = " if into else ""
            call, after = f"{target} = {call}", [f"{slot}words[at] = {_word(target)}"]
        waits = not any(a.name == "timeout" and a.default is not None for a in operation.arguments)
        site = self._site(waits, verb, name, step.line, shows)
        pause = ["pause()"] if self.program.delays else []
        if first:
            self.shown[step.number] = site
        # Value and variables stand there when the action begins: it may be all that is left of it.
        lines = [
            *self._stamp(),
            *first,
            *saving,
            f"sites[at] = {site}",
            *pause,
            call,
            *pause,
            *after,
            "stamps[at] = now()",
            "at += 1",
        ]
        if self.actions == _BLOCK:
            self._end_block()
        self.block += [(line, step) for line in lines]
        self.actions += 1
        if into:
            self.unsaved.written(into)

    def _by_do(self, step: Step, call: str) -> None:
        """An action that is worked out when it is there."""
        self._end_block()
        depth = step.depth + (2 if step.kind == "close" else 1)
        site = self._site(False, step.verb, None, step.line, _shows(step))
        for line in [*self._stamp(), *self._saving(self.unsaved.take()), f"begin(at, {site})"]:
            self._line(depth, line, step)
        self._line(depth, "try:", step)
        self._line(depth + 1, call, step)
        self._failing(depth, "failed(None, error)", step)
        self._line(depth, "finally:", step)
        self._line(depth + 1, f"{_VIEWS} = views()", step)

    def _failing(self, depth: int, call: str, step: Step) -> None:
        self._line(depth, "except BaseException as error:", step)
        self._line(depth + 1, call, step)
        self._line(depth + 1, "raise", step)

    def _end_block(self) -> None:
        """Write the block of actions that has been gathered."""
        if not self.block:
            return
        step = self.block[-1][1]
        depth = self.depth + 1
        if self.actions:
            self._line(depth, f"if at > limit: {_VIEWS} = more(at)", self.block[0][1])
        self._line(depth, "try:", step)
        for line, each in self.block:
            self._line(depth + 1, line, each)
        self._failing(depth, "at = failed(at, error)", step)
        self.block, self.actions = [], 0

    def _saving(self, names: Sequence[str]) -> list[str]:
        """Variables go to their slots."""
        slots = ((f"v_{name}", self.slots[name]) for name in names)
        return [f"slots[{n}] = {_word(v, f'kept({n}, {v})')}" for v, n in slots]

    def _site(self, waits: bool, action: str, on: str | None, line: int, shows: str) -> int:
        number = FIRST + STEP * len(self.sites) + waits
        self.sites.append(Site(number, action, on, line, shows))
        return number

    def _method(self, primitive: str, method: str) -> str:
        """A name for a primitive's method."""
        base = f"{method}_{''.join(c if c.isalnum() else '_' for c in primitive)}".rstrip("_")
        name, tries = base, 1
        while self.methods.get(name, (primitive, method)) != (primitive, method):
            tries += 1
            name = f"{base}_{tries}"
        self.methods[name] = primitive, method
        return name


def _structure(verb: str) -> Structure:
    structure = registry.action(verb).structure
    assert structure is not None
    return structure


def _shows(step: Step) -> str:
    """What the word of an action of its own holds."""
    if step.operates or step.kind != "do":
        return ""
    return registry.action(step.verb).records


def _table(arguments: Mapping[str, str]) -> str:
    entries = (f"{name!r}: {source}" for name, source in arguments.items() if name != "into")
    return f"{{{', '.join(entries)}}}"


def _word(name: str, other: str = "") -> str:
    """The word for a variable's value: itself, where it is a small integer."""
    other = other or f"word({name})"
    return f"{name} if type({name}) is integer and LEAST < {name} < MOST else {other}"
