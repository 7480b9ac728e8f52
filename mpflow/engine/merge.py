"""Records -> Trace events: what each process wrote down, read back and put into one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mpflow.engine import record
from mpflow.engine.launch import Records
from mpflow.engine.order import Interval, in_order
from mpflow.plan import Program
from mpflow.trace import Event


class Story(NamedTuple):
    """What one process's record tells."""

    name: str
    pid: int
    intervals: list[Interval]
    variables: dict[str, Any]
    left: tuple[int, tuple[str, str] | None, int] | None  # exit code, error, stamp
    ended: int | None
    reaped: list[tuple[str, int, int, int]]
    last: int


class Merged(NamedTuple):
    """All events in order, and how each process ended."""

    events: tuple[Event, ...]
    exitcodes: dict[str, int | None]
    errors: dict[str, str | None]
    variables: dict[str, dict[str, Any]]


def merge(records: Records, program: Program) -> Merged:
    """The events of a run in an order that every process agrees with."""
    read = (_story(pid, data) for pid, data in records.files.items())
    stories = sorted(filter(None, read), key=lambda story: story.intervals[0].began)
    reaped = {pid: (code, at) for s in stories for _, pid, code, at in s.reaped}
    intervals: list[Interval] = []
    exitcodes: dict[str, int | None] = {}
    errors: dict[str, str | None] = {}
    variables: dict[str, dict[str, Any]] = {}
    for story in stories:
        code = _exit_code(story, records, reaped)
        exitcodes[story.name] = code
        errors[story.name] = story.left[1][0] if story.left and story.left[1] else None
        variables[story.name] = story.variables
        intervals += [*story.intervals, _end(story, code, records, reaped)]
    for name, pid, code, at in _unborn(stories):
        exitcodes[name] = code
        extra = {"exitcode": code}
        first = records.began  # when, nobody knows: before the parent saw it
        intervals.append(Interval(name, "begin", None, first, at - 1, extra={"pid": pid}))
        intervals.append(Interval(name, "end", None, first, at, extra=extra))
    ordered = in_order(intervals, program)
    exitcodes = {name: exitcodes[name] for name in program.plans if name in exitcodes}
    return Merged(
        tuple(
            _event(seq, moment, each, records.began)
            for seq, (moment, _, each) in enumerate(ordered, 1)
        ),
        exitcodes,
        errors,
        variables,
    )


def _unborn(stories: list[Story]) -> Iterator[tuple[str, int, int, int]]:
    """Processes that were started and ended before they could write anything down: the name,
    the pid, the exit code, and when the parent saw it."""
    born = {story.pid for story in stories}
    for story in stories:
        yield from (each for each in story.reaped if each[1] not in born)


def _story(pid: int, data: bytes) -> Story | None:
    """One record as intervals; an action without an end is still in progress: blocked."""
    frames = record.frames(data)
    first = next(frames, None)
    if first is None:
        return None
    name, born = first[1], first[3]
    intervals = [Interval(name, "begin", None, born, born, extra={"pid": pid})]
    story = Story(name, pid, intervals, {}, None, None, [], born)
    pending: tuple[Any, ...] | None = None
    for frame in frames:
        kind = frame[0]
        if kind == record.ACT:
            pending = frame
            _remember(story.variables, frame[8])
        elif kind == record.DONE and pending is not None:
            intervals.append(_interval(name, pending, frame))
            pending = None
        elif kind == record.PRINTED:
            intervals.append(_printed(name, frame))
        elif kind == record.LEAVE:
            story = story._replace(left=(frame[2], frame[3], frame[1]))
            _remember(story.variables, frame[4])
        elif kind == record.END:
            story = story._replace(ended=frame[1])
        elif kind == record.REAPED:
            story.reaped.append(frame[1:5])
    if pending is not None:
        intervals.append(_interval(name, pending, None))
    return story._replace(last=intervals[-1].ended)


def _remember(variables: dict[str, Any], changed: Mapping[str, Any]) -> None:
    variables.update({name: record.restored(pair) for name, pair in changed.items()})


def _interval(name: str, act: tuple[Any, ...], done: tuple[Any, ...] | None) -> Interval:
    _, _, began, action, on, value, line, _, _, phase = act
    extra = {"phase": phase} if phase else {}
    kept = None if value is None else record.restored(value)
    if done is None:
        return Interval(name, action, on, began, began, line, kept, None, "blocked", None, extra)
    _, stamp, status, result, error = done
    if action == "call":  # what it printed came before it was over
        began = stamp
    return Interval(
        name, action, on, began, stamp, line, kept, record.restored(result), status, error, extra
    )


def _printed(name: str, frame: tuple[Any, ...]) -> Interval:
    _, stamp, line, place = frame
    return Interval(name, "print", None, stamp, stamp, None, line, extra={"code": place})


def _exit_code(story: Story, records: Records, reaped: Mapping[int, tuple[int, int]]) -> int | None:
    """What the parent saw, else the host, else what the process itself meant to exit with."""
    if story.pid in reaped:
        return reaped[story.pid][0]
    if story.pid in records.exits and story.pid not in records.killed:
        return records.exits[story.pid][0]
    return story.left[0] if story.left is not None and story.ended is not None else None


def _end(
    story: Story,
    code: int | None,
    records: Records,
    reaped: Mapping[int, tuple[int, int]],
) -> Interval:
    """The event of a process's end: when its exit hooks were done, or when it was seen dead."""
    began = story.left[2] if story.left is not None else story.last + 1
    error = story.left[1] if story.left is not None else None
    extra: dict[str, Any] = {"exitcode": code}
    seen = [at for at in (reaped.get(story.pid), records.exits.get(story.pid)) if at]
    if code is None:
        status = "blocked" if story.left is not None and story.ended is None else "ok"
        extra["stopped"] = records.end
        at = began if status == "blocked" else max(began, records.ended)
        return Interval(story.name, "end", None, began, at, None, None, None, status, None, extra)
    at = story.ended or max([began, *(each[1] for each in seen)])
    ended = Interval(story.name, "end", None, began, max(began, at), status="ok", extra=extra)
    return ended._replace(error=error) if error else ended


def _event(seq: int, moment: int, each: Interval, origin: int) -> Event:
    # What began when the run did is of a process that never told: it began when it took effect.
    began = moment if each.began == origin else each.began
    return Event(
        seq=seq,
        t=(moment - origin) / 1e9,
        process=each.process,
        action=each.action,
        on=each.on,
        line=each.line,
        value=each.value,
        result=each.result,
        status=each.status,
        error=each.error,
        began=(began - origin) / 1e9,
        extra=each.extra,
    )
