"""The model of a queue and a joinable one: slots, a lock for readers and one for writers, a pipe,
and in each process that puts a buffer, which its feeder thread empties.

CPython: multiprocessing.Queue (queues.py). A generator tells each operation in steps
(model/steps.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.exceptions import named
from mpflow.primitives import _pipes
from mpflow.primitives._locking import MOST

SENTINEL, ENDED = "sentinel", ("ended",)  # in a buffer: what ends its thread; it has ended


def bases(options: Mapping[str, Any]) -> dict[str, object]:
    slots = options["maxsize"] if options["maxsize"] > 0 else MOST
    return {"slots": slots, "readers": 1, "writers": 1, "pipe": _pipes.EMPTY}


def put(on: Any, me: Any, value: object, block: bool, timeout: float | None) -> Any:
    """Queue.put: a slot, and into the buffer of this process."""
    _check_open(on, me)
    yield from take_slot(on, block, timeout)
    yield append(on, me, me.number(value))


def take_slot(on: Any, block: bool, timeout: float | None) -> Any:
    """A slot, or Full."""
    if _counts(on) and not (yield on.down(on.key("slots"), block, timeout)):
        raise named("Full")


def taking_slot(on: Any, waits: bool) -> tuple[str, ...]:
    """What that does to what."""
    slots = on.key("slots")
    return (f"{slots}:P",) if waits else (f"{slots}:P", f"{slots}:T")


def _counts(on: Any) -> bool:
    """Whether it matters how many slots there are: not where they never end, and nobody asks."""
    return bool(on.options["maxsize"] > 0 or on.uses.counted)


def append(on: Any, me: Any, item: Any) -> Any:
    """The step that hands an item to the feeder thread, which is started with the first."""
    key = on.own("buffer", me.name)
    kinds = (f"{key}:append",)
    return on.step((key,), kinds, lambda items: [(None, ((*(items or ()), item),))], effect=True)


def get(on: Any, me: Any, block: bool, timeout: float | None) -> Any:
    """Queue.get: the readers' lock is held while it waits."""
    _check_open(on, me)
    readers, pipe, slots = on.key("readers"), on.key("pipe"), on.key("slots")
    if block and timeout is None:
        alone = on.merged and not on.uses.tried and not on.exact(pipe)
        if not alone:  # else whoever takes the item had the lock: nobody sees who waits with it
            yield on.down(readers)
        item = yield from _pipes.receive(on, me, pipe)
        if not alone:
            yield on.up(readers)
        if _counts(on):
            yield on.up(slots)
        return me.value(item)
    if not (yield on.down(readers, block, timeout)):
        raise named("Empty")
    if not (yield _pipes.poll(on, pipe, timeout if block else 0)):
        yield on.up(readers)
        raise named("Empty")
    item = yield from _pipes.receive(on, me, pipe)
    if _counts(on):
        yield on.up(slots)
    yield on.up(readers)
    return me.value(item)


def getting(on: Any, waits: bool) -> tuple[str, ...]:
    """What get does to what."""
    readers, pipe = on.key("readers"), on.key("pipe")
    timed = () if waits else (f"{readers}:T", f"{pipe}:poll")
    return (
        f"{readers}:P",
        f"{readers}:V",
        _pipes.reading(on, pipe),
        f"{on.key('slots')}:V",
        *timed,
    )


def feed(on: Any, me: Any) -> Any:
    """Queue._feed, once round: one item on its way from the buffer into the pipe. True at the
    sentinel: the thread ends."""
    buffer, pipe = on.own("buffer", me.name), on.key("pipe")

    def pop(items: Any) -> Any:
        if not items or items == ENDED:
            return []
        return [(items[0], (ENDED if items[0] == SENTINEL else items[1:],))]

    def carry(items: Any, way: Any) -> Any:
        """Nobody sees an item between buffer and pipe, nor who has the lock for writing."""
        return [
            (item, (left, way if item == SENTINEL else _pipes.sent(on, me, pipe, way, item)))
            for item, (left,) in pop(items)
        ]

    if on.merged and not on.uses.left and not on.exact(pipe):
        kinds = (f"{buffer}:pop", _pipes.writing(on, pipe))
        return (yield on.step((buffer, pipe), kinds, carry)) == SENTINEL
    item = yield on.step((buffer,), (f"{buffer}:pop",), pop)
    if item == SENTINEL:
        return True
    yield on.down(on.key("writers"))
    yield from _pipes.send(on, me, pipe, item)
    yield on.up(on.key("writers"))
    return False


def qsize(on: Any, me: Any) -> Any:
    slots = on.options["maxsize"] if on.options["maxsize"] > 0 else MOST
    return slots - (yield on.count(on.key("slots")))


def empty(on: Any, me: Any) -> Any:
    """Queue.empty. In a process that has closed the queue, the feeder thread closes the reading end
    as it ends (queues.py, _feed)."""
    if me.get(("closed", on.name)) and on.fed_by(me.name):
        key = on.own("buffer", me.name)
        if (yield on.step((key,), (f"{key}:asks",), lambda items: [(items == ENDED, (items,))])):
            raise OSError("handle is closed")
    return not (yield _pipes.poll(on, on.key("pipe"), 0))


def full(on: Any, me: Any) -> Any:
    return (yield on.count(on.key("slots"))) == 0


def close(on: Any, me: Any) -> Any:
    """Queue.close: the feeder thread, if there is one, is told to end."""
    if not me.get(("closed", on.name)):
        me.set(("closed", on.name), True)
        yield from tell_feeder(on, me)


def tell_feeder(on: Any, me: Any) -> Any:
    """Behind all that is in the buffer comes the sentinel, where there is a thread."""
    if on.fed_by(me.name):
        key = on.own("buffer", me.name)

        def add(items: Any) -> Any:
            silent = items is None or items == ENDED or SENTINEL in items
            return [(None, (items if silent else (*items, SENTINEL),))]

        yield on.step((key,), (f"{key}:append",), add)


def join_thread(on: Any, me: Any) -> Any:
    if not me.get(("closed", on.name)):
        raise AssertionError(f"Queue {on.name} not closed")
    yield from join_feeder(on, me)


def join_feeder(on: Any, me: Any) -> Any:
    """Wait until the feeder thread has ended, unless nobody is to wait for it."""
    if on.fed_by(me.name) and not me.get(("cancelled", on.name)):
        key = on.own("buffer", me.name)
        done = (None, ENDED)
        ended = lambda items: [(None, (items,))] if items in done else []  # noqa: E731
        yield on.step((key,), (f"{key}:ended",), ended)


def cancel_join_thread(on: Any, me: Any) -> Any:
    me.set(("cancelled", on.name), True)


def _check_open(on: Any, me: Any) -> None:
    if me.get(("closed", on.name)):
        raise ValueError(f"Queue {on.name} is closed")
