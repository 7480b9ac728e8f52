"""Plan -> Process: one process of a program: what it does next, and what it is up to after that.

A process takes its actions one after the other. An action in progress is known by the results that
its steps have had so far: its model, a generator, is run again from its begin whenever the next
step is wanted, and every answer is kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from itertools import count
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from mpflow import registry
from mpflow.kinds import Operation
from mpflow.model import steps
from mpflow.model.dying import leave
from mpflow.model.local import IDLE, UNBORN, Dead, Local, Moment
from mpflow.model.machine import LONG, Ask, Done, Machine, State
from mpflow.model.me import Me
from mpflow.model.scope import UNSEEN, asking, scope
from mpflow.model.steps import Step
from mpflow.model.values import Abrupt, Failure, Uncheckable, ends_with
from mpflow.plan import Plan

if TYPE_CHECKING:
    from mpflow.model.world import World


class Process:
    """One process of the program: its machine, and its actions' models."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.name = plan.name
        self.observed = world.facts.observed.get(plan.name, frozenset())
        self.careful = bool(self.observed) and plan.name in world.facts.killable
        unseen = {} if world.facts.printed or world.facts.exact else UNSEEN
        self.machine = Machine(
            plan, scope(world, plan), world.values, self.careful, asking(world), unseen
        )

    def begin(
        self, closed: frozenset[tuple[str, str]], known: tuple[str, ...]
    ) -> tuple[Local, list[Moment]]:
        """The process when it has just been started. A forked one remembers the ends that its
        parent had closed, and the processes that it knew."""
        mem = {"closed": closed, "known": known}
        kept = tuple((key, value) for key, value in mem.items() if value)
        if self.careful:  # it may be killed before it has set any
            return Local(UNBORN._replace(slots=self.machine.first.slots), kept), []
        return self._settle(Local(self.machine.start(), kept))

    def step(self, local: Local) -> Step:
        """The next step."""
        if isinstance(local.state, State) and local.state.at == UNBORN.at:
            return steps.pause()
        if local.history == IDLE:
            return steps.pause()
        try:
            running, _ = self._running(local)
            return self._stands(running, local.history)
        except Uncheckable as error:
            self.place(error, local)
            raise

    def place(self, error: Uncheckable, local: Local) -> None:
        """Say of what cannot be checked on which line it stands: the action's in progress."""
        if error.line is None and isinstance(local.state, State) and local.state.at >= 0:
            step = self.machine.code[local.state.at].step
            error.line = None if step is None else step.line

    def after(self, local: Local, result: object) -> tuple[Local | Dead, list[Moment]]:
        """The process when its step had this result, and what was completed by that."""
        if isinstance(local.state, State) and local.state.at == UNBORN.at:
            return self._settle(local._replace(state=self.machine.start()))
        if local.history == IDLE:
            state = local.state
            if isinstance(state, State) and not self.machine.acts(state):
                state = self.machine.on(state)
            return self._settle(local._replace(history=(), state=state))
        history = (*local.history, self.world.values.number(result))
        if isinstance(local.state, Done):
            return self._left(local, history)
        return self._settle(local._replace(history=history))

    def dead(self, code: int, failure: Failure | None, slots: tuple[int, ...]) -> Dead:
        """The process when it has ended, by this failure if there was one: leaving by exit is no
        error."""
        left = failure is None or failure.type in ("SystemExit", Abrupt.__name__)
        error = None if failure is None or left else failure.type
        names = self.machine.names
        seen = sorted(name for name in self.observed if name in names and slots[names[name]])
        return Dead(code, error, tuple((name, slots[names[name]]) for name in seen))

    def killed(self, local: Local, number: int) -> Dead:
        """The process when a signal has ended it; on its way out it keeps the error that it had,
        once that has come out of all that a `with` or a `finally` had to do."""
        failure = local.state.failure if isinstance(local.state, Done) else None
        if local.history == IDLE:
            failure = None
        return self.dead(-number, failure, local.state.slots)

    def acts(self, local: Local) -> bool:
        """Whether it is at an action: neither unborn, nor leaving, nor in the midst of a loop."""
        state = local.state
        return isinstance(state, State) and state.at >= 0 and self.machine.acts(state)

    def pending(self, local: Local) -> Moment:
        """The action that it is at."""
        assert isinstance(local.state, State)
        ask = self._ask(local.state)
        on, type_name = None, ""
        if ask.failure is None and (
            ask.phase == "leave" or ask.step.operates or ask.phase == "enter"
        ):
            targets = self._targets(ask, Me(self, local.mem))
            if targets and ask.step.verb != "section":
                on, type_name = targets[len(local.done)]
        return Moment(ask.step, on, type_name, ask.phase, ask.arguments)

    # Actions

    def _settle(self, local: Local) -> tuple[Any, list[Moment]]:
        """Go on until there is a step to take: over actions that need none."""
        moments = list(self._faults())
        for turn in count():
            if not isinstance(local.state, State):
                break
            if turn == LONG or not self.machine.acts(local.state):
                return local._replace(history=IDLE), moments
            try:
                running, me = self._running(local)
                self._stands(running, local.history)
            except _FinishedError as finished:
                local = self._finished(local, me, finished, moments)
                moments += self._faults()
                continue
            except Uncheckable as error:
                self.place(error, local)
                raise
            break
        return local, moments

    def _faults(self) -> Iterator[Moment]:
        """The `let`s that have failed on the way, each once."""
        faults, self.machine.faults = self.machine.faults, []
        return (Moment(step, None, "", "", {}, failure=failure) for step, failure in faults)

    def _finished(
        self, local: Local, me: Me, finished: _FinishedError, moments: list[Moment]
    ) -> Local:
        """An action's subject is done with: on to the next subject, or the next action."""
        assert isinstance(local.state, State)
        ask, values = self._ask(local.state), self.world.values
        self.world.taken.add((self.name, ask.step.number))
        targets = finished.targets
        on, type_name = targets[len(local.done)] if targets else (None, "")
        moments.append(
            Moment(
                ask.step, on, type_name, ask.phase, ask.arguments, finished.value, finished.failure
            )
        )
        mem = me.kept()
        if finished.failure is not None and finished.failure.type == Abrupt.__name__:
            return Local(Done(local.state.slots, finished.failure), mem)
        if finished.failure is not None:
            state = self.machine.failed(local.state, finished.failure)
            return Local(state, mem)
        done = (*local.done, values.number(finished.value))
        if len(done) < len(targets):
            return Local(local.state, mem, done)
        results = [values.value(each) for each in done]
        result: Any = results[0] if len(results) == 1 else results
        if ask.step.verb == "join":
            result = all(results)
        if ask.phase == "enter":
            result = targets[0] if targets else ask.arguments["name"]
        try:
            state = self.machine.after(local.state, ask, result)
        except KeyError:
            line = ask.step.line
            raise Uncheckable("a variable whose name only the run decides", line) from None
        failed = isinstance(state, Done) and state.failure is not None
        return Local(state, mem, history=IDLE if failed and self.careful else ())

    def _ask(self, state: State) -> Ask:
        key = self.name, state, self.world.now
        found = self.world.asks.get(key)
        if found is None:
            found = self.world.asks[key] = self.machine.ask(state)
        return found

    def _running(self, local: Local) -> tuple[Any, Me]:
        """The model of the action in progress, and the process as that sees it."""
        me = Me(self, local.mem)
        if isinstance(local.state, Done):
            return leave(self.world, me, local.state), me
        ask = self._ask(local.state)
        me.keeps = ask.arguments.get("into") is not None
        return self._action(ask, local, me), me

    def _action(self, ask: Ask, local: Local, me: Me) -> Generator[Step, Any, Any]:
        if ask.failure is not None:
            running = _done(_FinishedError(None, ask.failure, []))
            return _and_then_pause(running, False) if self.careful else running
        if ask.phase == "let":
            return _from(steps.one(steps.pause()), [])
        if (not ask.step.operates and ask.phase == "") or ask.step.verb == "section":
            running = self._own(ask, me)
        else:
            running = self._operation(ask, local, me)
        if not self.careful:
            return running
        return _and_then_pause(running, ask.arguments.get("into") in self.observed)

    def _own(self, ask: Ask, me: Me) -> Generator[Step, Any, Any]:
        """An action that is no primitive's."""
        action = registry.action(ask.step.verb)
        if action.model is None:
            raise Uncheckable(f"`{ask.step.verb}` cannot be checked", ask.step.line)
        if ask.step.verb == "section":
            return _from(lambda: action.model(me, ask.phase, _name(ask)), [])
        given = [ask.arguments[a.name] for a in action.arguments if a.name != "into"]
        return _from(lambda: action.model(me, *given), [])

    def _operation(self, ask: Ask, local: Local, me: Me) -> Generator[Step, Any, Any]:
        verb = _verb(ask)
        try:
            targets = self._targets(ask, me)
        except Uncheckable:
            raise
        except Exception as error:
            return _done(_FinishedError(None, Failure.of(error), []))
        name, type_name = targets[len(local.done)] if targets else ("", "")
        if not targets:
            return _done(_FinishedError([], None, []))
        operation = registry.primitive(type_name).operation(verb)
        assert operation is not None
        on = self.world.parts[name]
        model = operation.merged if on.merged and operation.merged else operation.model
        if model is None:
            raise Uncheckable(f"`{verb}` of {type_name} cannot be checked", ask.step.line)
        given = _given(operation, {} if ask.phase else ask.arguments)
        return _from(lambda: model(on, me, *given), targets)

    def _targets(self, ask: Ask, me: Me) -> list[tuple[str, str]]:
        """What an action is on: names and types."""
        if ask.phase and ask.step.verb == "section":
            return []
        if ask.phase == "leave":
            return [ask.arguments["on"]]
        return self.world.targets(me, ask.step, _verb(ask), ask.arguments)

    def _stands(self, running: Any, history: tuple[int, ...]) -> Step:
        """The step at which a model stands, with the results it has had."""
        return steps.resumed(running, map(self.world.values.value, history))

    # The end

    def _left(self, local: Local, history: tuple[int, ...]) -> tuple[Any, list[Moment]]:
        """One step further on the way out."""
        state = local.state
        assert isinstance(state, Done)
        try:
            self._stands(leave(self.world, Me(self, local.mem), state), history)
        except StopIteration:
            return self.dead(ends_with(state.failure), state.failure, state.slots), []
        return local._replace(history=history), []


class _FinishedError(Exception):
    """An action's model has come to its end."""

    def __init__(self, value: Any, failure: Failure | None, targets: list[tuple[str, str]]) -> None:
        super().__init__()
        self.value = value
        self.failure = failure
        self.targets = targets


def _from(model: Any, targets: list[tuple[str, str]]) -> Generator[Step, Any, Any]:
    """A model's steps, and its end as _FinishedError."""
    try:
        found = model()
    except Uncheckable:
        raise
    except BaseException as error:
        raise _FinishedError(None, Failure.of(error), targets) from None
    try:
        if isinstance(found, GeneratorType):
            found = yield from found
    except (Uncheckable, GeneratorExit):
        raise
    except BaseException as error:
        raise _FinishedError(None, Failure.of(error), targets) from None
    raise _FinishedError(found, None, targets)


def _and_then_pause(running: Generator[Step, Any, Any], keeps: bool) -> Generator[Step, Any, Any]:
    """A moment between what an action does and what is left of that should the process be killed:
    the variable that keeps its result, or the error that ends the process."""
    try:
        yield from running
    except _FinishedError as finished:
        if keeps or finished.failure is not None:
            yield steps.pause()
        raise


def _done(finished: _FinishedError) -> Generator[Step, Any, Any]:
    raise finished
    yield


def _verb(ask: Ask) -> str:
    """The operation that an action is."""
    return {"enter": "acquire", "leave": "release"}.get(ask.phase, ask.step.verb)


def _name(ask: Ask) -> str:
    """A section's name: worked out once, where it is entered."""
    return str(ask.arguments["on" if ask.phase == "leave" else "name"])


def _given(operation: Operation, arguments: Mapping[str, Any]) -> list[Any]:
    """The arguments in their declared order, without the subject and without `into`."""
    own = [each for each in operation.arguments if each.name != "into"]
    return [arguments.get(each.name, each.default) for each in own]
