"""A joinable queue: a queue that counts what was put and is not done, and can be waited for.

CPython: multiprocessing.JoinableQueue (queues.py): a queue, a semaphore that counts unfinished
tasks, and a condition. put counts, not what arrives: an item that got lost is never done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import PROCESS, QUEUE, Operation, Primitive
from mpflow.primitives import _waking
from mpflow.primitives._feeding import append, bases, feed, take_slot, taking_slot
from mpflow.primitives._producers import State
from mpflow.primitives._queues import OPERATIONS, OPTIONS, Items, check

if TYPE_CHECKING:
    from mpflow.rule import Observation


class Tasks:
    """A joinable queue in the order of events: a queue, and how many tasks are not done. There are
    none left when a join is over."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.items = Items(options)

    def start(self) -> tuple[State, int]:
        return self.items.start(), 0

    def relax(self) -> bool:
        return self.items.relax()

    def after(self, state: tuple[State, int], event: Observation) -> tuple[State, int] | None:
        inside, left = state
        if event.action == "join":
            return None if event.status == "ok" and left else state
        if event.action == "task_done":
            if event.status == "error":
                return None if left and event.error and event.error[0] == "ValueError" else state
            return (inside, left - 1) if left else None
        found = self.items.after(inside, event)
        if found is None:
            return None
        return found, left + (event.action == "put" and event.status != "error")


# The model (queues.py, JoinableQueue)


def _put(on: Any, me: Any, value: object, block: bool, timeout: float | None) -> Any:
    if me.get(("closed", on.name)):
        raise ValueError(f"Queue {on.name} is closed")
    yield from take_slot(on, block, timeout)
    item, buffer, unfinished = me.number(value), on.own("buffer", me.name), on.key("unfinished")
    kinds = (f"{buffer}:append", f"{unfinished}:V")
    yield from _locked(on, (buffer, unfinished), kinds, lambda: _count(on, me, item))


def _count(on: Any, me: Any, item: int) -> Any:
    yield on.down(on.key("lock"))
    yield append(on, me, item)
    yield on.up(on.key("unfinished"))
    yield on.up(on.key("lock"))


def _locked(on: Any, others: Any, kinds: Any, make: Any) -> Any:
    """What is done with the queue's own lock, as one step where that may be."""
    return on.in_one(on.key("lock"), others, kinds, make) if on.merged else make()


def _task_done(on: Any, me: Any) -> Any:
    return _locked(on, *_waking_too(on, "T", "R"), lambda: _done(on))


def _join(on: Any, me: Any) -> Any:
    return _locked(on, *_waking_too(on, "R"), lambda: _until_done(on, me))


def _waking_too(on: Any, *kinds: str) -> tuple[tuple[str, str], tuple[str, ...]]:
    """What is touched, and what is done to it: so much to the count, and anything to who waits."""
    unfinished, parked = on.key("unfinished"), on.key(_waking.PARKED)
    return (unfinished, parked), (*(f"{unfinished}:{kind}" for kind in kinds), f"{parked}:w")


def _done(on: Any) -> Any:
    yield on.down(on.key("lock"))
    if not (yield on.down(on.key("unfinished"), False)):
        yield on.up(on.key("lock"))
        raise ValueError("task_done() called too many times")
    if (yield on.count(on.key("unfinished"))) == 0:
        yield from _waking.notify(on, _waking.ALL)
    yield on.up(on.key("lock"))


def _until_done(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    if (yield on.count(on.key("unfinished"))) != 0:
        yield from _waking.wait(on, me, on.key("lock"), None)
    yield on.up(on.key("lock"))


def _putting(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    lock, unfinished = on.key("lock"), on.key("unfinished")
    buffer = on.own("buffer", process)
    return (
        *taking_slot(on, waits),
        f"{buffer}:append",
        f"{lock}:P",
        f"{lock}:V",
        f"{unfinished}:V",
    )


def _counting(on: Any, *kinds: str) -> tuple[str, ...]:
    lock, unfinished = on.key("lock"), on.key("unfinished")
    waking = (f"{on.key(part)}:*" for part in _waking.bases(on.merged))
    return (f"{lock}:P", f"{lock}:V", *(f"{unfinished}:{kind}" for kind in kinds), *waking)


def _bases(options: Mapping[str, Any], merged: bool) -> dict[str, object]:
    return {**bases(options), "lock": 1, "unfinished": 0, **_waking.bases(merged)}


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import JoinableQueue

    return {"": JoinableQueue(options["maxsize"])}


PRIMITIVE = Primitive(
    type="joinable_queue",
    summary="A queue that counts what was put and is not done, and can be waited for.",
    options=OPTIONS,
    operations=(
        *(
            each._replace(model=_put, accesses=_putting) if each.verb == "put" else each
            for each in OPERATIONS
        ),
        Operation(
            "task_done",
            "Say that one item that was got is done.",
            QUEUE,
            (),
            lambda queue: queue.task_done(),
            method="task_done",
            model=_task_done,
            accesses=lambda on, process, waits: _counting(on, "T", "R"),
        ),
        Operation(
            "join",
            "Wait until as many are done as were put.",
            PROCESS,
            (),
            lambda queue: queue.join(),
            method="join",
            model=_join,
            accesses=lambda on, process, waits: _counting(on, "R"),
        ),
    ),
    make=_make,
    bases=_bases,
    thread=feed,
    rule=Tasks,
    check=check,
)
