"""Whether the model allows a trace: a walk through its states along the trace's events.

Each action of each process is completed as the trace has it, arguments and result included, and
in its order: an event has its place somewhere between the first and the last step of its action,
or, where that only gives a lock back, behind it.
What leaves no event (feeder threads, signals, the steps of an action) is free.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from mpflow.model.facts import facts_of
from mpflow.model.local import Dead, Local, Moment
from mpflow.model.machine import Done
from mpflow.model.names import actor
from mpflow.model.space import Actor, Space
from mpflow.model.values import Abrupt
from mpflow.model.world import World
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import Event, Trace, plain

MOST = 100_000  # nodes of a walk
SILENT = ("let", "if", "while", "repeat", "for", "pass", "break", "continue")  # leave no moment
NO_RESULT = ("start", "set", "clear", "release", "section", "mark", "print", "sleep", "assert")
LATE = ("barrier",)  # what it does is done before its last step: that lets go of its lock
LEAVING = ("exit", "os_exit", "return")


class TooLong(Exception):  # noqa: N818
    """The walk has no end within its limit."""


class Node(NamedTuple):
    """Where a walk is: the model's state, how many events of the trace are behind it, and, for
    each process, how many of its own the model has completed."""

    state: int
    place: int
    done: tuple[int, ...]


class Way(NamedTuple):
    """One step of an actor: where it leads, and the moments that it completes."""

    difference: int
    moments: tuple[Moment, ...]
    dies: str  # the process that it ends
    born: str  # the process that it starts


class Allowing:
    """A scenario's model, to be asked about traces."""

    def __init__(self, scenario: Scenario) -> None:
        program = compile_program(scenario, seed=0)
        facts = facts_of(scenario, program, merged=False, exact=False)
        self.world = World(program, facts, sys.version_info[:2])
        self.space = Space(self.world)
        self.names = list(program.plans)
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.ways: dict[tuple[str, int], tuple[Way, ...]] = {}

    def __call__(self, trace: Trace, by_clock: bool = False) -> bool:
        """Whether the model allows it; `by_clock`: in any order that the events' own times leave
        open, what ended before another began before that. Raises TooLong."""

        def walk() -> bool:
            self.ways.clear()
            return (_Timed if by_clock else _Walk)(self, trace).found()

        return self.space.laid_out(walk)

    def steps(self, each: Actor, state: int) -> tuple[Way, ...]:
        """What an actor can do in a state."""
        row = self.space.row_in(state, each)
        if row is None:
            return ()
        key = each.key, state & row.mask
        if key not in self.ways:
            self.ways[key] = tuple(self._made(each, state))
        return self.ways[key]

    def _made(self, each: Actor, state: int) -> Iterator[Way]:
        for difference, _, moments in self.space.ways(each, state):
            dies = born = ""
            for name in self.names:
                before = self.space.value(state, actor(name))
                after = self.space.value(state + difference, actor(name))
                if isinstance(after, Dead) and not isinstance(before, Dead):
                    dies = name
                elif before is None and after is not None:
                    born = name
            yield Way(difference, tuple(moments), dies, born)

    def first_moments(self, name: str, local: Local) -> list[Moment]:
        """What a process completes right at its begin, before it takes any step."""
        known = dict(local.mem)
        closed, others = known.get("closed", frozenset()), known.get("known", ())
        return self.world.processes[name].begin(closed, others)[1]


class _Walk:
    """One trace, looked for in the model."""

    def __init__(self, model: Allowing, trace: Trace) -> None:
        self.model = model
        self.trace = trace
        self.order: list[Event] = []
        self.own: dict[str, list[Event]] = defaultdict(list)
        for event in trace.events:
            if event.action in SILENT or (event.action == "end" and _stopped(event)):
                continue
            if event.status != "blocked":
                self.order.append(event)
            if event.action != "begin":
                self.own[event.process].append(event)
        self.before: list[dict[str, int]] = [{}]  # of each process's own, up to each place
        counts: dict[str, int] = defaultdict(int)
        for event in self.order:
            counts[event.process] += event.action != "begin"
            self.before.append(dict(counts))
        self.furthest = 0

    def found(self) -> bool:
        """Whether there is a way."""
        model = self.model
        main = model.space.value(model.space.first, actor("main"))
        done = self._completed([0] * len(model.names), "main", model.first_moments("main", main))
        if done is None:
            return False
        stack = [self._on(Node(model.space.first, 0, tuple(done)))]
        seen = set(stack)
        while stack:
            node = stack.pop()
            self.furthest = max(self.furthest, node.place)
            if node.place == len(self.order) and self._over(node):
                return True
            for following in self._following(node):
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
            if len(seen) > MOST:
                raise TooLong
        return False

    def _committed(self, node: Node, name: str) -> int:
        """How many of a process's own events have their place already."""
        return self.before[node.place].get(name, 0)

    def _early(self, node: Node, name: str) -> bool:
        return node.done[self.model.numbers[name]] < self._committed(node, name)

    def _waiting(self, node: Node, name: str) -> bool:
        """Whether something that it has completed still has to come in the trace."""
        done = node.done[self.model.numbers[name]]
        events = self.own[name][self._committed(node, name) : done]
        return any(each.status != "blocked" for each in events)

    def _on(self, node: Node) -> Node:
        """Over all events that stand next and are completed already."""
        while node.place < len(self.order):
            event = self.order[node.place]
            if event.action == "begin":
                ready = self.model.space.value(node.state, actor(event.process)) is not None
            else:
                ready = self._waiting(node, event.process)
            if not ready:
                break
            node = node._replace(place=node.place + 1)
        return node

    def _following(self, node: Node) -> Iterator[Node]:
        """Those to be tried first come last."""
        wanted = self.order[node.place].process if node.place < len(self.order) else ""
        found: list[tuple[int, Node]] = []
        for each in self.model.space.actors:
            name = each.key.removeprefix("@")
            if each.kind == "process" and self._waiting(node, name):
                continue
            rank = 3 if name == wanted else 2 if each.kind == "feeder" else 1
            for way in self.model.steps(each, node.state):
                after = self._after(node, name if each.kind == "process" else "", way)
                if after is not None:
                    found.append((rank, after))
        early = self._sooner(node)
        if early is not None:
            found.append((0, early))
        found.sort(key=lambda pair: pair[0])
        return (each for _, each in found)

    def _sooner(self, node: Node) -> Node | None:
        """The next event has its place while its action is under way."""
        if node.place == len(self.order):
            return None
        event = self.order[node.place]
        name = event.process
        local = self.model.space.value(node.state, actor(name))
        if event.action == "begin" or not isinstance(local, Local) or self._early(node, name):
            return None
        if event.action == "end" and not isinstance(local.state, Done):
            return None
        if event.action != "end" and not local.history:
            return None
        return self._on(node._replace(place=node.place + 1))

    def _after(self, node: Node, name: str, way: Way) -> Node | None:
        """The node behind a step; None where the trace has it otherwise."""
        model = self.model
        state, place = node.state + way.difference, self._turn(node, name, way)
        if place is None:
            return None
        done = list(node.done)
        if way.moments:
            shown = [m for m in way.moments if _shows(m)]
            filled = self._completed(done, name, shown)
            if filled is None:
                return None
            done = filled
        if way.dies:
            filled = self._dead(done, way.dies, node.state, state)
            if filled is None:
                return None
            done = filled
        if way.born:
            local = model.space.value(state, actor(way.born))
            filled = self._completed(done, way.born, model.first_moments(way.born, local))
            if filled is None:
                return None
            done = filled
        return self._on(Node(state, place, tuple(done)))

    def _turn(self, node: Node, name: str, way: Way) -> int | None:
        """How many events are behind the walk after this step; None if it is another one's turn."""
        if not way.moments or self._early(node, name):
            return node.place
        event = self._next(name, node.done[self.model.numbers[name]])
        if event is None or event.status == "blocked" or event.action == "end":
            return node.place
        if node.place < len(self.order) and self.order[node.place] is event:
            return node.place + 1
        return node.place if way.moments[0].type in LATE else None

    def _next(self, name: str, done: int) -> Event | None:
        own = self.own[name]
        return own[done] if done < len(own) else None

    def _completed(self, done: list[int], name: str, moments: Any) -> list[int] | None:
        """With the events of these moments done; None where they are others."""
        found, number = list(done), self.model.numbers[name]
        for moment in moments:
            if not _shows(moment):
                continue
            event = self._next(name, found[number])
            if self._cut(name, event):
                continue  # it was killed before it came to that
            if event is None or not _same(moment, event):
                return None
            found[number] += 1
        return found

    def _cut(self, name: str, event: Event | None) -> bool:
        """Whether a process had come to its end by a signal, or with the run, when this was its
        next event."""
        if event is None:
            return self.trace.end != "completed"
        return event.action == "end" and (event.extra["exitcode"] or 0) < 0

    def _dead(self, done: list[int], name: str, before: int, after: int) -> list[int] | None:
        found, number = list(done), self.model.numbers[name]
        space = self.model.space
        event = self._next(name, found[number])
        local, dead = space.value(before, actor(name)), space.value(after, actor(name))
        if event is not None and event.action != "end" and dead.code < 0:
            under_way = isinstance(local, Local) and not isinstance(local.state, Done)
            if not under_way:
                return None
            found[number] += 1  # what it was doing when it was killed
            event = self._next(name, found[number])
        if event is None and self.trace.end != "completed":
            return found  # nobody saw it die
        if event is None or event.action != "end" or event.extra["exitcode"] != dead.code:
            return None
        found[number] += 1
        return found

    def _over(self, node: Node) -> bool:
        """Whether the run may have ended here as the trace says."""
        model = self.model
        values = {name: model.space.value(node.state, actor(name)) for name in model.names}
        for name, value in values.items():
            left = self.own[name][node.done[model.numbers[name]] :]
            if any(each.status != "blocked" for each in left):
                return False
            if isinstance(value, Dead) and not self._kept(name, value):
                return False
        if self.trace.end == "completed":
            return not any(isinstance(each, Local) for each in values.values())
        living = any(isinstance(each, Local) for each in values.values())
        return living and not any(model.steps(each, node.state) for each in model.space.actors)

    def _kept(self, name: str, dead: Dead) -> bool:
        """Whether its variables are those of the trace."""
        seen = self.trace.variables.get(name, {})
        values = {key: self.model.world.values.value(number) for key, number in dead.variables}
        asked = self.model.world.facts.observed.get(name, frozenset())
        return {key: plain(value) for key, value in values.items()} == {
            key: plain(value) for key, value in seen.items() if key in asked
        }


class _Timed(_Walk):
    """The same, by the clock alone: an action takes its first step when all that was over before
    it began is done, or at least under way."""

    def __init__(self, model: Allowing, trace: Trace) -> None:
        super().__init__(model, trace)
        self.order = []
        self.before = [{}]
        over = [(event.t, name, number) for name, own in self.own.items()
                for number, event in enumerate(own, 1) if event.status != "blocked"
                and event.action != "end"]  # fmt: skip
        self.needed: dict[tuple[str, int], dict[str, int]] = {}
        for name, own in self.own.items():
            for number, event in enumerate(own):
                needed: dict[str, int] = {}
                for moment, other, count in over:
                    if other != name and moment < event.began:
                        needed[other] = max(needed.get(other, 0), count)
                self.needed[name, number] = needed

    def _waiting(self, node: Node, name: str) -> bool:
        local = self.model.space.value(node.state, actor(name)) if name in self.own else None
        if not isinstance(local, Local) or local.history or isinstance(local.state, Done):
            return False
        needed = self.needed.get((name, node.done[self.model.numbers[name]]), {})
        return not all(self._reached(node, other, count) for other, count in needed.items())

    def _reached(self, node: Node, name: str, count: int) -> bool:
        done = node.done[self.model.numbers[name]]
        local = self.model.space.value(node.state, actor(name))
        under_way = isinstance(local, Local) and bool(local.history)
        return done >= count or (done == count - 1 and under_way)

    def _turn(self, node: Node, name: str, way: Way) -> int | None:
        return node.place


def _stopped(event: Event) -> bool:
    return event.extra.get("exitcode") is None


def _shows(moment: Moment) -> bool:
    return moment.step is not None and moment.phase != "let" and moment.step.verb not in SILENT


def _verb(moment: Moment) -> str:
    if moment.step.verb == "with":
        return {"enter": "acquire", "leave": "release"}[moment.phase]
    return str(moment.step.verb)


def _same(moment: Moment, event: Event) -> bool:
    """Whether an event is what the model has completed."""
    verb = _verb(moment)
    if (verb, moment.step.line) != (event.action, event.line):
        return False
    if moment.type and moment.on != event.on:
        return False
    if event.status == "blocked" or verb in LEAVING:
        return True
    failure = moment.failure
    if failure is not None and failure.type not in ("SystemExit", Abrupt.__name__):
        return event.error is not None and event.error[0] == failure.type
    if event.error is not None:
        return False
    if verb == "section":
        return event.extra.get("phase") == moment.phase
    if verb in ("put", "send", "store"):
        return bool(plain(moment.arguments["value"]) == plain(event.value))
    if verb == "print":
        return event.value == str(moment.arguments["text"])
    if verb in NO_RESULT or event.result is None:
        return True
    return bool(plain(moment.result) == plain(event.result))
