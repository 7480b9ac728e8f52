"""An event: a flag that processes set, clear, read and wait for.

CPython: multiprocessing.Event, a condition and a semaphore. set() waits until every process
that it wakes has said so; wait() without a timeout may return False when a clear races with
the set (semantics.md, 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpflow.kinds import FOR, INTO, TIMEOUT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

EVENT = Argument("event", "subject", "the event", required=True)


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
        ),
        Operation(
            "clear",
            "Take the flag down.",
            EVENT,
            (),
            lambda event: event.clear(),
            method="clear",
        ),
        Operation(
            "is_set",
            "Whether the flag is set.",
            EVENT,
            (INTO,),
            lambda event: bool(event.is_set()),
            boolean=True,
            method="is_set",
        ),
        Operation(
            "wait",
            "Wait until the flag is set; the result is the flag as it was then.",
            FOR,
            (TIMEOUT, INTO),
            lambda event, timeout: bool(event.wait(timeout)),
            boolean=True,
            method="wait",
        ),
    ),
    make=_make,
    rule=lambda options: Flag(),
)
