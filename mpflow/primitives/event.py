"""An event: a flag that processes set, clear, read and wait for.

CPython: multiprocessing.Event, a condition and a semaphore. set() waits until every process
that it wakes has said so; wait() without a timeout may return False when a clear races with
the set (semantics.md, 1.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import INTO, TIMEOUT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

EVENT = Argument("event", "subject", "the event", required=True)
FOR = Argument("for", "subject", "what to wait for", required=True)


class Flag:
    """An event in the order of what was done to it: a boolean register."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.flag = False

    def allows(self, event: Observation) -> bool:
        if event.action in ("is_set", "wait") and event.status in ("ok", "timeout"):
            return self.flag == bool(event.result)
        return True

    def apply(self, event: Observation) -> None:
        if event.action in ("set", "clear") and event.status != "error":
            self.flag = event.action == "set"

    def observes(self, event: Observation) -> bool:
        return event.action in ("is_set", "wait")


def _make(options: object) -> dict[str, object]:
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
            effect="start",
        ),
        Operation("clear", "Take the flag down.", EVENT, (), lambda event: event.clear()),
        Operation(
            "is_set",
            "Whether the flag is set.",
            EVENT,
            (INTO,),
            lambda event: bool(event.is_set()),
        ),
        Operation(
            "wait",
            "Wait until the flag is set; the result is the flag as it was then.",
            FOR,
            (TIMEOUT, INTO),
            lambda event, timeout: bool(event.wait(timeout)),
        ),
    ),
    make=_make,
    rule=Flag,
)
