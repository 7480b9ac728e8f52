"""Lanes of intervals -> one legal order: each action took effect between its begin and its end.

Events are read in the order in which they ended, a batch of every lane at a time. That order is
nearly always legal for every primitive; where it is not, legal.py finds another one for the
events of that primitive alone. Intervals of one lane never overlap, so the orders of all
primitives merge by their moments (recording.md). What a later event may still move is held back.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow.engine.legal import ENDED, History, Places

if TYPE_CHECKING:
    from mpflow.engine.legal import Row
    from mpflow.rule import Rule

BATCH = 1024  # intervals read of each lane at a time
HELD = 8192  # events held back at least: an order can be mended so far behind


class Interval(NamedTuple):
    """An event before it has its place. `subject` is the primitive, or `process NAME`, whose
    state it changes or tells; what never came back has no end, and may take effect at any time."""

    ended: float  # seconds
    began: float
    process: str
    action: str
    on: str | None
    subject: str | None
    line: int | None = None
    value: Any = None
    result: Any = None
    status: str = "ok"
    error: tuple[str, str] | None = None
    extra: Mapping[str, Any] = {}


# An event in its place: the moment, the event, and, where no order allows it, a sentence that
# says so; TOOK_EFFECT for what never came back and must have had its effect then. A plain tuple:
# there are millions of them.
Placed = tuple[float, Interval, str | None]

MOMENT_AND_RANK = itemgetter(0, 1)


def in_order(
    lanes: Sequence[Iterable[Interval]], rule: Callable[[str], Rule], batch: int = BATCH
) -> Iterator[Placed]:
    """All events of all lanes in one order that is legal for every subject.

    A lane gives intervals that do not overlap, in the order of their ends. The moments never
    decrease, and lie in the intervals: behind the begin, unless that is the end as well. Of what
    never came back the moment is just behind its begin.
    """
    places = Places()
    histories: dict[str, History] = {}
    held: deque[tuple[list[Interval], float]] = deque()
    count = 0
    for chunk, limit, open_lanes in _chunks([_Lane(lane) for lane in lanes], batch):
        for subject, events in _by_subject(chunk).items():
            if subject not in histories:
                histories[subject] = History(subject, rule(subject), places)
            histories[subject].take(events, partial(_under_way, open_lanes))
        held.append((chunk, limit))
        count += len(chunk)
        while count - len(held[0][0]) >= HELD:
            count -= len(held[0][0])
            yield from _release(*held.popleft(), places)
    for history in histories.values():
        history.finish()
    for part in held:
        yield from _release(*part, places)


class Sparse:
    """A lane that is read an interval at a time: there are few, and each costs reading many of
    another lane."""

    def __init__(self, source: Iterable[Interval]) -> None:
        self.source = source

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.source)


class _Lane:
    """What has been read of a lane, and not yet been placed."""

    def __init__(self, source: Iterable[Interval]) -> None:
        self.source = iter(source)
        self.sparse = isinstance(source, Sparse)
        self.events: list[Interval] = []
        self.turns: list[float] = []  # of each event
        self.exhausted = False
        self.ends = True  # every turn is an end

    def read(self, batch: int) -> None:
        """Hold a batch at least, and two different ends, if there are."""
        batch = 1 if self.sparse else batch
        while not self.exhausted and (len(self.events) < batch or self.turns[0] == self.turns[-1]):
            more = list(islice(self.source, batch))
            self.exhausted = len(more) < batch
            self.events += more
            ends = list(map(ENDED, more))
            if math.inf in ends:
                self.ends = False
                ends = list(map(_turn, more))
            self.turns += ends


def _turn(each: Interval) -> float:
    """When an event's turn comes: at its end; what never came back, at its begin."""
    return each.began if each.ended == math.inf else each.ended


def _chunks(lanes: list[_Lane], batch: int) -> Iterator[tuple[list[Interval], float, list[_Lane]]]:
    """All events in the order of their turns, cut into lists; with each the moment before which
    its turns are, and the lanes, where what comes next after each event can be seen."""
    while lanes:
        for lane in lanes:
            lane.read(batch)
        limit = min((lane.turns[-1] for lane in lanes if not lane.exhausted), default=math.inf)
        cuts = [bisect_left(lane.turns, limit) for lane in lanes]
        chunk: list[Interval] = []
        for lane, cut in zip(lanes, cuts, strict=True):
            chunk += lane.events[:cut]
        chunk.sort(key=ENDED if all(lane.ends for lane in lanes) else _turn)
        yield chunk, limit, lanes
        for lane, cut in zip(lanes, cuts, strict=True):
            del lane.events[:cut], lane.turns[:cut]
        lanes = [lane for lane in lanes if lane.events or not lane.exhausted]


def _by_subject(chunk: list[Interval]) -> dict[str, list[Interval]]:
    groups: dict[str | None, list[Interval]] = defaultdict(list)
    for each in chunk:
        groups[each.subject].append(each)
    groups.pop(None, None)
    return groups  # type: ignore[return-value]


def _under_way(lanes: list[_Lane], event: Interval) -> Iterator[Interval]:
    """What else was done to an event's subject when it ended, and ended later."""
    for lane in lanes:
        following = bisect_right(lane.turns, event.ended)
        if following < len(lane.turns):
            each = lane.events[following]
            if each.began < event.ended and each.subject == event.subject:
                yield each


def _release(chunk: list[Interval], limit: float, places: Places) -> Iterator[Placed]:
    """The events whose moments are before the limit: the chunk's, and such as were taken early."""
    places.final = limit
    unusual = places.unusual
    if not unusual:
        yield from zip(map(ENDED, chunk), chunk, repeat(None))
        return
    ordinary: list[Interval] = []
    rows: list[Row] = []
    for each in chunk:
        if id(each) not in unusual:
            ordinary.append(each)
        elif row := unusual.pop(id(each)):
            if row[0] < limit:
                rows.append(row)
            else:  # what never came back, and took effect only later
                unusual[id(each)] = row
    early = [row for row in unusual.values() if row and row[0] < limit]
    unusual.update({id(row[2]): None for row in early})  # their turns are still to come
    rows += early
    rows.sort(key=MOMENT_AND_RANK)
    yield from _merged(ordinary, rows)


def _merged(ordinary: Iterable[Interval], rows: list[Row]) -> Iterator[Placed]:
    """Events that stand at their ends, and among them those that do not."""
    waiting = deque(rows)
    moment = rows[0][0] if rows else math.inf
    for each in ordinary:
        ended = each[0]
        while moment < ended or (moment == ended and waiting[0][1] < 0):
            _, _, unusual, suspect = waiting.popleft()
            yield moment, unusual, suspect
            moment = waiting[0][0] if waiting else math.inf
        yield ended, each, None
    yield from ((moment, unusual, suspect) for moment, _, unusual, suspect in waiting)
