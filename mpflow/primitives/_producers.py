"""What a queue and a pipe share: items of several producers, each one's in his own order.

In: an item put or got. Out: the state after it, or None. Between producers nothing is promised:
a feeder thread or a scheduler decides. So a state says how far each producer's items have been
put and got; where equal items make it uncertain whose was got, it keeps every answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpflow.rule import Observation

_MOST = 64


class Put:
    """One producer's put and the puts that come next: one, but for orders tried and given up.

    States point into this chain, and it only points forwards: what no state can still ask for is
    free to go.
    """

    __slots__ = ("by", "following")

    def __init__(self, by: Observation | None) -> None:
        self.by = by
        self.following: tuple[Put, ...] = ()

    def then(self, by: Observation) -> Put:
        """The put that comes next; the same object whenever the same order is tried again."""
        for put in self.following:
            if put.by is by:
                return put
        put = Put(by)
        self.following += (put,)
        return put

    def towards(self, last: Put) -> Put:
        """The next one on the way to a later put."""
        if len(self.following) == 1:
            return self.following[0]
        return next(put for put in self.following if _leads(put, last))


Puts = tuple[Put, ...]  # one of each producer
State = tuple[int, Puts, frozenset[Puts]]  # items inside; the last put; the last got, all answers


class Producers:
    """The order of items: each producer's are got in the order in which he put them.

    With more than 64 answers to whose items were got, the state keeps none and only counts, until
    nothing is inside and all is known again.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.origins: Puts = ()

    def start(self) -> State:
        """Nobody has put anything."""
        return 0, (), frozenset([()])

    def put(self, state: State, event: Observation) -> State:
        """One more item, the event's value, of the event's process."""
        number = self.numbers.get(event.process)
        if number is None:
            number = self.numbers[event.process] = len(self.numbers)
            self.origins += (Put(None),)
        inside, last, answers = state
        if number >= len(last):
            unheard = self.origins[len(last) : number + 1]
            last += unheard
            answers = frozenset(got + unheard for got in answers)
        put = last[number].then(event)
        return inside + 1, (*last[:number], put, *last[number + 1 :]), answers

    def get(self, state: State, item: object) -> State | None:
        """One item less, this one; None when it is nobody's next."""
        inside, last, answers = state
        if not inside:
            return None
        if not answers:
            return _state(inside - 1, last, answers)
        found = [got for was, put, got in _next(last, answers) if was == item]
        if not found:
            found = [got for was, put, got in _next(last, answers) if _same(was, item)]
        return _state(inside - 1, last, frozenset(found)) if found else None

    def lose(self, state: State) -> State | None:
        """One item less, nobody knows which; None when there is none."""
        inside, last, answers = state
        if not inside:
            return None
        return _state(inside - 1, last, frozenset(got for _, _, got in _next(last, answers)))


def _state(inside: int, last: Puts, answers: frozenset[Puts]) -> State:
    if not inside:
        return 0, last, frozenset([last])
    return inside, last, answers if len(answers) <= _MOST else frozenset()


def _next(last: Puts, answers: frozenset[Puts]) -> Iterator[tuple[Any, Put, Puts]]:
    """Each item that can be got next, and what has been got then."""
    for got in answers:
        for number, (head, tail) in enumerate(zip(got, last, strict=True)):
            if head is not tail:
                put = head.towards(tail)
                assert put.by is not None
                yield put.by.value, put, (*got[:number], put, *got[number + 1 :])


def _leads(put: Put, last: Put) -> bool:
    """Whether the way from a put goes through a later one."""
    ahead = [put]
    while ahead:
        put = ahead.pop()
        if put is last:
            return True
        ahead += put.following
    return False


def _same(one: object, other: object) -> bool:
    """Whether two values that are not equal may still be one item: a NaN is not equal to itself;
    of values that could not be written down, only the type is known for certain."""
    foreign = getattr(one, "foreign_type", None)
    if foreign is not None:
        return bool(foreign == getattr(other, "foreign_type", None))
    return repr(one) == repr(other)
