"""A barrier: so many processes wait for one another, and then all go on.

CPython: multiprocessing.Barrier, which is threading.Barrier's code over a condition and two shared
integers. When a wait's time limit strikes, or somebody aborts, the barrier is broken: every wait
raises BrokenBarrierError until it is reset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.exceptions import named
from mpflow.kinds import FOR, INTO, TIMEOUT, Argument, Operation, Primitive
from mpflow.primitives import _waking

if TYPE_CHECKING:
    from mpflow.rule import Observation

BARRIER = Argument("barrier", "subject", "the barrier", required=True)
MOST = 2147483647  # of a C integer, which counts those who wait

State = tuple[frozenset[int], bool, bool]  # the indexes given in this round; broken; ever reset


class Rounds:
    """A barrier in the order of events: in a round each index is given once, and no wait goes well
    while the barrier is broken. It breaks by an abort or a wait that its own limit ended; after
    the first reset nobody can tell why a wait was broken, and all are believed."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.parties: int = options["parties"] or MOST

    def start(self) -> State:
        return frozenset(), False, False

    def after(self, state: State, event: Observation) -> State | None:
        given, broken, reset = state
        if event.action == "abort" and event.status != "error":
            return frozenset(), True, reset
        if event.action == "reset" and event.status != "error":
            return frozenset(), False, True
        if event.action != "wait" or event.status == "blocked":
            return state
        if event.status == "error":
            if not event.error or event.error[0] != "BrokenBarrierError" or broken or reset:
                return state
            return (frozenset(), True, reset) if event.extra.get("limited") else None
        if broken or event.result in given or not isinstance(event.result, int):
            return None
        if not 0 <= event.result < self.parties:
            return None
        given |= {event.result}
        return (frozenset() if len(given) == self.parties else given), broken, reset


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    parties = options["parties"]
    if parties is None or 0 < parties <= MOST:  # None: already found to be no number
        return []
    why = "with none, nobody would ever be the last to come" if parties == 0 else ""
    message = f"a barrier has 1 to {MOST} parties, not {parties}"
    return [("parties", f"{message}: {why}" if why else message)]


# The model: threading.Barrier's code over a condition and two cells

FILLING, DRAINING, RESETTING, BROKEN = 0, 1, -1, -2


def _wait(on: Any, me: Any, timeout: float | None) -> Any:
    yield on.down(on.key("lock"))
    while (state := (yield on.load(on.key("state")))) in (RESETTING, DRAINING):
        yield from _waking.wait(on, me, on.key("lock"), None)
    if state < 0:
        yield on.up(on.key("lock"))
        raise named("BrokenBarrierError")
    index = yield on.load(on.key("count"))
    yield on.store(on.key("count"), index + 1)
    if index + 1 == on.options["parties"]:
        yield on.store(on.key("state"), DRAINING)
        yield from _waking.notify(on, _waking.ALL)
        broken = False
    else:
        broken = yield from _until_released(on, me, timeout)
    count = (yield on.load(on.key("count"))) - 1
    yield on.store(on.key("count"), count)
    if count == 0 and (yield on.load(on.key("state"))) in (RESETTING, DRAINING):
        yield on.store(on.key("state"), FILLING)
        yield from _waking.notify(on, _waking.ALL)
    yield on.up(on.key("lock"))
    if broken:
        raise named("BrokenBarrierError")
    return index


def _until_released(on: Any, me: Any, timeout: float | None) -> Any:
    """Condition.wait_for; whether the barrier is broken. A time limit breaks it, and one of 0 is
    up before the lock has been given up."""
    woken = timeout is None or timeout > 0
    while (state := (yield on.load(on.key("state")))) == FILLING and woken:
        woken = yield from _waking.wait(on, me, on.key("lock"), timeout)
    if state == FILLING:
        yield from _break(on)
        return True
    return state < 0


def _break(on: Any) -> Any:
    yield on.store(on.key("state"), BROKEN)
    yield from _waking.notify(on, _waking.ALL)


def _abort(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    yield from _break(on)
    yield on.up(on.key("lock"))


def _reset(on: Any, me: Any) -> Any:
    yield on.down(on.key("lock"))
    if (yield on.load(on.key("count"))) > 0:
        if (yield on.load(on.key("state"))) in (FILLING, BROKEN):
            yield on.store(on.key("state"), RESETTING)
    else:
        yield on.store(on.key("state"), FILLING)
    yield from _waking.notify(on, _waking.ALL)
    yield on.up(on.key("lock"))


def _merged(model: Any) -> Any:
    """The same in fewer steps: all is done while it has the lock, but for sleeping."""

    def merged(on: Any, me: Any, *given: Any) -> Any:
        others = [on.key(part) for part in ("state", "count", *_waking.bases(True))]
        kinds = [f"{key}:w" for key in others]
        return on.in_one(on.key("lock"), others, kinds, lambda: model(on, me, *given))

    return merged


def _bases(options: object, merged: bool) -> dict[str, object]:
    return {"lock": 1, "state": FILLING, "count": 0, **_waking.bases(merged)}


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import Barrier

    return {"": Barrier(options["parties"])}


PRIMITIVE = Primitive(
    type="barrier",
    summary="So many processes wait for one another, and then all go on.",
    options=(Argument("parties", "integer", "how many wait for one another", required=True),),
    operations=(
        Operation(
            "wait",
            "Wait for the others; the result is a number, another one for each.",
            FOR,
            (TIMEOUT, INTO),
            lambda barrier, timeout: barrier.wait(timeout),
            method="wait",
            model=_wait,
            merged=_merged(_wait),
        ),
        Operation(
            "abort",
            "Break it: all who wait get BrokenBarrierError.",
            BARRIER,
            (),
            lambda barrier: barrier.abort(),
            method="abort",
            model=_abort,
            merged=_merged(_abort),
        ),
        Operation(
            "reset",
            "Make it new: all who wait get BrokenBarrierError.",
            BARRIER,
            (),
            lambda barrier: barrier.reset(),
            method="reset",
            model=_reset,
            merged=_merged(_reset),
        ),
    ),
    make=_make,
    bases=_bases,
    rule=Rounds,
    check=_check,
)
