"""Intervals -> one legal order: each action took effect somewhere between its begin and its end.

An operation that makes others possible is placed at its start, one that was made possible at
its end (recording.md); so a put never stands behind its get. Where that order breaks a rule of
the primitive, another event that was under way at the same time is taken first. Intervals of
one process never overlap, so each primitive's order can be found alone, and the orders merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow import registry
from mpflow.plan import Program

if TYPE_CHECKING:
    from mpflow.rule import Rule


class Interval(NamedTuple):
    """An event before it has its place: times are nanoseconds of one clock."""

    process: str
    action: str
    on: str | None
    began: int
    ended: int
    line: int | None = None
    value: Any = None
    result: Any = None
    status: str = "ok"
    error: tuple[str, str] | None = None
    extra: Mapping[str, Any] = {}


def in_order(intervals: Iterable[Interval], program: Program) -> list[tuple[int, int, Interval]]:
    """All intervals in one total order that is legal for each primitive and each process, each
    with the moment at which it took effect and its number among those of that moment."""
    types = {name: (type_name, options) for name, type_name, options in program.primitives}
    by_object: dict[str, list[Interval]] = {}
    placed: list[tuple[int, int, Interval]] = []
    for each in intervals:
        subject = _subject(each, types, program)
        if subject is None:
            placed.append((each.ended, 0, each))
        else:
            by_object.setdefault(subject, []).append(each)
    for name, events in by_object.items():
        type_name, options = types.get(name, ("process", {}))
        primitive = registry.primitive(type_name)
        effects = {op.verb: op.effect for op in primitive.operations}
        placed += _points(_legal(events, effects, primitive.rule(options)), effects)
    placed.sort(key=lambda point: point[:2])
    return placed


def _subject(
    each: Interval, types: Mapping[str, tuple[str, Mapping[str, Any]]], program: Program
) -> str | None:
    """The primitive, or the process, whose state an event changes or tells."""
    if each.action in ("begin", "end"):
        return f"process {each.process}"
    if each.on is None:
        return None
    declared = each.on.partition(".")[0]
    if declared in types:
        return declared
    return f"process {each.on}" if each.on in program.plans else None


def _legal(events: list[Interval], effects: Mapping[str, str], rule: Rule) -> list[Interval]:
    """The events of one object, by their keys, moved as little as its rule asks for.

    An event may be taken next while no event that is still to come had ended before it began.
    """
    waiting = sorted(events, key=lambda e: _key(e, effects))
    begins = sorted(range(len(waiting)), key=lambda i: waiting[i].began)
    ordered: list[Interval] = []
    taken = [False] * len(waiting)
    open_: list[int] = []  # begun and not taken, by key
    ends: list[tuple[int, int]] = [(e.ended, i) for i, e in enumerate(waiting)]
    ends.sort()
    next_begin = next_end = 0
    while len(ordered) < len(waiting):
        while taken[ends[next_end][1]]:
            next_end += 1
        horizon = ends[next_end][0]
        while next_begin < len(begins) and waiting[begins[next_begin]].began <= horizon:
            heappush(open_, begins[next_begin])
            next_begin += 1
        chosen = _choose(open_, waiting, rule)
        taken[chosen] = True
        rule.apply(waiting[chosen])
        ordered.append(waiting[chosen])
    return ordered


def _choose(open_: list[int], waiting: list[Interval], rule: Rule) -> int:
    """The first open event that is legal now; the first of all when none is. What only tells the
    state goes before what changes it: later it might be legal no more, and sooner harms nobody."""
    for candidate in sorted(open_):
        event = waiting[candidate]
        if rule.observes(event) and rule.allows(event):
            open_.remove(candidate)
            heapify(open_)
            return candidate
    passed_over: list[int] = []
    chosen = None
    while open_ and chosen is None:
        candidate = heappop(open_)
        if rule.allows(waiting[candidate]):
            chosen = candidate
        else:
            passed_over.append(candidate)
    if chosen is None:
        chosen = passed_over.pop(0)
    for each in passed_over:
        heappush(open_, each)
    return chosen


def _key(each: Interval, effects: Mapping[str, str]) -> tuple[int, int]:
    at_start = effects.get(each.action, "end") == "start" and each.status != "error"
    return (each.began if at_start else each.ended, each.began)


def _points(ordered: list[Interval], effects: Mapping[str, str]) -> list[tuple[int, int, Interval]]:
    """A moment for each event of one object, inside its interval and in the order found: as near
    to its key as the others let it be. Events of one moment are numbered."""
    latest: list[int] = []
    for each in reversed(ordered):
        latest.append(min(each.ended, latest[-1]) if latest else each.ended)
    latest.reverse()
    points: list[tuple[int, int, Interval]] = []
    moment, number = -1, 0
    for each, limit in zip(ordered, latest, strict=True):
        earliest = max(each.began, moment)
        chosen = max(earliest, min(_key(each, effects)[0], limit))
        number = number + 1 if chosen == moment else 0
        moment = chosen
        points.append((moment, number, each))
    return points
