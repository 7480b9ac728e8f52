"""Waits for conditions -> when they gave their lock up: intervals of their own, in own lanes.

Condition.wait gives the lock up and takes it again; the record has the whole of it. The lock was
given up at some moment in between: so there is an interval `park` as long as the wait, which only
the order of events needs, and no trace shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from math import inf

from mpflow.engine.order import Interval, Placed

PARK = "park"
_MARK = ""  # an interval that is nothing: so far the lane has been read


class Parted:
    """A lane of batches as two lanes: its actions, and its parks, read alongside."""

    def __init__(self, batches: Iterator[list[Interval]], conditions: Collection[str]) -> None:
        self.batches = batches
        self.conditions = conditions
        self.actions: deque[Interval] = deque()
        self.parks: deque[Interval] = deque()

    def read(self, kept: deque[Interval]) -> Iterator[Interval]:
        """The intervals of one of the two lanes."""
        while True:
            while kept:
                yield kept.popleft()
            batch = next(self.batches, None)
            if batch is None:
                return
            self.actions += batch
            self.parks += (park(each) for each in batch if self._waits(each))
            last = batch[-1]
            turn = last.began if last.ended == inf else last.ended
            self.parks.append(Interval(turn, turn, last.process, _MARK, None, None))

    def _waits(self, each: Interval) -> bool:
        held = each.error is None or each.error[0] != "AssertionError"
        return each.action == "wait" and each.on in self.conditions and held


def park(wait: Interval) -> Interval:
    """That a wait has given its lock up."""
    ended, began, process, _, on, subject, *_ = wait
    return Interval(ended, began, process, PARK, on, subject, status=wait.status)


def shown(placed: Iterator[Placed]) -> Iterator[Placed]:
    """Without what no trace shows."""
    return (each for each in placed if each[1].action not in (PARK, _MARK))
