"""What queues and pipes share: items of several producers, each one's in his own order.

In: an item put or got. Out: the state after it, or None. Between a queue's producers nothing is
promised: their feeder threads decide. Into a pipe items go one after the other: whose put was over
before another one's began, his item comes first; of those that were under way at once only what is
got tells the order. So a state says how far each producer's items have been put and got; where
equal items make it uncertain whose was got, it keeps every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mpflow.rule import Observation

_MOST = 64
_OWN = object()
ANY = object()
_PLAIN = (int, str, bytes, bool, type(None))  # where not equal means not the same


class Put:
    """One producer's put (`by`: the event; None where he has put nothing yet) and the puts that
    come next: one, but for orders tried and given up.

    States point into this chain, and it only points forwards: what no state can still ask for is
    free to go.
    """

    __slots__ = ("by", "following", "item", "others")

    def __init__(self, by: Any, item: object = None) -> None:
        self.by = by
        self.item = item
        self.following: Any = None  # a Put, as soon as there is one
        self.others: tuple[Put, ...] = ()  # following in other orders

    def then(self, by: Observation, item: object) -> Put:
        """The put that comes next; the same object whenever the same order is tried again."""
        for put in self._ways():
            if put.by is by:
                return put
        self.others += (Put(by, item),)
        return self.others[-1]

    def towards(self, last: Put) -> Put:
        """The next one on the way to a later put."""
        ways = self._ways()
        return next(put for put in ways if len(ways) == 1 or _leads(put, last))

    def _ways(self) -> tuple[Put, ...]:
        return (self.following, *self.others)


Puts = tuple[Put, ...]  # one of each producer
State = tuple[int, Puts, frozenset[Puts]]  # items inside; the last put; the last got, all answers
Turn = tuple["Observation", "list[Observation]"]  # a put, and those that came behind it


class Got(NamedTuple):
    """A get: the state before it, what was got (ANY: who knows), the state behind it."""

    before: State
    item: object
    after: State


class Producers:
    """The order of items: each producer's are got in the order in which he put them.

    With more than 64 answers to whose items were got, the state keeps none and only counts, until
    nothing is inside and all is known again.
    """

    def __init__(self, drops: bool = False, in_line: bool = False) -> None:
        self.drops = drops  # whether what cannot be pickled gets lost
        self.in_line = in_line  # whether all items go through one pipe as they are put
        self.changes = False  # whether an item may still be changed when it has been put
        self.numbers: dict[str, int] = {}
        self.origins: Puts = ()

    def start(self) -> State:
        """Nobody has put anything."""
        return 0, (), frozenset([()])

    def put(self, state: State, event: Observation, item: object = _OWN) -> State:
        """One more item of the event's process: the event's value, or as it is given."""
        inside, last, answers = state
        item = event.value if item is _OWN else item
        number = self.numbers.get(event.process)
        if number is None:
            number = self.numbers[event.process] = len(self.numbers)
            self.origins += (Put(None),)
        if number >= len(last):
            unheard = self.origins[len(last) : number + 1]
            last += unheard
            answers = frozenset([got + unheard for got in answers])
        before = last[number]
        put = before.following
        if put is None:
            put = before.following = Put(event, item)
        elif put.by is not event:
            put = before.then(event, item)
        return inside + 1, (*last[:number], put, *last[number + 1 :]), answers

    def get(self, state: State, item: object) -> State | None:
        """One item less, this one; None when it is nobody's next."""
        inside, last, answers = state
        if not inside:
            return None
        if not answers:
            return _state(inside - 1, last, answers)
        try:
            found = list(_of(item, last, answers))
        except RecursionError:  # a value that contains itself
            found = []
        if not found:
            found = [got for put, got in _next(last, answers) if _same(put.item, item)]
        if not found and self.changes and isinstance(item, list | dict | set):
            found = [got for put, got in _next(last, answers) if type(put.item) is type(item)]
        if self.in_line and len(last) > 1:
            found = [got for got in found if _in_turn(got, last)]
        if found:
            return _state(inside - 1, last, frozenset(found))
        return self._after_dropped(state, item) if self.drops else None

    def _after_dropped(self, state: State, item: object) -> State | None:
        """The same where items went before it that could not be pickled."""
        dropped = self.drop(state)
        return None if dropped is None else self.get(dropped, item)

    def drop(self, state: State) -> State | None:
        """One item less, which could not be pickled: the feeder thread says so on standard error
        and goes on with the next (queues.py, _feed). None when there is no such item."""
        inside, last, answers = state
        left = [got for put, got in _next(last, answers) if hasattr(put.item, "foreign_type")]
        return _state(inside - 1, last, frozenset(left)) if left else None

    def lose(self, state: State) -> State | None:
        """One item less, nobody knows which; None when there is none."""
        inside, last, answers = state
        if not inside:
            return None
        found = [got for _, got in _next(last, answers)]
        if self.in_line and len(last) > 1:
            found = [got for got in found if _in_turn(got, last)]
        return _state(inside - 1, last, frozenset(found))

    # Where items go in line: the order of puts that were under way at once

    def certain(self, state: State) -> bool:
        """Whether it is known whose items were got."""
        return len(state[2]) == 1

    def line(self, got: Sequence[Got], place: Callable[[Observation], Any]) -> list[Turn]:
        """The puts of what was got one after the other, each with the puts that came behind it.
        What is uncertain is settled as the places of the puts have it, where they may; what nobody
        knows is left out."""
        turns: list[Turn] = []
        answer: Puts | None = None
        for before, item, (_, last, answers) in reversed(got):
            if len(last) < 2 or not answers:
                break
            if answer is None:
                answer = max(answers, key=lambda each: _least(_following(each, last), place))
            answer = answer[: len(last)]  # whoever put for the first time later had put nothing
            found = [
                (answer[number].by, puts)
                for puts in (each + self.origins[len(each) : len(last)] for each in before[2])
                if (number := _only_difference(puts, answer)) is not None
                and puts[number].towards(last[number]) is answer[number]
                and (item is ANY or _is(answer[number].item, item))
            ]
            if not found:
                break
            behind = list(_following(answer, last))
            put, answer = max(found, key=lambda each: place(each[0]))
            turns.append((put, [other for other in behind if other.process != put.process]))
        return turns[::-1]


def _least(puts: Iterable[Observation], place: Callable[[Observation], Any]) -> Any:
    return min(map(place, puts), default=(inf, 0))


def _only_difference(one: Puts, other: Puts) -> int | None:
    """The place of the only difference."""
    found = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a is not b]
    return found[0] if len(found) == 1 else None


def _is(one: object, other: object) -> bool:
    try:
        return bool(one == other) or _same(one, other)
    except RecursionError:
        return _same(one, other)


def _following(got: Puts, last: Puts) -> Iterator[Observation]:
    """The put of what comes next of each producer who has something inside."""
    return (b.towards(end).by for b, end in zip(got, last, strict=True) if b is not end)


def _in_turn(got: Puts, last: Puts) -> bool:
    """Whether nothing that is inside was put before the put of what was got even began."""
    first = min((each.ended for each in _following(got, last)), default=inf)
    return not any(_before(first, put.by) for put in got if put.by)


def _before(moment: float, put: Observation) -> bool:
    """Whether what is over by then comes before a put: it takes effect behind its begin, unless
    that is its end as well."""
    return moment < put.began or moment == put.began < put.ended


def _state(inside: int, last: Puts, answers: frozenset[Puts]) -> State:
    if not inside:
        return 0, last, frozenset([last])
    return inside, last, answers if len(answers) <= _MOST else frozenset()


def _of(item: object, last: Puts, answers: frozenset[Puts]) -> Iterator[Puts]:
    """What has been got, by each answer, once this item has been."""
    for got in answers:
        for number, before in enumerate(got):
            if before is not last[number]:
                put = before.towards(last[number]) if before.others else before.following
                if put.item == item:
                    yield _with(got, number, put)


def _with(puts: Puts, number: int, put: Put) -> Puts:
    return (*puts[:number], put, *puts[number + 1 :])


def _next(last: Puts, answers: frozenset[Puts]) -> Iterator[tuple[Put, Puts]]:
    """Each item that can be got next, and what has been got then."""
    for got in answers:
        for number, before in enumerate(got):
            if before is not last[number]:
                put = before.towards(last[number])
                yield put, _with(got, number, put)


def _leads(put: Put, last: Put) -> bool:
    """Whether the way from a put goes through a later one."""
    ahead = [put]
    while ahead:
        put = ahead.pop()
        if put is last:
            return True
        ahead += put.others
        if put.following:
            ahead.append(put.following)
    return False


def _same(one: object, other: object) -> bool:
    """Whether two values that are not equal may still be one item: a NaN is not equal to itself;
    of values that could not be written down, only the type is known for certain."""
    if type(one) in _PLAIN or type(other) in _PLAIN:
        return False
    foreign = getattr(one, "foreign_type", None)
    if foreign is not None:
        return bool(foreign == getattr(other, "foreign_type", None))
    return repr(one) == repr(other)
