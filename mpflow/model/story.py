"""Schedule -> Story: what happens in it, row by row, for people to look at.

A row is an action at the moment at which it took effect; what nobody asked for (a feeder thread's
write, a signal's arrival) is a hidden one. An action that others come in between of has a row for
its begin, too; what nobody comes back from has one at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpflow.model.calm import could_go_on
from mpflow.model.clock import Timed
from mpflow.model.halves import in_part, poured
from mpflow.model.lasso import lasso
from mpflow.model.local import Local
from mpflow.model.machine import Done, State
from mpflow.model.moves import Schedule
from mpflow.model.names import actor, split
from mpflow.model.schedule import Taken, replay
from mpflow.model.space import Space
from mpflow.model.stuck import explain
from mpflow.model.tale import Teller, first_moments
from mpflow.model.world import World
from mpflow.scenario import Scenario
from mpflow.trace import Event

SWITCH, PREEMPTION = "switch", "preemption"


class Row(NamedTuple):
    """One thing that happens.

    `number` counts from 1; 0 for what is not done here: an action's begin, or one that never comes
    back (`kind`: done, begun, blocked). `hidden`: no action of the scenario. `switch`: another
    actor than before takes over, SWITCH because that one cannot go on, PREEMPTION although he can.
    """

    event: Event
    number: int = 0
    kind: str = "done"
    hidden: bool = False
    switch: str = ""


class Story(NamedTuple):
    """A schedule, told. `processes`: those that do something, in the order of the file. `loop`:
    how many rows there are before what goes on for ever; None where nothing does. `going`: who goes
    round then. `report`: why the others cannot go on, as blame.report has it."""

    rows: tuple[Row, ...]
    processes: tuple[str, ...]
    loop: int | None = None
    going: tuple[str, ...] = ()
    report: Mapping[str, Any] | None = None


def story(scenario: Scenario, world: World, schedule: Schedule, end: str) -> Story:
    """The story of a schedule; `end`: how its run ends (deadlock, timeout, completed), nothing
    where it stops before that."""
    space = Space(world)
    return space.laid_out(lambda: _story(scenario, space, schedule, end))


def _story(scenario: Scenario, space: Space, schedule: Schedule, end: str) -> Story:
    exact = space.world.facts.exact
    taken = Timed(space).retrace(schedule)[0] if exact else replay(space, schedule)
    stem = len(taken)
    going: frozenset[str] = frozenset()
    if end == "timeout" and not exact:
        found = lasso(space, taken[-1].state if taken else space.first)
        if found is not None:
            going = found.actors
            taken = replay(space, (*schedule, *found.moves))
    return _Writer(scenario, space, taken, stem, going, end).story()


class _Draft(NamedTuple):
    """A row in the making: where it stands (moves before it, then a number), its move and its
    actor, and the event or its place among the teller's lines."""

    place: tuple[int, int]
    step: int
    actor: str
    line: int = -1
    event: Event | None = None
    kind: str = "done"
    hidden: bool = False


class _Writer:
    def __init__(
        self,
        scenario: Scenario,
        space: Space,
        taken: Sequence[Taken],
        stem: int,
        going: frozenset[str],
        end: str,
    ) -> None:
        self.space = space
        self.taken = taken
        self.stem = stem
        self.end = end
        self.going = tuple(
            name for name in space.world.program.plans if name in {split(key)[1] for key in going}
        )
        self.teller = Teller(scenario, space, end or "interrupted")
        self.states = [space.first, *(each.state for each in taken)]
        self.drafts: list[_Draft] = []
        self.first: dict[str, int] = {}  # the move by which each process began what it is at
        self.begun: dict[int, int] = {}  # the same by the lines of what is over
        self.parts: dict[str, _Draft] = {}  # rows of feeders that have written a part of an item
        self.items: dict[str, Any] = {}  # what each feeder has in its hands

    def story(self) -> Story:
        self.teller.born("main", first_moments(self.space), 0.0)
        self._told(0, "@main")
        for number, each in enumerate(self.taken, 1):
            self._take(number, each)
        events = self._events()
        rows = self._rows(events)
        loop = None
        if len(self.taken) > self.stem:
            loop = sum(draft.step <= self.stem for draft, _ in rows)
        done = self._numbered(rows)
        if loop is not None and not any(row.number for row in done[loop:]):
            done[loop:loop] = self._turns(max((row.number for row in done), default=0))
        doing = {row.event.process for row in done}
        names = tuple(name for name in self.space.world.program.plans if name in doing)
        report = None
        if self.end in ("deadlock", "timeout"):
            report = explain(self.space, self.taken, events.values(), self.going)
        return Story(tuple(done), names, loop, self.going, report)

    # One move

    def _take(self, number: int, taken: Taken) -> None:
        key, before = taken.move.actor, self.states[number - 1]
        kind, name, queue = split(key)
        lines, place = len(self.teller.lines), self.teller.places.get(name)
        if kind == "process":
            value = self.space.value(before, key)
            if isinstance(value, Local) and not value.history:
                self.first[name] = number
            if isinstance(value, Local) and isinstance(value.state, Done):
                self._leave(number, taken, name)
            if taken.moments:
                line = lines if place is None or taken.effect else place
                self.begun[line] = self.first.get(name, number)
        elif kind == "feeder":
            self._feed(number, taken, name, queue)
        self.teller.take(taken, before, float(number))
        self._told(number, key)

    def _told(self, number: int, key: str) -> None:
        """Note which lines the teller has added, and whose move did it."""
        known = sum(draft.line >= 0 for draft in self.drafts)
        for line in range(known, len(self.teller.lines)):
            self.drafts.append(_Draft((number, line), number, key, line))

    def _leave(self, number: int, taken: Taken, process: str) -> None:
        """A process at its end terminates its daemons."""
        for key in taken.step.kinds:
            if key.endswith("~signals:send"):
                self._hidden(number, taken, process, "terminate", key.partition("~")[0], None)

    def _feed(self, number: int, taken: Taken, process: str, queue: str) -> None:
        """A feeder thread's row: its item can be read from now on, or a part of it. Parts with
        nothing in between have one row."""
        key, before = taken.move.actor, self.states[number - 1]
        first, *others = (each.rpartition(":")[2] for each in taken.step.kinds)
        if first == "pop":
            self.items[key] = taken.result
            if "send" in others and isinstance(taken.result, int):  # in one step into the pipe
                value = self.space.world.values.value(taken.result)
                self._hidden(number, taken, process, "feed", queue, value)
        elif poured(taken) and self.items.get(key) is not None:
            item, earlier = self.items[key], self.parts.pop(key, None)
            if earlier is not None and self.drafts[-1] is earlier:
                self.drafts.pop()
            part = in_part(self.space, taken, before, begun=earlier is not None)
            value = self.space.world.values.value(item) if isinstance(item, int) else item
            extra = {"part": True} if part else {}
            self._hidden(number, taken, process, "feed", queue, value, extra)
            if part:
                self.parts[key] = self.drafts[-1]

    def _hidden(
        self,
        number: int,
        taken: Taken,
        process: str,
        action: str,
        on: str,
        value: Any,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        t = float(number)
        event = Event(number, t, process, action, on, None, value, None, "ok", None, t, extra or {})
        place = number, len(self.teller.lines)
        self.drafts.append(_Draft(place, number, taken.move.actor, event=event, hidden=True))

    # All rows

    def _events(self) -> dict[int, Event]:
        """The teller's events by their lines, those of who cannot go on behind them."""
        trace = self.teller.trace(self.states[-1], float(len(self.taken)), 0)
        lines = [i for i, line in enumerate(self.teller.lines) if line is not None]
        return dict(zip(lines, trace.events, strict=True))

    def _rows(self, events: Mapping[int, Event]) -> list[tuple[_Draft, Event]]:
        """Everything in order, each with its event."""
        known = {draft.line for draft in self.drafts}
        last = len(self.taken)
        drafts = [*self.drafts, *self._begins(events)]
        for line, event in events.items():
            stopped = event.action == "end" and event.status != "blocked"
            if line not in known and not stopped and self._stays(event.process):
                place, key = (last + 1, line), actor(event.process)
                drafts.append(_Draft(place, last + 1, key, line, kind="blocked"))
        found = []
        for draft in drafts:
            told = draft.event or events.get(draft.line)
            if told is not None and told.action != "begin":
                found.append((self._moved(draft, told), told))
        return sorted(found, key=lambda each: each[0].place)

    def _turns(self, number: int) -> Iterator[Row]:
        """A row for each who goes round in a loop without any action."""
        t = float(len(self.taken))
        for name in self.going:
            state = self._value(actor(name)).state
            code = self.space.world.processes[name].machine.code
            step = code[state.at].step if isinstance(state, State) else None
            if step is not None:
                number += 1
                none = (None, None, "ok", None)
                yield Row(Event(0, t, name, step.verb, None, step.line, *none, t), number)

    def _value(self, key: str) -> Any:
        """What an actor is up to in the end."""
        return self.space.value(self.states[-1], key)

    def _stays(self, name: str) -> bool:
        """Whether a process that lives cannot go on."""
        return self.end in ("deadlock", "timeout") and name not in self.going

    def _moved(self, draft: _Draft, event: Event) -> _Draft:
        """What a process does before its first step is told with that, not with its start."""
        own = actor(event.process)
        if draft.actor == own or split(draft.actor)[0] != "process":
            killed = split(draft.actor)[0] == "signals" and event.action == "end"
            return draft._replace(hidden=draft.hidden or killed)
        later = (n for n, each in enumerate(self.taken, 1) if each.move.actor == own)
        step = next((n for n in later if n > draft.step), len(self.taken) + 1)
        return draft._replace(place=(step, -1), step=step - 1, actor=own)

    def _begins(self, events: Mapping[int, Event]) -> Iterator[_Draft]:
        """A row for the begin of each action that others come in between of."""
        lines = {draft.line: draft for draft in self.drafts if draft.line >= 0}
        still = {}
        for line, ending in events.items():
            if line not in lines and ending.action != "end":
                still[line] = self.first.get(ending.process, 0)
        for line, first in {**self.begun, **still}.items():
            event = events.get(line)
            last = lines[line].step if line in lines else len(self.taken) + 1
            if event is None or not first or (line in still and not self._under_way(event)):
                continue
            others = (
                events[each.line].process if each.event is None else each.event.process
                for each in self.drafts
                if first <= each.step < last and (each.event or each.line in events)
            )
            if any(name != event.process for name in others):
                begun = event._replace(status="begun", result=None, error=None)
                key = actor(event.process)
                yield _Draft((first, -1), first, key, event=begun, kind="begun")

    def _under_way(self, event: Event) -> bool:
        """Whether a process has taken steps of what it is at, in the end."""
        value = self._value(actor(event.process))
        return isinstance(value, Local) and bool(value.history) and self._stays(event.process)

    def _numbered(self, drafts: list[tuple[_Draft, Event]]) -> list[Row]:
        rows: list[Row] = []
        number, before = 0, None
        for draft, event in drafts:
            switch = ""
            if draft.kind != "blocked":
                switch = self._switch(before, draft)
                before = draft
            if draft.kind == "done":
                number += 1
            own = number if draft.kind == "done" else 0
            rows.append(Row(event, own, draft.kind, draft.hidden, switch))
        return rows

    def _switch(self, before: _Draft | None, now: _Draft) -> str:
        """Whether another actor takes over, and whether the one before could have gone on."""
        if before is None or before.actor == now.actor:
            return ""
        moves = enumerate(self.taken[: max(now.step - 1, 0)], 1)
        at = max((n for n, each in moves if each.move.actor == before.actor), default=0)
        who = next(each for each in self.space.actors if each.key == before.actor)
        could = could_go_on(self.space, who, self.states[max(at, before.step)])
        return PREEMPTION if could else SWITCH
