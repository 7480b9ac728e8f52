"""Records -> Trace events: what each process wrote down, read back and put into one order.

The records are read as they are needed and never held as a whole. What happened to a process
is told by its own notes, its parent's and the host's; that is looked up first.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from math import inf
from typing import Any

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.decoding import Decoder
from mpflow.engine.launch import Records
from mpflow.engine.legal import TOOK_EFFECT
from mpflow.engine.order import Interval, Sparse, in_order
from mpflow.engine.parking import Parted, shown
from mpflow.engine.portable import restored
from mpflow.engine.reading import Lane
from mpflow.plan import Program
from mpflow.rule import Rule
from mpflow.subjects import rule
from mpflow.trace import Event

_MARGIN = 1e-9  # seconds: what nobody timed came just before it was seen
# What a dead process may have been in the midst of, and nobody needs its result to know what it
# did: where others saw the effect, it was done.
_PLAIN = frozenset(
    (
        *("abort", "acquire", "append", "clear", "put", "release", "reset", "send", "send_bytes"),
        *("set", "store", "task_done"),
    )
)


class Story:
    """What the notes in one process's records tell."""

    def __init__(self, lane: Lane) -> None:
        self.lanes = [lane]
        self.pid = lane.pid
        self.name = ""
        self.declared = True  # not started by Python code by itself
        self.begun = inf
        self.left: tuple[int, tuple[str, str] | None, float] | None = None  # code, error, stamp
        self.ended: float | None = None
        self.reaped: list[tuple[str, int, int, float]] = []
        self.variables: dict[str, Any] = {}
        self._read(lane)

    def _read(self, lane: Lane) -> None:
        last: dict[str, Any] | None = None
        late: dict[str, Any] = {}
        slots: tuple[str, ...] = ()
        for site, payload, stamp in lane.notes():
            if site == record.BEGIN:
                self.name, _, names = payload
                self.declared, slots = names is not None, names or ()
                self.begun = stamp
            elif site in (record.LEAVE, record.LEAVE_WAITING):
                self.left = payload[0], payload[1], stamp
                last = payload[2]
            elif site == record.END:
                self.ended = stamp
            elif site == record.REAPED:
                self.reaped.append(payload)
            elif site == record.VARIABLE:
                late[payload[0]] = payload[1]
        if last is not None:
            self.variables = {name: restored(kept) for name, kept in last.items()}
        else:
            self.variables = lane.variables(slots)
            self.variables.update((name, restored(kept)) for name, kept in late.items())


class Merge:
    """The events of a run in an order that every process and every primitive agrees with: to be
    iterated, again if need be; and how each process ended."""

    def __init__(self, records: Records, program: Program) -> None:
        self.records = records
        self.program = program
        self.stories = sorted(_stories(records.lanes), key=lambda story: story.begun)
        _tell_apart(self.stories, program)
        declared = [story for story in self.stories if story.declared]
        self.reaped = {pid: (code, at) for s in self.stories for _, pid, code, at in s.reaped}
        codes = {story.name: self._exit_code(story) for story in declared}
        codes.update((name, code) for name, _, code, _ in self._unborn())
        self.exitcodes = {name: codes[name] for name in program.plans if name in codes}
        self.errors = {s.name: s.left[1][0] if s.left and s.left[1] else None for s in declared}
        self.variables = {story.name: self._variables(story) for story in declared}
        self.gone = {s.name for s in self.stories if self._exit_code(s) is not None}
        self.parks = {name for name, kind, _ in program.primitives if kind == "condition"}

    def _variables(self, story: Story) -> Mapping[str, Any]:
        """A process's variables at its end. Those that it has from its start are written one after
        the other, before its first action: who was killed in between has none."""
        plan = self.program.plans.get(story.name)
        at_start = () if plan is None or story.left is not None else plan.vars
        return story.variables if all(n in story.variables for n, _ in at_start) else {}

    def count(self) -> int:
        """How many events there are, about: never less than there are."""
        return sum(2 + lane.count() for lane in self.records.lanes)

    def __iter__(self) -> Iterator[Event]:
        with _uncollected():
            yield from self._events()

    def _events(self) -> Iterator[Event]:
        make, origin = tuple.__new__, self.records.began  # three times as fast as Event(...)
        placed = in_order(self._lanes(), self._rule)
        for seq, (moment, each, suspect) in enumerate(shown(placed) if self.parks else placed, 1):
            _, began, who, action, on, _, line, value, result, status, error, extra = each
            if began == origin:
                began = moment  # of a process that never told: it began as it was done
            if suspect:
                extra = {**extra, "suspect": suspect}
            elif suspect == TOOK_EFFECT and action in _PLAIN and who in self.gone:
                status, result = "ok", True if action == "acquire" else None
            yield make(
                Event,
                (
                    seq,
                    moment - origin,
                    who,
                    action,
                    on,
                    line,
                    value,
                    result,
                    status,
                    error,
                    began - origin,
                    extra,
                ),
            )

    def _rule(self, subject: str) -> Rule:
        kind, _, name = subject.partition(" ")
        if name:
            born = name == "main" or name not in self.program.plans
            return registry.primitive(kind).rule({"born": born})
        return rule(subject, self.program.primitives, self.program.code)

    def _lanes(self) -> list[Iterable[Interval]]:
        lanes: list[Iterable[Interval]] = []
        for story in self.stories:
            batches = [self._main_lane(story)]
            batches += [self._intervals(story, lane) for lane in story.lanes[1:]]
            for each in batches:
                if self.parks:
                    parted = Parted(each, self.parks)
                    lanes.insert(0, Sparse(parted.read(parted.parks)))
                    lanes.append(parted.read(parted.actions))
                else:
                    lanes.append(chain.from_iterable(each))
        for name, pid, code, at in self._unborn():
            subject, first = f"process {name}", self.records.began  # when, nobody knows
            begun = at - 2 * _MARGIN
            lanes.append(
                [
                    Interval(begun, first, name, "begin", None, subject, extra={"pid": pid}),
                    Interval(
                        at - _MARGIN, begun, name, "end", None, subject, extra={"exitcode": code}
                    ),
                ]
            )
        return lanes

    def _unborn(self) -> Iterator[tuple[str, int, int, float]]:
        """Processes that were started and ended before they could write anything down: the
        name, the pid, the exit code, and when the parent saw it."""
        born = {story.pid for story in self.stories}
        for story in self.stories:
            yield from (each for each in story.reaped if each[1] not in born)

    # One process

    def _main_lane(self, story: Story) -> Iterator[list[Interval]]:
        """The begin of a process, its actions, a batch after the other, and its end."""
        subject = f"process {story.name}"
        extra = {"pid": story.pid}
        begun = story.begun
        yield [Interval(begun, begun, story.name, "begin", None, subject, extra=extra)]
        last = begun
        for batch in self._intervals(story, story.lanes[0]):
            ended, began, *_ = batch[-1]
            last = began + _MARGIN if ended == inf else ended
            yield batch
        if story.declared or self._exit_code(story) is not None:  # who else ended, nobody told
            yield [self._end(story, subject, last)]

    def _end(self, story: Story, subject: str, last: float) -> Interval:
        """The event of a process's end: when its exit hooks were done, or when it was seen dead."""
        began = max(story.left[2] if story.left is not None else last, last)
        threads = max((lane.last_stamp() + _MARGIN for lane in story.lanes[1:]), default=began)
        error = story.left[1] if story.left is not None else None
        code = self._exit_code(story)
        extra: dict[str, Any] = {"exitcode": code}
        seen = [e[1] for e in (self.reaped.get(story.pid), self.records.exits.get(story.pid)) if e]
        status = "ok"
        if code is not None:
            ended = max(began, threads, story.ended or max([began, *seen]))
            if story.left is None and story.ended is None:
                began = max(began, ended - _MARGIN)  # killed, nobody knows when, at whatever it did
        else:
            extra["stopped"] = self.records.end
            error = None
            ended = max(began, self.records.ended)
            if story.left is None:  # what it was at may have taken effect long after
                began = max(began, ended - _MARGIN)
            if story.left is not None and story.ended is None:
                status, ended = "blocked", inf
        return Interval(
            ended, began, story.name, "end", None, subject, None, None, None, status, error, extra
        )

    def _exit_code(self, story: Story) -> int | None:
        """What the parent saw, else the host, else what the process itself meant to exit with."""
        if story.pid in self.reaped:
            return self.reaped[story.pid][0]
        exits = self.records.exits
        if story.pid in exits and story.pid not in self.records.killed:
            return exits[story.pid][0]
        return story.left[0] if story.left is not None and story.ended is not None else None

    def _intervals(self, story: Story, lane: Lane) -> Iterator[list[Interval]]:
        """The actions of one thread, in order, a batch after the other, none of them empty; the
        last one may still be in progress."""
        decoder = Decoder(lane, story.name, story.begun, self.program)
        for columns in lane.columns():
            if batch := decoder.decode(*columns):
                yield batch
        if rest := list(decoder.rest()):
            yield rest


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: many events are held at once, none of them in a cycle, and looking
    at them again and again takes twice the time of all the rest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _stories(lanes: Iterable[Lane]) -> Iterator[Story]:
    """One for each process that has told its name; its threads' records with it."""
    found: dict[int, Story] = {}
    for lane in lanes:
        if lane.lane == 0:
            found[lane.pid] = Story(lane)
        elif lane.pid in found:
            found[lane.pid].lanes.append(lane)
    return (story for story in found.values() if story.name)


def _tell_apart(stories: Iterable[Story], program: Program) -> None:
    """A process that Python code started may have a name that is taken: then its pid is added."""
    taken = set(program.plans)
    for story in stories:
        if not story.declared and story.name in taken:
            story.name = f"{story.name} ({story.pid})"
        taken.add(story.name)
