"""A condition: processes wait for it, giving up its lock meanwhile; who holds the lock wakes them.

CPython: multiprocessing.Condition (synchronize.py): a lock and three semaphores. wait gives the
lock up however often it was acquired, and its time limit does not cover taking it again. notify
returns when every process that it woke has said so: one that was killed in its wait blocks it for
ever (semantics.md, 1.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import FOR, INTO, TIMEOUT, Argument, Operation, Primitive
from mpflow.primitives import _waking
from mpflow.primitives._acquirable import OPERATIONS
from mpflow.primitives._locking import guard
from mpflow.primitives._monitor import Held, Monitor

if TYPE_CHECKING:
    from mpflow.rule import Observation

CONDITION = Argument("condition", "subject", "the condition", required=True)
HOW_MANY = Argument("n", "integer", "how many to wake at most", default=1)


class Woken:
    """A condition in the order of events: no wait is true unless somebody has notified, and each
    notify ends so many waits at most. The state is how many wakes are not used up yet."""

    waits = True

    def start(self) -> int:
        return 0

    def after(self, held: Held, wakes: int, event: Observation) -> tuple[Held, int] | None:
        mine = held.owner == event.process
        if event.error is not None and event.error[0] == "AssertionError":  # it is not held
            return None if mine else (held, wakes)
        if event.action == "wait":  # one that was interrupted has its lock again, too
            return self._waited(held, wakes, event)
        if event.status == "error":
            return held, wakes
        if not mine:
            return None
        most = len(held.parked) if event.action == "notify_all" else _number(event.value)
        return held, min(wakes + max(0, most), len(held.parked))

    def _waited(self, held: Held, wakes: int, event: Observation) -> tuple[Held, int] | None:
        woken = bool(event.result) or (event.status == "blocked" and wakes > 0)
        found = held.back(event.process)
        if found is None or wakes < woken:
            return None
        return found, min(wakes - woken, len(found.parked))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 1 << 31


def _rule(options: Mapping[str, Any]) -> Monitor:
    return Monitor("rlock", {"": Woken()})


# The model (synchronize.py, Condition)


def _wait(on: Any, me: Any, timeout: float | None) -> Any:
    lock, depth = _owned(on, me, "must acquire() condition before using wait()")
    guarded = guard(on)
    if not guarded.recursive and not guarded.held:
        return (yield from _wait_unguarded(on, me, lock, depth, timeout))
    me.set_count(lock, 0)
    woken = yield from _waking.wait(on, me, lock, timeout)
    me.set_count(lock, depth)
    return woken


def _wait_unguarded(on: Any, me: Any, lock: str, depth: int, timeout: float | None) -> Any:
    """The same on a lock that others may release meanwhile: so it may be free already, or this
    process have acquired it twice."""
    yield on.up(on.key(_waking.SLEEPING))
    for left in range(depth, 0, -1):
        if (yield on.count(lock)) >= 1:
            raise ValueError("semaphore or lock released too many times")
        yield on.up(lock)
        me.set_count(lock, left - 1)
    woken = yield on.down(on.key(_waking.TOKENS), True, timeout)
    yield on.up(on.key(_waking.WOKEN))
    for _ in range(depth):
        yield on.down(lock)
    me.set_count(lock, depth)
    return woken


def _notify(on: Any, me: Any, n: int) -> Any:
    _owned(on, me, "lock is not owned")
    yield from _waking.notify(on, n)


def _owned(on: Any, me: Any, otherwise: str) -> tuple[str, int]:
    """The lock's component, and how often this process has acquired it."""
    lock = guard(on).key
    depth = me.count(lock)
    if depth < 1:
        raise AssertionError(otherwise)
    return lock, depth


def _bases(options: Mapping[str, Any], merged: bool) -> dict[str, object]:
    own = {} if options["lock"] is not None else {"lock": 1}
    return {**own, **_waking.bases(merged)}


def _make(options: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, object]:
    from multiprocessing import Condition

    lock = options["lock"]
    return {"": Condition(None if lock is None else made[lock])}


PRIMITIVE = Primitive(
    type="condition",
    summary="Processes wait for it, giving up its lock meanwhile; others wake them.",
    options=(
        Argument(
            "lock",
            "primitive",
            "the name of a lock or rlock; without one, a new rlock",
            choices=("lock", "rlock"),
        ),
    ),
    operations=(
        *OPERATIONS,
        Operation(
            "wait",
            "Give up the lock, wait to be woken, take it again; the result says whether woken.",
            FOR,
            (TIMEOUT, INTO),
            lambda condition, timeout: condition.wait(timeout),
            boolean=True,
            method="wait",
            model=_wait,
        ),
        Operation(
            "notify",
            "Wake some who wait; returns when they are awake. The lock must be held.",
            CONDITION,
            (HOW_MANY,),
            lambda condition, n: condition.notify(n),
            shows="n",
            method="notify",
            model=_notify,
        ),
        Operation(
            "notify_all",
            "Wake all who wait; returns when they are awake. The lock must be held.",
            CONDITION,
            (),
            lambda condition: condition.notify_all(),
            method="notify_all",
            model=lambda on, me: _notify(on, me, _waking.ALL),
        ),
    ),
    make=_make,
    bases=_bases,
    rule=_rule,
    member=lambda options: Woken(),
    stage=2,
)
