"""A few events, and a state -> an order of them that the rule and real time allow.

Depth first, in the order given where that goes; what led nowhere is not tried again.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mpflow.engine.order import Interval


class Search:
    """Looks for an order of events, until too many states have been looked at."""

    def __init__(self, after: Callable[[Any, Interval], Any], patience: int) -> None:
        self.after = after
        self.left = patience

    def order(self, state: Any, must: list[Interval], may: list[Interval]) -> list[Interval] | None:
        """All that must be and some that may be (few, if few are enough), in an order that the
        rule and real time allow. `must` stands in the order of its ends."""
        for most in sorted({min(1, len(may)), len(may)}):
            order = self._search(Choices(must, may, most), Point(state, 0, 0, 0))
            if order is not None:
                return order
        return None

    def _search(self, choices: Choices, point: Point) -> list[Interval] | None:
        seen = {point}
        path: list[Interval] = []
        ways = [choices.after(point)]
        points = [point]
        while ways:
            for each, first, ahead, taken in ways[-1]:
                state = self.after(points[-1].state, each)
                if state is None:
                    continue
                point = Point(state, first, ahead, taken)
                if point in seen:
                    continue
                path.append(each)
                if first == len(choices.must):
                    return path
                self.left -= 1
                seen.add(point)
                points.append(point)
                ways.append(choices.after(point))
                break
            else:
                ways.pop()
                points.pop()
                if path:
                    path.pop()
            if self.left <= 0:
                return None
        return None


class Point(NamedTuple):
    """How far a search has come: what has been taken, and the state then."""

    state: Hashable
    first: int  # the first one not taken of those that must be
    ahead: int  # which behind it are taken already, as bits
    taken: int  # which of those that may be are taken, as bits


class Choices:
    """What can be taken next, by real time alone: what began before the end of all that is left.

    Intervals that touch are one after the other; two that are at one moment go in any order,
    except of one process.
    """

    def __init__(self, must: list[Interval], may: list[Interval], most: int) -> None:
        self.must = must
        self.may = may
        self.most = most
        ends = [each.ended for each in must]
        self.open: list[list[int]] = [[] for _ in must]  # behind each as the first, what is open
        for index, each in enumerate(must):
            find = bisect_left if each.began == each.ended else bisect_right
            for first in range(find(ends, each.began), index + 1):
                self.open[first].append(index)

    def after(self, point: Point) -> Iterator[tuple[Interval, int, int, int]]:
        """Each event that can come next, with what is taken then."""
        _, first, ahead, taken = point
        for index in self.open[first]:
            bit = 1 << index - first
            if not ahead & bit and self._turned(self.must[index], index, point):
                yield (self.must[index], *_onwards(first, ahead | bit), taken)
        if taken.bit_count() < self.most:
            end = self.must[first].ended
            for index, each in enumerate(self.may):
                if taken >> index & 1 or earliest(each) > end:
                    continue
                if self._turned(each, len(self.must) + index, point):
                    yield each, first, ahead, taken | 1 << index

    def _turned(self, each: Interval, index: int, point: Point) -> bool:
        """Whether nothing of its process is left that must come before: of two events at one
        moment the times do not tell."""
        if each.began < each.ended:
            return True
        _, first, ahead, taken = point
        gone = (1 << first) - 1 | ahead << first | taken << len(self.must)
        return not any(
            other.ended == each.began and other.process == each.process and not gone >> n & 1
            for n, other in enumerate(islice(chain(self.must, self.may), index))
        )


def _onwards(first: int, ahead: int) -> tuple[int, int]:
    """Past all that has been taken."""
    while ahead & 1:
        first += 1
        ahead >>= 1
    return first, ahead


def earliest(each: Interval) -> float:
    """The first moment that lies in an interval."""
    return each.began if each.began == each.ended else math.nextafter(each.began, math.inf)
