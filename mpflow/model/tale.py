"""Schedule -> Trace: what was done, in an order that verify accepts, as in a trace of a run.

An action stands where it took effect: at its step that says so, else at its last one. Times are
those of a clock that the caller keeps; a model's actions take none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mpflow import registry
from mpflow.kinds import Operation
from mpflow.model.ends import ending
from mpflow.model.local import IDLE, Dead, Local, Moment
from mpflow.model.machine import Done, State
from mpflow.model.names import NEW, actor, life, split
from mpflow.model.schedule import Taken
from mpflow.model.space import Space
from mpflow.model.stuck import explain
from mpflow.model.values import Abrupt
from mpflow.scenario import Scenario
from mpflow.trace import Event, Trace, header

STARTED = "2026-01-01T00:00:00Z"  # of what never was: no clock is asked, the trace stays the same


def tell(
    scenario: Scenario,
    space: Space,
    taken: Sequence[Taken],
    times: Sequence[float],
    end: str,
    seed: int,
) -> Trace:
    """The trace of moves that were made at these times, in seconds; `end` is how the run ended, or
    nothing where the last state shows it. A deadlock is explained in it."""
    teller = Teller(scenario, space, end)
    first = first_moments(space)
    teller.born("main", first, slept(first))
    before = space.first
    for each, t in zip(taken, times, strict=True):
        teller.take(each, before, t)
        before = each.state
    trace = teller.trace(before, times[-1] if times else 0.0, seed)
    if trace.end != "deadlock":
        return trace
    return trace._replace(report=explain(space, taken, trace.events))


class Teller:
    """Tells a schedule move by move: `lines` has the events in order, not yet numbered; None where
    an action may still turn out to have taken effect."""

    def __init__(self, scenario: Scenario, space: Space, end: str) -> None:
        self.scenario = scenario
        self.space = space
        self.world = space.world
        self.end = end
        self.lines: list[Event | None] = []
        self.places: dict[str, int] = {}  # where what a process is at has taken effect
        self.since: dict[str, float] = {}  # when that was begun

    def begin(self, name: str, t: float) -> None:
        """A process begins, and does all that takes no step."""
        self.since[name] = t
        pid = 1000 + list(self.world.program.plans).index(name)
        self._add(t, name, "begin", extra={"pid": pid})

    def take(self, taken: Taken, before: int, t: float) -> None:
        """One move: what it completed, who began or ended by it."""
        kind, name, _ = split(taken.move.actor)
        born = list(newborn(self.space, taken, before))
        behind = sum(slept(moments) for _, moments in born)
        if kind == "process":
            if taken.effect:
                self.places[name] = len(self.lines)
                self.lines.append(None)
            for number, moment in enumerate(taken.moments):
                place = self.places.pop(name, None) if not number else None
                # What stands before a sleep was over before it.
                self._moment(name, moment, t - slept(taken.moments[number + 1 :]) - behind, place)
        for child, moments in born:
            self.born(child, moments, t)
        for each in self.world.program.plans:
            was = self.space.value(before, actor(each))
            now = self.space.value(taken.state, actor(each))
            if isinstance(now, Dead) and isinstance(was, Local):
                self._ended(each, was, now, t)

    def born(self, name: str, moments: Sequence[Moment], t: float) -> None:
        """A process begins, and does at once what takes no step, up to this time."""
        self.begin(name, t - slept(moments))
        for number, moment in enumerate(moments):
            self._moment(name, moment, t - slept(moments[number + 1 :]), None)

    def _moment(self, name: str, moment: Moment, t: float, place: int | None) -> None:
        """An action that is over."""
        line = self._line(name, moment, t)
        self.since[name] = t
        if line is None:
            return
        if place is None:
            self.lines.append(line)
        else:
            self.lines[place] = line._replace(t=min(line.t, t))

    def _line(self, name: str, moment: Moment, t: float) -> Event | None:
        step, arguments, failure = moment.step, moment.arguments, moment.failure
        if (step.verb in ("let", "pass") or moment.phase == "let") and failure is None:
            return None
        action, on = step.verb, moment.on
        extra: dict[str, Any] = {}
        value = result = None
        if step.verb == "section":
            on, extra = str(arguments.get("name", arguments.get("on"))), {"phase": moment.phase}
        elif moment.phase:
            action = {"enter": "acquire", "leave": "release"}[moment.phase]
            result = moment.result if moment.phase == "enter" else None
        elif step.operates and moment.type:
            operation = registry.primitive(moment.type).operation(step.verb)
            assert operation is not None
            value, result = _shown(operation, arguments, moment.result)
            if operation.keyed and arguments.get("at") is not None:
                extra["at"] = arguments["at"]
        elif not step.operates:
            found = registry.action(step.verb)
            value = arguments.get(found.shows) if found.shows else None
            on = str(arguments[found.names]) if found.names and found.names in arguments else None
            result = None if found.records == "value" else moment.result
        status, error = _status(moment, action, result), None
        if failure is not None and failure.type != Abrupt.__name__:
            status, error, result = "error", (failure.type, failure.message), None
            if failure.type == "BrokenBarrierError" and arguments.get("timeout") is not None:
                extra["limited"] = True
        if failure is not None and failure.type == Abrupt.__name__:
            status = "ok" if action == "os_exit" else "blocked"  # nobody comes back from a crash
            result = None
        began = self.since.get(name, t)
        return Event(0, t, name, action, on, step.line, value, result, status, error, began, extra)

    def _ended(self, name: str, was: Local, now: Dead, t: float) -> None:
        """A process has ended; what it was at when a signal came, never came back."""
        error = None
        if isinstance(was.state, Done) and was.state.failure is not None and now.error:
            error = now.error, was.state.failure.message
        elif isinstance(was.state, State):
            self._cut(name, was, t)
        self._add(t, name, "end", error=error, extra={"exitcode": now.code})

    def _cut(self, name: str, was: Local, t: float) -> None:
        """An action in progress that will never be over; not one that had not begun."""
        place = self.places.pop(name, None)
        begun = place is not None or (was.history and was.history != IDLE)
        if not begun or not self.world.processes[name].acts(was):
            return
        moment = self.world.processes[name].pending(was)
        line = self._line(name, moment, t)
        if line is not None:
            line = line._replace(status="blocked", result=None, error=None)
            if place is None:
                self.lines.append(line)
            else:
                self.lines[place] = line

    def _add(
        self,
        t: float,
        name: str,
        action: str,
        status: str = "ok",
        error: tuple[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        began = self.since.get(name, t)
        self.lines.append(
            Event(0, t, name, action, None, None, None, None, status, error, began, extra or {})
        )
        self.since[name] = t

    # The whole

    def trace(self, state: int, t: float, seed: int) -> Trace:
        """The trace; who still lives is shown at what he never comes back from."""
        found = ending(self.space, state, self.end)
        if found.end != "completed":
            self._stopped(state, t, found.end)
        return found._replace(
            header=header(
                self.scenario, "simulate", ".".join(map(str, self.world.version)), seed, STARTED
            ),
            events=tuple(self._events()),
            duration=t,
        )

    def _stopped(self, state: int, t: float, end: str) -> None:
        for name, process in self.world.processes.items():
            value = self.space.value(state, actor(name))
            if not isinstance(value, Local):
                continue
            leaving = isinstance(value.state, Done)
            if self._goes_on(name, state, end):
                self._add(t, name, "end", extra={"exitcode": None, "stopped": end})
                continue
            if process.acts(value):
                line = self._line(name, process.pending(value), t)
                if line is not None:
                    self.lines.append(line._replace(status="blocked", result=None, error=None))
                    self.since[name] = t
            status = "blocked" if leaving else "ok"
            self._add(t, name, "end", status, extra={"exitcode": None, "stopped": end})

    def _goes_on(self, name: str, state: int, end: str) -> bool:
        """Whether a process goes round in a loop, and is at nothing that it never comes back
        from."""
        who = next(each for each in self.space.actors if each.key == actor(name))
        return end == "timeout" and bool(self.space.differences(who, state))

    def _events(self) -> Iterator[Event]:
        """The events in order. One that stands where it took effect has the time of that."""
        at, last = 0.0, dict.fromkeys(self.world.program.plans, 0.0)
        for seq, line in enumerate((each for each in self.lines if each is not None), 1):
            at = max(at, line.t)
            began = min(max(line.began, last[line.process]), at)
            last[line.process] = at
            yield line._replace(seq=seq, t=at, began=began)


def first_moments(space: Space) -> list[Moment]:
    """What main does before its first step."""
    return space.world.born("main", space.value(space.first, actor("main")))


def newborn(space: Space, taken: Taken, before: int) -> Iterator[tuple[str, list[Moment]]]:
    """The processes that a move has started, and what they do before their first step."""
    for name in space.world.program.plans:
        if life(name) in taken.step.touches and space.value(before, life(name)) == NEW:
            value = space.value(taken.state, actor(name))
            if isinstance(value, Local):
                yield name, space.world.born(name, value)


def slept(moments: Sequence[Moment]) -> float:
    """The seconds of the sleeps among actions that were completed by one step."""
    return sum(float(m.arguments["seconds"]) for m in moments if m.step.verb == "sleep")


def _shown(operation: Operation, arguments: Mapping[str, Any], result: Any) -> tuple[Any, Any]:
    value = arguments.get(operation.shows) if operation.shows else None
    keeps = any(each.name == "into" for each in operation.arguments)
    return value, result if keeps else None


def _status(moment: Moment, action: str, result: Any) -> str:
    timed = moment.arguments.get("timeout") is not None and moment.arguments.get("block", True)
    waited = timed and moment.type and action != "poll"
    return "timeout" if waited and result is False else "ok"
