"""The events of one subject, in the order of their ends -> an order that its rule allows.

Where the next event is not legal, the events around it are put in another order that real time
allows: first one is taken that was under way before its turn, then what was placed last is taken
back, further and further (just-in-time linearization). States are immutable: taking back is free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from mpflow.engine.search import Search, earliest

if TYPE_CHECKING:
    from mpflow.engine.order import Interval
    from mpflow.rule import Lined, Rule

WINDOWS = (0, 8, 32, 128, 512, 2048)  # how many events are taken back, one try after another
PATIENCE = 20_000  # states looked at until an event is given up; less after each one given up
LEAST_PATIENCE = 100
AGAIN = 200  # events that are tried again behind one that is moved

ENDED = itemgetter(0)
TOOK_EFFECT = ""  # in the place of the reason why an event is suspect

Row = tuple[float, float, "Interval", str | None]  # moment, rank in it, what, suspect


class Places:
    """Where those events stand that do not stand at their ends, by id, until they are given out.

    None: given out before its turn came. Nothing moves to a moment before `final` any more. What
    never came back and has had its effect all the same is marked with TOOK_EFFECT.
    """

    def __init__(self) -> None:
        self.unusual: dict[int, Row | None] = {}
        self.final = -math.inf
        self.told = 0  # how often events were placed by what others told

    def put(
        self, each: Interval, moment: float, rank: float = 0, suspect: str | None = None
    ) -> None:
        if moment == each.ended and not rank and not suspect:
            self.unusual.pop(id(each), None)
        else:
            self.unusual[id(each)] = (moment, rank, each, suspect)

    def moment(self, each: Interval) -> float:
        return self.at(each)[0]

    def arrange(self, each: Interval, behind: Sequence[Interval]) -> None:
        """Place an event just before all those behind it, where its times let that be. What is
        placed before one event keeps the order in which it was told."""
        if not behind:
            return
        first = min(map(self.at, behind))
        if self.at(each) < first:
            return
        if each.began >= first[0] and each.began < each.ended:
            self._make_way(behind, math.nextafter(each.began, math.inf))
            first = min(map(self.at, behind))
        moment, rank = first
        if self.final <= moment and earliest(each) <= moment:
            self._put(each, moment, rank - 1 + self._next())

    def _make_way(self, behind: Iterable[Interval], moment: float) -> None:
        """Place those behind later that never came back, so that another one can still come before
        them."""
        for other in behind:
            if other.ended == math.inf and self.at(other)[0] < moment:
                self._put(other, moment, 1 + self._next())

    def at(self, each: Interval) -> tuple[float, float]:
        """The moment, and the rank in it."""
        row = self.unusual.get(id(each), (each.ended, 0))
        return row[:2] if row else (-math.inf, 0)

    def _put(self, each: Interval, moment: float, rank: float) -> None:
        self.put(each, moment, rank, TOOK_EFFECT if each.ended == math.inf else None)

    def _next(self) -> float:
        """A little more each time, and never 1."""
        self.told += 1
        return self.told * 2.0**-40


class History:
    """What was done to one subject, in the order found so far."""

    def __init__(self, subject: str, rule: Rule, places: Places) -> None:
        self.subject = subject
        self.rule = rule
        self.places = places
        self.state: Any = rule.start()
        self.events: list[Interval] = []  # the last ones
        self.states: list[Any] = []  # before each of them
        self.early: dict[int, Interval] = {}  # taken before their turns, which are still to come
        self.blocked: list[Interval] = []  # never came back, and had no effect so far
        self.patience = PATIENCE
        self.lined: Lined | None = rule if hasattr(rule, "turns") else None  # type: ignore
        self.aligned = 0  # how many of the events have told what they tell of others

    def take(
        self, events: list[Interval], under_way: Callable[[Interval], Iterable[Interval]]
    ) -> None:
        """Place events whose turn it is; `under_way` tells what ends behind one of them."""
        after, early = self.rule.after, self.early
        done, states, state = self.events, self.states, self.state
        for turn, each in enumerate(events):
            if early and id(each) in early:
                del early[id(each)]
                continue
            if each[0] == math.inf:
                self.blocked.append(each)
                self._place_blocked(each)
                continue
            found = after(state, each)
            if found is not None:
                states.append(state)
                done.append(each)
                state = found
                continue
            self.state = state
            self._mend(each, [*_ties(events, turn), *under_way(each)])
            after, state = self.rule.after, self.state
        self.state = state
        if self.lined is not None:
            self._align(self.lined, len(done) > self.aligned + WINDOWS[-1])
        surplus = len(done) - WINDOWS[-1]
        del done[: -WINDOWS[-1]], states[: -WINDOWS[-1]]
        self.aligned -= max(0, surplus)

    def finish(self) -> None:
        """No more events will come."""
        if self.lined is not None:
            self._align(self.lined, True)

    def _align(self, rule: Lined, all_: bool) -> None:
        """Let the places of events follow what others tell of their order, as far as they do."""
        states, end = [*self.states, self.state], len(self.events)
        while end > self.aligned and not (all_ or rule.certain(states[end])):
            end -= 1
        start, self.aligned = self.aligned, end
        seen = list(
            zip(states[start:end], self.events[start:end], states[start + 1 :], strict=False)
        )
        told = rule.turns(seen, self.places.at)  # type: ignore[arg-type]
        for each, behind in told:
            self.places.arrange(each, behind)  # type: ignore[arg-type]

    def _mend(self, event: Interval, under_way: list[Interval]) -> None:
        """Place an event that is not legal now: in another order, or as suspect."""
        fresh = [each for each in under_way if id(each) not in self.early]
        fresh.sort(key=ENDED)  # whichever lane was read first
        for each in fresh:
            if self._fits(each, event):
                self._replace(len(self.events), self.state, [each, event], {id(event)})
                return
        search = Search(self.rule.after, self.patience)
        for start in self._starts():
            state = self.states[start] if start < len(self.states) else self.state
            back = self.events[start:]
            must = [each for each in back if each.ended < math.inf and id(each) not in self.early]
            may = [each for each in back if id(each) in self.early] + fresh
            may += [each for each in back if each.ended == math.inf] + self.blocked
            must.sort(key=ENDED)
            must.append(event)
            order = search.order(state, must, may)
            if order is not None:
                self.patience = min(PATIENCE, self.patience * 2)
                self._replace(start, state, order, {id(each) for each in must})
                return
            if search.left <= 0:
                break
        if hasattr(self.rule, "relax") and self.rule.relax():
            self._mend(event, under_way)
            return
        self.patience = max(LEAST_PATIENCE, self.patience // 4)
        name = self.subject.removeprefix("process ")
        reason = f"no order of what was done to `{name}` at the time allows this `{event.action}`"
        self.places.put(event, event.ended, 0, reason)

    def _fits(self, each: Interval, event: Interval) -> bool:
        """Whether an event that is under way makes another one legal."""
        if each.ended == event.ended:
            return False
        state = self.rule.after(self.state, each)
        return state is not None and self.rule.after(state, event) is not None

    def _starts(self) -> Iterator[int]:
        """From where on the events are put in another order: never what was given out."""
        before = None
        for size in WINDOWS:
            start = max(0, len(self.events) - size)
            while start < len(self.events) and self._moment(start) < self.places.final:
                start += 1
            if start != before:
                yield start
            before = start

    def _moment(self, index: int) -> float:
        """When an event took effect; for what never came back, when the one before it did."""
        while index >= 0 and self.events[index].ended == math.inf:
            index -= 1
        return self.places.moment(self.events[index]) if index >= 0 else -math.inf

    def _replace(self, start: int, state: Any, order: list[Interval], turned: set[int]) -> None:
        """The events from `start` on are these; `turned` are those whose turn has come."""
        for each in self.events[start:]:
            if each.ended == math.inf:
                self.blocked.append(each)
                self._place_blocked(each)
            elif self.early.pop(id(each), None):
                self.places.put(each, each.ended)
        self.aligned = min(self.aligned, start)
        del self.events[start:], self.states[start:]
        for each in order:
            self.states.append(state)
            self.events.append(each)
            state = self.rule.after(state, each)
            if each.ended == math.inf:
                self.blocked = [other for other in self.blocked if other is not each]
            elif id(each) not in turned:
                self.early[id(each)] = each
        self.state = state
        for index in range(start, len(self.events)):
            if self.events[index].ended == math.inf:
                start = min(start, self._sooner(index))
        self._settle(start)

    def _sooner(self, index: int) -> int:
        """Move what never came back to before all that can come behind it just as well: who did it
        may have died soon after its begin. Its new place."""
        each = self.events[index]
        self.states.append(self.state)
        while index > 0:
            before, state = self.events[index - 1], self.states[index - 1]
            least = max(each.began, self.places.final)
            if before.ended == math.inf or self._moment(index - 1) <= least:
                break
            between = self.rule.after(state, each)
            following = None if between is None else self.rule.after(between, before)
            if following is None:
                break
            if following != self.states[index + 1]:
                states = self._again(following, self.events[index + 1 :])
                if states is None:
                    break
                self.states[index + 1 :] = states
            self.events[index - 1], self.events[index] = each, before
            self.states[index] = between
            index -= 1
        self.state = self.states.pop()
        return index

    def _again(self, state: Any, events: Sequence[Interval]) -> list[Any] | None:
        """The states before each of these events and behind the last one, beginning with this one;
        None where they cannot come then, or are too many to be tried."""
        states = [state]
        for each in events if len(events) <= AGAIN else ():
            states.append(self.rule.after(states[-1], each))
            if states[-1] is None:
                return None
        return states if len(states) == len(events) + 1 else None

    def _settle(self, start: int) -> None:
        """Give the events from `start` on their moments; at one moment, by rank."""
        final = max(self.places.final, self._moment(start - 1))
        following, rank = math.inf, 0
        moments = _moments(self.events[start:], final)
        for index in range(len(self.events) - 1, -1, -1):
            each = self.events[index]
            took_effect = TOOK_EFFECT if each.ended == math.inf else None
            if took_effect is not None and (index < start or self._given_out(each)):
                continue
            moment = moments[index - start] if index >= start else self.places.moment(each)
            if index < start and moment < following:
                return
            rank = rank - 1 if moment == following else 0
            self.places.put(each, moment, rank, took_effect)
            following = moment

    def _place_blocked(self, each: Interval) -> None:
        """What never came back, and had no effect as far as is known, stands where it began."""
        if not self._given_out(each):
            self.places.put(each, math.nextafter(each.began, math.inf))

    def _given_out(self, blocked: Interval) -> bool:
        return math.nextafter(blocked.began, math.inf) < self.places.final


def _ties(events: list[Interval], turn: int) -> Iterator[Interval]:
    """The events behind one that ended at the same moment."""
    end = events[turn].ended
    for index in range(turn + 1, len(events)):
        each = events[index]
        if each.ended == end:
            yield each
        elif each.ended < math.inf:
            return


def _moments(order: Sequence[Interval], final: float) -> list[float]:
    """A moment for each: as late as its end and those behind it let it be, and before the next
    one where there is a number between; of what never came back, as early as can be."""
    least = list(accumulate(map(earliest, order), max, initial=final))[1:]
    moments: list[float] = []
    following = math.inf
    for each, first in zip(reversed(order), reversed(least), strict=True):
        late = min(each.ended, math.nextafter(following, -math.inf))
        following = first if each.ended == math.inf else max(first, late)
        moments.append(following)
    return moments[::-1]
