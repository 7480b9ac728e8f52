"""What one process is up to: a Local is all that its future depends on besides shared components.

A process takes its actions one after the other. An action in progress is known by the results that
its steps have had so far: its model, a generator, is run again from its begin whenever the next
step is wanted, and every answer is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Mapping
from itertools import count
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow import registry
from mpflow.evaluation import Attributes
from mpflow.kinds import Operation
from mpflow.model import files, pickles, steps, waiting
from mpflow.model.machine import LONG, Ask, Done, Machine, State
from mpflow.model.steps import Step
from mpflow.model.values import Abrupt, Failure, Uncheckable
from mpflow.plan import Plan

if TYPE_CHECKING:
    from mpflow.model.world import World

Mem = tuple[tuple[Any, Any], ...]


class Local(NamedTuple):
    """A process that lives: where it is in its actions, what it remembers (counts of its locks,
    its children, what it closed), the results of an action's subjects that are done with, and of
    the steps of the one in progress."""

    state: State | Done
    mem: Mem = ()
    done: tuple[int, ...] = ()
    history: tuple[int, ...] = ()


IDLE = (0,)  # a history: nothing for so long that there is a pause, lest a loop be without end
UNBORN = State(-1, ())  # of a process that was started and has not come to its first instruction


class Dead(NamedTuple):
    """A process that has ended: its exit code, the type of the error that ended it, and those of
    its variables that somebody may ask for, as numbers."""

    code: int
    error: str | None
    variables: tuple[tuple[str, int], ...]


class Moment(NamedTuple):
    """What happened to an action: it was begun, came to its end, or the process did. For showing
    a schedule; the search knows nothing of it."""

    step: Any  # plan.Step, or None for a process's begin and end
    on: str | None
    type: str
    phase: str
    arguments: Mapping[str, Any]
    result: Any = None
    failure: Failure | None = None


class Me:
    """The process, as the model of an action sees it. What it remembers is kept with the action's
    end only: a model that is run again remembers it again."""

    def __init__(self, process: Process, mem: Mem) -> None:
        self.process = process
        self.name = process.name
        self.world = process.world
        self.mem: dict[Any, Any] = dict(mem)
        self.keeps = True  # whether the action keeps its result

    def get(self, key: Any, default: Any = None) -> Any:
        """What it remembers."""
        return self.mem.get(key, default)

    def set(self, key: Any, value: Any) -> None:
        """Remember something."""
        self.mem[key] = value

    def count(self, key: str) -> int:
        """How often it has acquired a lock."""
        found: int = self.mem.get(("count", key), 0)
        return found

    def set_count(self, key: str, count: int) -> None:
        """How often it has acquired a lock now."""
        if count:
            self.mem["count", key] = count
        else:
            self.mem.pop(("count", key), None)

    def number(self, value: object) -> int:
        """A value as components hold it."""
        return self.world.values.number(value)

    def value(self, number: int) -> Any:
        """The value of a number."""
        return self.world.values.value(number)

    def size(self, number: int) -> int:
        """The bytes that a value takes in a pipe: 4 that say how many follow, and its pickle."""
        return 4 + len(self.world.body(number))

    def raw(self, body: bytes) -> int:
        """The number of a message that is sent as bytes."""
        return self.number(pickles.Raw(body))

    def body(self, number: int) -> bytes:
        """What stands behind the header of a message."""
        return self.world.body(number)

    def message(self, number: int) -> bytes:
        """A message with its header (connection.py, _send_bytes)."""
        body = self.body(number)
        return len(body).to_bytes(4) + body

    def received(self, number: int) -> Any:
        """What is unpickled from a message."""
        value = self.value(number)
        return self.world.loads(value.body) if isinstance(value, pickles.Raw) else value

    def arrived(self, body: bytes | None, plain: bool) -> int:
        """The number of a message of which this was read; the exception of what is no pickle."""
        if body is None:
            return self.number(None)
        return self.number(self.world.loads(body)) if plain else self.raw(body)

    def unseen(self, body: bytes) -> bool:
        """Whether nobody will ask what was in a message that can be unpickled."""
        try:
            self.world.loads(body)
        except Exception:
            return False
        return not self.keeps and not self.world.facts.shown

    # Actions of its own

    def log(self, key: str, change: Any) -> Any:
        """Change what a monitor keeps, if somebody wants to know."""
        if key in self.world.facts.log:
            return self._one(steps.update(key, lambda value: [(None, change(value))]))
        return None

    def printed(self, text: str) -> Any:
        """Lines of output, in their order, or as many as there are of each."""
        lines = text.split("\n")
        if "lines" in self.world.facts.log:
            return self._one(steps.add("lines", lines))
        return self.log("output", lambda before: (*before, *lines))

    def mark(self, name: str) -> Any:
        """A mark: the first of its name counts."""
        return self.log("marks", lambda seen: seen if name in seen else (*seen, name))

    def section(self, name: str, phase: str) -> Any:
        """In or out: who is inside, and how many there were at most."""

        def change(value: tuple[tuple[str, ...], int]) -> Any:
            inside, most = list(value[0]), value[1]
            if phase == "enter":
                inside.append(self.name)
            elif self.name in inside:
                inside.remove(self.name)
            return tuple(sorted(inside)), max(most, len(set(inside)))

        return self.log(f"section {name}", change)

    def any_of(self, values: Any) -> Any:
        """Any one of some values."""
        if not values:
            raise IndexError("Cannot choose from an empty sequence")
        return self._one(steps.any_of(values))

    def sleep(self, seconds: float) -> Any:
        """Nothing, unless time is told exactly."""
        if self.world.facts.exact:
            return self._one(steps.sleep(seconds))
        return None

    def die(self, code: int) -> Any:
        """The end, at once."""
        raise Abrupt(code)

    def living_children(self) -> Any:
        """The names of the children that have not ended, sorted."""
        children = self.get("children", ())
        keys = [f"{child}~life" for child in children]
        plans = self.world.program.plans

        def ask(*stages: Any) -> Any:
            pairs = zip(children, stages, strict=True)
            return sorted(plans[child].system_name for child, stage in pairs if stage == "alive")

        return self._one(steps.look(keys, [f"{key}:look" for key in keys], ask))

    def write(self, text: str, file: str, mode: str) -> Any:
        """Write to a file."""
        return files.write(self, text, file, mode)

    def read(self, file: str) -> Any:
        """What stands in a file."""
        return files.read(self, file)

    def wait_any(self, names: Any, timeout: float | None) -> Any:
        """Which of these are ready."""
        return waiting.wait_any(self, names, timeout)

    def uncheckable(self, what: str, hint: str) -> Uncheckable:
        """What to raise for something that the model cannot say."""
        return Uncheckable(what, None, hint)

    def _one(self, step: Step) -> Generator[Step, Any, Any]:
        return (yield step)

    def kept(self) -> Mem:
        """All that it remembers, hashable."""
        return tuple(sorted(self.mem.items(), key=repr))


class Process:
    """One process of the program: its machine, and its actions' models."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.name = plan.name
        self.observed = world.observed.get(plan.name, frozenset())
        self.careful = bool(self.observed) and plan.name in world.facts.killable
        unseen = {} if world.facts.printed or world.facts.exact else UNSEEN
        self.machine = Machine(
            plan, _scope(world, plan), world.values, self.careful, _asking(world), unseen
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
        if local.history == IDLE and isinstance(local.state, State):
            state = local.state if self.machine.acts(local.state) else self.machine.on(local.state)
            return self._settle(local._replace(history=(), state=state))
        history = (*local.history, self.world.values.number(result))
        if isinstance(local.state, Done):
            return self._left(local, history)
        return self._settle(local._replace(history=history))

    def dead(self, code: int, error: str | None, slots: tuple[int, ...]) -> Dead:
        """The process when it has ended."""
        names = self.machine.names
        seen = sorted(name for name in self.observed if name in names and slots[names[name]])
        return Dead(code, error, tuple((name, slots[names[name]]) for name in seen))

    def killed(self, local: Local, number: int) -> Dead:
        """The process when a signal has ended it; on its way out it keeps the error that it had."""
        error = None
        if isinstance(local.state, Done) and local.state.failure is not None:
            error = told_error(local.state.failure)
        return self.dead(-number, error, local.state.slots)

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
            return Local(self.machine.after(local.state, ask, result), mem)
        except KeyError:
            line = ask.step.line
            raise Uncheckable("a variable whose name only the run decides", line) from None

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
            return self.world.leave(me, local.state), me
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
            self._stands(self.world.leave(Me(self, local.mem), state), history)
        except StopIteration:
            error = None if state.failure is None else told_error(state.failure)
            return self.dead(exit_code(state.failure), error, state.slots), []
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


def told_error(failure: Failure) -> str | None:
    """The error that a process ends by, as `expect` has it: leaving by exit is none."""
    return None if failure.type in ("SystemExit", Abrupt.__name__) else failure.type


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


def exit_code(failure: Failure | None) -> int:
    """What a process exits with (process.py, _bootstrap; sys.exit)."""
    if failure is None:
        return 0
    if failure.type == Abrupt.__name__:
        return int(failure.args[0])
    if failure.type != "SystemExit":
        return 1
    code = failure.args[0] if failure.args else None
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


class _Self(Attributes):
    """`self`, or a process in an expression of main."""

    def __init__(self, name: str, system_name: str, pid: int) -> None:
        self.name = name
        self.known = {"name": system_name, "pid": pid}

    def get(self, name: str) -> object:
        if name in self.known:
            return self.known[name]
        raise AttributeError(f"{self.name} has no {name!r}; it has name and pid")


def _scope(world: World, plan: Plan) -> dict[str, object]:
    """What names mean in a process's expressions besides its own variables."""
    pids = {name: 1000 + i for i, name in enumerate(world.program.plans)}
    views = {
        name: _Self(name, each.system_name, pids[name])
        for name, each in world.program.plans.items()
    }
    found: dict[str, object] = {**world.program.params}
    if plan.replica is not None:
        found["index"] = plan.replica
    if plan.name == "main":
        for base, replicas in world.program.names.items():
            named = [views[name] for name in replicas]
            found[base] = named[0] if replicas == (base,) else named
    found["self"] = views[plan.name]
    return found


def _asking(world: World) -> dict[str, object]:
    """The functions that ask the clock and the machine: only a simulation has a clock."""

    def now(function: str) -> float:
        if world.now is None:
            hint = "what comes of it can be any; `simulate` has a clock"
            raise Uncheckable(f"`{function}()` asks the clock or the machine", None, hint)
        return world.now

    return {
        "time": lambda: now("time"),
        "ctime": lambda *seconds: time.asctime(time.gmtime(*(seconds or (now("ctime"),)))),
        "cpu_count": lambda: now("cpu_count") and os.cpu_count(),
    }


# The same for what is printed, and nobody asks what it was
UNSEEN = {"time": lambda: 0.0, "ctime": lambda *seconds: "now", "cpu_count": lambda: 1}
