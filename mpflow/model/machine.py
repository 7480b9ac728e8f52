"""Plan -> Machine: what a process does between its actions, as a function from state to state.

A state is a place in the process's instructions and the numbers of its variables' values: small,
hashable, and all that its future depends on. Python's control flow is told as a table: a region
of instructions has an entry for what leaves it by an exception, or on any way (finally).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mpflow.evaluation import NAMESPACE, PREFIX
from mpflow.model.instructions import Instruction, Writer
from mpflow.model.values import Failure, Values
from mpflow.plan import Plan, Step

UNSET = 0  # the number of no value at all: a variable that was never set


LONG = 100  # instructions, or actions, of a process's own without a step: then there is a pause
_STOPS = frozenset(("do", "enter", "leave"))  # the instructions that are actions
_SETS = frozenset(("let", "turn"))  # those that set a variable


class State(NamedTuple):
    """Where a process is between two steps: the place of an instruction, and its slots."""

    at: int
    slots: tuple[int, ...]


class Done(NamedTuple):
    """How a process's actions have come to their end: normally, or by a failure."""

    slots: tuple[int, ...]
    failure: Failure | None


class Ask(NamedTuple):
    """An action to be taken: its arguments by name, or the failure that there is instead."""

    step: Step
    phase: str  # "", or "enter" and "leave" of a with or a section
    arguments: Mapping[str, Any]
    failure: Failure | None = None


class Machine:
    """The control flow of one process.

    `scope` has what names mean besides its own variables; `values` numbers values. `careful`: it
    may be killed, and its variables are asked for then: setting some is an action, too. `asking`:
    the functions that ask clock and machine; `unseen`: those of a text that nobody looks at.
    """

    def __init__(
        self,
        plan: Plan,
        scope: Mapping[str, object],
        values: Values,
        careful: bool = False,
        asking: Mapping[str, object] = {},
        unseen: Mapping[str, object] = {},
    ) -> None:
        self.plan = plan
        self.stops = _STOPS | _SETS if careful else _STOPS
        self.values = values
        self.space = {**NAMESPACE, "scaled": lambda seconds: seconds, **asking}
        self.space.update(_prefixed(scope))
        self.unseen = unseen
        self.compiled: dict[str, Any] = {}
        self.faults: list[tuple[Step, Failure]] = []  # of `let`s on the way: a trace has these
        writer = Writer(plan)
        self.code = writer.code
        self.regions = writer.regions
        self.names = writer.names  # of the variables; hidden slots follow
        self.errors = writer.errors  # for each instruction, the slots that may hold `error`
        self.first = State(0, (UNSET,) * writer.slots)

    def start(self) -> State | Done:
        """The state before the first action."""
        slots = list(self.first.slots)
        for name, source in self.plan.vars:
            slots[self.names[name]] = self.values.number(self._evaluate(source, 0, slots))
        return self._run(State(0, tuple(slots)))

    def ask(self, state: State) -> Ask:
        """The action at which a state stands."""
        instruction = self.code[state.at]
        step = instruction.step
        assert step is not None
        if instruction.what == "leave":
            return Ask(step, "leave", {"on": self.values.value(state.slots[instruction.slot])})
        phase = "enter" if instruction.what == "enter" else ""
        arguments: dict[str, Any] = {}
        if instruction.what in _SETS:
            return Ask(step, "let", arguments)
        try:
            for name, source in step.arguments.items():
                arguments[name] = self._evaluate(source, state.at, state.slots)
        except Exception as error:
            return Ask(step, phase, arguments, Failure.of(error))
        return Ask(step, phase, arguments)

    def after(self, state: State, ask: Ask, result: object) -> State | Done:
        """The state at the next action, when this one gave a result."""
        instruction = self.code[state.at]
        slots = list(state.slots)
        if instruction.what == "enter":
            slots[instruction.slot] = self.values.number(result)
        elif instruction.what == "do" and ask.arguments.get("into") is not None:
            name = ask.arguments["into"]
            if name not in self.names:
                raise KeyError(name)
            slots[self.names[name]] = self.values.number(result)
        elif instruction.what == "leave":
            slots[instruction.slot] = UNSET
        elif instruction.what in _SETS:
            return self._run(getattr(self, f"_{instruction.what}")(instruction, state))
        if instruction.what == "do" and ask.step.then:
            return self._leave(state.at, tuple(slots), ("return",))
        return self._run(State(state.at + 1, tuple(slots)))

    def failed(self, state: State, failure: Failure) -> State | Done:
        """The state at the next action, when this one failed."""
        return self._leave(state.at, state.slots, ("raise", failure))

    def variables(self, slots: tuple[int, ...]) -> dict[str, Any]:
        """The variables that have been set, by name."""
        found = ((name, slots[place]) for name, place in self.names.items())
        return {name: self.values.value(each) for name, each in found if each != UNSET}

    # Instructions that are no actions

    def acts(self, state: State) -> bool:
        """Whether a state stands at an action; else it is in the midst of a long loop."""
        return self.code[state.at].what in self.stops

    def on(self, state: State) -> State | Done:
        """From the midst of a long loop further on."""
        return self._run(state)

    def _run(self, state: State | Done) -> State | Done:
        for _ in range(LONG):
            if not isinstance(state, State):
                break
            instruction = self.code[state.at]
            if instruction.what in self.stops:
                break
            state = getattr(self, f"_{instruction.what}")(instruction, state)
        return state

    def _end(self, instruction: Instruction, state: State) -> Done:
        return Done(state.slots, None)

    def _jump(self, instruction: Instruction, state: State) -> State | Done:
        return self._leave(state.at, state.slots, ("jump", instruction.to), run=False)

    def _goto(self, instruction: Instruction, state: State) -> State:
        return state._replace(at=instruction.to)

    def _let(self, instruction: Instruction, state: State) -> State | Done:
        slots = list(state.slots)
        try:
            name, _, source = instruction.source.partition(" = ")
            value = self._evaluate(source, state.at, slots)
            slots[self.names[name.removeprefix(PREFIX)]] = self.values.number(value)
        except Exception as error:
            failure = Failure.of(error)
            assert instruction.step is not None
            self.faults.append((instruction.step, failure))
            return self._leave(state.at, tuple(slots), ("raise", failure), run=False)
        return State(state.at + 1, tuple(slots))

    def _test(self, instruction: Instruction, state: State) -> State | Done:
        try:
            holds = self._evaluate(instruction.source, state.at, state.slots)
        except Exception as error:
            return self._leave(state.at, state.slots, ("raise", Failure.of(error)), run=False)
        return state._replace(at=state.at + 1 if holds else instruction.to)

    def _begin(self, instruction: Instruction, state: State) -> State | Done:
        """A loop's items are worked out once: a list, or how many turns (None: for ever)."""
        try:
            items = self._evaluate(instruction.source, state.at, state.slots)
            if instruction.step is not None and instruction.step.verb == "for":
                items = list(items)
            elif items is not None:
                items = range(items)
        except Exception as error:
            return self._leave(state.at, state.slots, ("raise", Failure.of(error)), run=False)
        return self._set(state, instruction.slot, (0, items))

    def _turn(self, instruction: Instruction, state: State) -> State | Done:
        """The next turn of a loop, or out of it."""
        place, items = self.values.value(state.slots[instruction.slot])
        target = instruction.source
        if items is not None and place >= _many(items):
            left = list(state.slots)
            left[instruction.slot] = UNSET
            return State(instruction.to, tuple(left))
        item = place if items is None else items[place]
        counted = items is not None or target  # else turns are all alike
        slots = list(state.slots)
        if target:
            slots[self.names[target]] = self.values.number(item)
        if counted:
            slots[instruction.slot] = self.values.number((place + 1, items))
        return State(state.at + 1, tuple(slots))

    def _through(self, instruction: Instruction, state: State) -> State | Done:
        """The normal way into a finally block."""
        return self._set(state, instruction.slot, ("next",))

    def _catch(self, instruction: Instruction, state: State) -> State | Done:
        """A handler, if it is for this failure; else on to the next one."""
        failure = self.values.value(state.slots[instruction.slot])[1]
        return state._replace(
            at=state.at + 1 if instruction.source in failure.bases else instruction.to
        )

    def _again(self, instruction: Instruction, state: State) -> State | Done:
        """On the way that led here: behind the handlers, behind a finally block."""
        way = self.values.value(state.slots[instruction.slot])
        slots = list(state.slots)
        slots[instruction.slot] = UNSET
        if way[0] == "next":
            return State(state.at + 1, tuple(slots))
        return self._leave(state.at, tuple(slots), way, run=False)

    def _forget(self, instruction: Instruction, state: State) -> State:
        """A handler is done: there is no `error` any more."""
        slots = list(state.slots)
        slots[instruction.slot] = UNSET
        return State(state.at + 1, tuple(slots))

    def _set(self, state: State, slot: int, value: object) -> State:
        slots = list(state.slots)
        slots[slot] = self.values.number(value)
        return State(state.at + 1, tuple(slots))

    def _leave(
        self, at: int, slots: tuple[int, ...], way: tuple[Any, ...], run: bool = True
    ) -> State | Done:
        """A jump, a return or an exception from here: through what stands in its way."""
        kind = way[0]
        kept = list(slots)
        for region in self.regions:  # the inner ones first
            inside = region.first <= at < region.last
            if not inside or (kind == "jump" and region.first <= way[1] < region.last):
                continue
            if kind == "raise" or region.always:
                kept[region.slot] = self.values.number(way)
                state = State(region.entry, tuple(kept))
                return self._run(state) if run else state
        if kind == "jump":
            state = State(way[1], tuple(kept))
            return self._run(state) if run else state
        return Done(tuple(kept), way[1] if kind == "raise" else None)

    # Expressions

    def _evaluate(self, source: str, at: int, slots: Any) -> Any:
        code = self.compiled.get(source)
        if code is None:
            code = self.compiled[source] = compile(source, "<mpflow model>", "eval")
        space = dict(self.space)
        step = self.code[at].step
        if self.unseen and step is not None and step.verb == "print":
            space.update(self.unseen)
        for name, place in self.names.items():
            if slots[place] != UNSET:
                space[PREFIX + name] = self.values.value(slots[place])
        for slot in self.errors[at]:
            if slots[slot] != UNSET:
                way = self.values.value(slots[slot])
                if way[0] == "raise":
                    space[f"{PREFIX}error"] = way[1].seen()
                    break
        return eval(code, space)


def _many(items: Any) -> int:
    """How many turns there are; len() refuses a range beyond sys.maxsize."""
    return items.stop if isinstance(items, range) else len(items)


def _prefixed(scope: Mapping[str, object]) -> dict[str, object]:
    return {f"{PREFIX}{name}": value for name, value in scope.items()}
