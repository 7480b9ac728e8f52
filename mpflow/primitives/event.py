"""An event: a flag that processes set, clear, read and wait for.

CPython: multiprocessing.Event, a condition and a semaphore. set() waits until every process
that it wakes has said so; wait() without a timeout may return False when a clear races with
the set (semantics.md, 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpflow.kinds import FOR, INTO, TIMEOUT, Argument, Operation, Primitive
from mpflow.primitives import _waking

if TYPE_CHECKING:
    from mpflow.rule import Observation

EVENT = Argument("event", "subject", "the event", required=True)


State = tuple[bool, _waking.Parked]  # of the merged model


class Flag:
    """An event in the order of what was done to it: a boolean register, and that is the state."""

    def start(self) -> bool:
        return False

    def after(self, flag: bool, event: Observation) -> bool | None:
        if event.action in ("is_set", "wait"):
            told = event.status in ("ok", "timeout")
            return None if told and bool(event.result) != flag else flag
        if event.action in ("set", "clear") and event.status != "error":
            return event.action == "set"
        return flag


# The model: CPython's code over the bases (synchronize.py, Event)


def _test(on: Any, me: Any) -> Any:
    """Whether the flag is set; the lock is held."""
    flag = yield on.down(on.key("flag"), False)
    if flag:
        yield on.up(on.key("flag"))
    return flag


def _is_set(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    flag = yield from _test(on, me)
    yield on.up(on.key("lock"))
    return flag


def _set(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    yield on.down(on.key("flag"), False)
    yield on.up(on.key("flag"))
    yield from _waking.notify(on, _waking.ALL)
    yield on.up(on.key("lock"))


def _clear(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    yield on.down(on.key("flag"), False)
    yield on.up(on.key("lock"))


def _wait(on: Any, me: Any, timeout: float | None) -> Any:
    yield on.down(on.key("lock"))
    if not (yield from _test(on, me)):
        yield from _waking.wait(on, me, on.key("lock"), timeout)
    flag = yield from _test(on, me)
    yield on.up(on.key("lock"))
    return flag


# The same in fewer steps: the flag, and who is parked


def _merged_is_set(on: Any, me: Any) -> Any:
    return (yield on.tell(on.key(), lambda value: value[0]))


def _merged_set(on: Any, me: Any) -> Any:
    def change(value: State) -> Any:
        (awake,) = _waking.wake(value[1], _waking.ALL)
        return [(None, (True, awake))]

    yield on.update(on.key(), change)


def _merged_clear(on: Any, me: Any) -> Any:
    yield on.update(on.key(), lambda value: [(None, (False, value[1]))])


def _merged_wait(on: Any, me: Any, timeout: float | None) -> Any:
    def begin(value: State) -> Any:
        flag, parked = value
        return [(True, value) if flag else (False, (flag, _waking.park(parked, me.name)))]

    def late(value: State) -> Any:
        flag, parked = value
        return [(flag, (flag, _waking.leave(parked, me.name)))]

    def woken(value: State) -> Any:
        return late(value) if me.name in value[1][1] else []

    if (yield on.update(on.key(), begin)):
        return True
    return (yield on.update(on.key(), woken, late, timeout))


def _bases(options: object, merged: bool) -> dict[str, object]:
    if merged:
        return {"": (False, _waking.NOBODY)}
    return {"lock": 1, "flag": 0, **_waking.bases(False)}


def _make(options: object, made: object) -> dict[str, object]:
    from multiprocessing import Event

    return {"": Event()}


PRIMITIVE = Primitive(
    type="event",
    summary="A flag: set, cleared, read, waited for.",
    options=(),
    operations=(
        Operation(
            "set",
            "Set the flag and wake all who wait for it.",
            EVENT,
            (),
            lambda event: event.set(),
            method="set",
            model=_set,
            merged=_merged_set,
        ),
        Operation(
            "clear",
            "Take the flag down.",
            EVENT,
            (),
            lambda event: event.clear(),
            method="clear",
            model=_clear,
            merged=_merged_clear,
        ),
        Operation(
            "is_set",
            "Whether the flag is set.",
            EVENT,
            (INTO,),
            lambda event: bool(event.is_set()),
            boolean=True,
            method="is_set",
            model=_is_set,
            merged=_merged_is_set,
        ),
        Operation(
            "wait",
            "Wait until the flag is set; the result is the flag as it was then.",
            FOR,
            (TIMEOUT, INTO),
            lambda event, timeout: bool(event.wait(timeout)),
            boolean=True,
            method="wait",
            model=_wait,
            merged=_merged_wait,
        ),
    ),
    make=_make,
    bases=_bases,
    rule=lambda options: Flag(),
)
