"""Records -> Trace events: what each process wrote down, read back and put into one order.

The records are read as they are needed and never held as a whole. What happened to a process
is told by its own notes, its parent's and the host's; that is looked up first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.launch import Records
from mpflow.engine.order import Interval, in_order
from mpflow.engine.reading import Lane
from mpflow.plan import Program
from mpflow.rule import Rule
from mpflow.trace import Event

_MARGIN = 1e-9  # seconds: what nobody timed came just before it was seen


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
                self.reaped.append((*payload, stamp))
            elif site == record.VARIABLE:
                late[payload[0]] = payload[1]
        if last is not None:
            self.variables = {name: record.restored(kept) for name, kept in last.items()}
        else:
            self.variables = lane.variables(slots)
            self.variables.update((name, record.restored(kept)) for name, kept in late.items())


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
        self.variables = {story.name: story.variables for story in declared}
        self.types = {name: (type_name, options) for name, type_name, options in program.primitives}

    def count(self) -> int:
        """How many events there are, about: never less than there are."""
        return sum(2 + lane.count() for lane in self.records.lanes)

    def __iter__(self) -> Iterator[Event]:
        origin = self.records.began
        for seq, (moment, each, suspect) in enumerate(in_order(self._lanes(), self._rule), 1):
            # What began when the run did is of a process that never told: began as it was done.
            began = moment if each.began == origin else each.began
            extra = each.extra
            if suspect:
                extra = {**extra, "suspect": suspect}
            yield Event(
                seq,
                moment - origin,
                each.process,
                each.action,
                each.on,
                each.line,
                each.value,
                each.result,
                each.status,
                each.error,
                began - origin,
                extra,
            )

    def _rule(self, subject: str) -> Rule[Any]:
        kind, _, name = subject.partition(" ")
        if name:
            born = name == "main" or name not in self.program.plans
            return registry.primitive(kind).rule({"born": born})
        type_name, options = self.types[subject]
        return registry.primitive(type_name).rule(options)

    def _lanes(self) -> list[Iterable[Interval]]:
        lanes: list[Iterable[Interval]] = []
        for story in self.stories:
            lanes.append(self._main_lane(story))
            lanes += [self._intervals(story, lane) for lane in story.lanes[1:]]
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

    def _main_lane(self, story: Story) -> Iterator[Interval]:
        subject = f"process {story.name}"
        extra = {"pid": story.pid}
        begun = story.begun
        yield Interval(begun, begun, story.name, "begin", None, subject, extra=extra)
        last = begun
        for each in self._intervals(story, story.lanes[0]):
            last = each.began if each.ended == inf else each.ended
            yield each
        if story.declared or self._exit_code(story) is not None:  # who else ended, nobody told
            yield self._end(story, subject, last)

    def _end(self, story: Story, subject: str, last: float) -> Interval:
        """The event of a process's end: when its exit hooks were done, or when it was seen dead."""
        began = max(story.left[2] if story.left is not None else last, last)
        threads = max((lane.last_stamp() for lane in story.lanes[1:]), default=began)
        error = story.left[1] if story.left is not None else None
        code = self._exit_code(story)
        extra: dict[str, Any] = {"exitcode": code}
        seen = [e[1] for e in (self.reaped.get(story.pid), self.records.exits.get(story.pid)) if e]
        status = "ok"
        if code is not None:
            ended = max(began, threads, story.ended or max([began, *seen]))
        else:
            extra["stopped"] = self.records.end
            error = None
            ended = max(began, self.records.ended)
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

    def _intervals(self, story: Story, lane: Lane) -> Iterator[Interval]:
        """The actions of one thread, in order; the last one may still be in progress."""
        process, began = story.name, story.begun
        meanings = {number: self._meaning(site) for number, site in lane.meanings.items()}
        call: Interval | None = None  # that goes on
        make, plain = tuple.__new__, record.MOST
        for sites, words, stamps in lane.columns():
            for number, word, stamp in zip(sites, words, stamps, strict=True):
                if number < record.FIRST:
                    if number == record.PRINTED:
                        yield _printed(process, began, stamp, lane.payload(word))
                    began = stamp or began
                    continue
                action, on, subject, line, shows, timed, extra = meanings[number]
                if stamp <= 0 or "phase" in extra:
                    found = self._rare(process, began, lane, number, word, stamp, subject)
                    if found is None:  # a call begins
                        call = _blocked(process, began, lane.meanings[number], subject)
                    else:
                        call = None if action == "call" else call
                        yield found
                    began = abs(stamp) or began
                    continue
                value = result = None
                status = "ok"
                if shows == "value":
                    value = word if word < plain else lane.value(word)
                elif shows == "result":
                    result = word if word < plain else lane.value(word)
                    if timed and result is False:
                        status = "timeout"
                elif shows == "boolean":
                    result = bool(word)
                if action == "call":
                    call = None
                yield make(
                    Interval,
                    (
                        stamp,
                        began,
                        process,
                        action,
                        on,
                        subject,
                        line,
                        value,
                        result,
                        status,
                        None,
                        extra,
                        None,
                    ),
                )
                began = stamp
        if call is not None:
            yield call._replace(began=began)

    def _rare(
        self,
        process: str,
        began: float,
        lane: Lane,
        number: int,
        word: int,
        stamp: float,
        subject: str | None,
    ) -> Interval | None:
        """An action that failed, one in progress, or one with a phase; None where a call begins."""
        site = lane.meanings[number]
        if site.phase == "begun" and stamp > 0:
            return None
        found = _blocked(process, began, site, subject)
        if stamp < 0:
            kind, message, word = lane.payload(word)
            found = found._replace(ended=-stamp, status="error", error=(kind, message))
        elif stamp > 0:
            found = found._replace(ended=stamp, status="ok")
        if site.shows == "value":
            found = found._replace(value=lane.value(word))
        return found

    def _meaning(self, site: record.Site) -> tuple[Any, ...]:
        extra: dict[str, Any] = {}
        if site.phase:
            extra["phase"] = site.phase
        if site.code:
            extra["code"] = site.code
        return site.action, site.on, self._subject(site), site.line, site.shows, site.timed, extra

    def _subject(self, site: record.Site) -> str | None:
        """The primitive, or the process, whose state an action changes or tells."""
        if site.on is None:
            return None
        declared = site.on.partition(".")[0]
        if declared in self.types:
            operation = registry.primitive(self.types[declared][0]).operation(site.action)
        else:
            known = site.on in self.program.plans
            operation = registry.primitive("process").operation(site.action) if known else None
            declared = f"process {site.on}"
        return None if operation is None else declared


def _stories(lanes: Iterable[Lane]) -> Iterator[Story]:
    """One for each process that has told its name; its threads' records with it."""
    found: dict[int, Story] = {}
    for lane in lanes:
        if lane.lane == 0:
            found[lane.pid] = Story(lane)
        elif lane.pid in found:
            list(lane.notes())
            found[lane.pid].lanes.append(lane)
    return (story for story in found.values() if story.name)


def _tell_apart(stories: Iterable[Story], program: Program) -> None:
    """A process that Python code started may have a name that is taken: then its pid is added."""
    taken = set(program.plans)
    for story in stories:
        if not story.declared and story.name in taken:
            story.name = f"{story.name} ({story.pid})"
        taken.add(story.name)


def _blocked(process: str, began: float, site: record.Site, subject: str | None) -> Interval:
    """An action that has not come back."""
    extra: Mapping[str, Any] = {"code": site.code} if site.code else {}
    if site.phase and site.phase != "begun":
        extra = {**extra, "phase": site.phase}
    return Interval(
        inf,
        began,
        process,
        site.action,
        site.on,
        subject,
        site.line,
        None,
        None,
        "blocked",
        None,
        extra,
    )


def _printed(process: str, began: float, stamp: float, told: tuple[str, str]) -> Interval:
    line, place = told
    return Interval(
        stamp, began, process, "print", None, None, None, line, extra={"code": place}
    )
