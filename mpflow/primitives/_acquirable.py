"""What all primitives that can be acquired share: acquire and release, as SemLock has them.

In: a primitive's own words. Out: its two operations. CPython: multiprocessing/synchronize.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import BLOCK, INTO, TIMEOUT, Argument, Operation

if TYPE_CHECKING:
    from mpflow.rule import Observation

LOCK = Argument("lock", "subject", "what to acquire or release", required=True)


def _acquire(lock: Any, block: bool, timeout: float | None) -> bool:
    return bool(lock.acquire(block, timeout))


def _release(lock: Any) -> None:
    lock.release()


OPERATIONS = (
    Operation(
        "acquire",
        "Take it, waiting for it if need be; the result says whether it was taken.",
        LOCK,
        (BLOCK, TIMEOUT, INTO),
        _acquire,
    ),
    Operation("release", "Give it back.", LOCK, (), _release, effect="start"),
)


def check_permits(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A semaphore's `value`, as sem_init takes it."""
    if 0 <= (options["value"] or 0) < 2**31:  # None: already found to be no number
        return []
    return [("value", f"a semaphore begins with 0 to 2147483647 permits, not {options['value']}")]


class Permits:
    """A number of permits in the order of events: never below zero, whoever releases."""

    def __init__(self, permits: int, most: int) -> None:
        self.permits = permits
        self.most = most

    def allows(self, event: Observation) -> bool:
        if event.status == "error":
            return event.action != "release" or self.permits >= self.most
        if event.action == "acquire" and event.status != "blocked":
            return (self.permits > 0) == bool(event.result)
        return True

    def apply(self, event: Observation) -> None:
        if event.action == "acquire" and event.status == "ok" and event.result:
            self.permits -= 1
        elif event.action == "release" and event.status == "ok":
            self.permits += 1

    def observes(self, event: Observation) -> bool:
        return event.action == "acquire" and not event.result


class Owned:
    """A recursive lock in the order of events: one process at a time, any depth."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.owner: str | None = None
        self.depth = 0

    def allows(self, event: Observation) -> bool:
        free = self.owner in (None, event.process)
        if event.action == "acquire" and event.status in ("ok", "timeout"):
            return free == bool(event.result)
        if event.action == "release":
            return (event.status == "error") == (self.owner != event.process)
        return True

    def apply(self, event: Observation) -> None:
        if event.action == "acquire" and event.status == "ok" and event.result:
            self.owner, self.depth = event.process, self.depth + 1
        elif event.action == "release" and event.status == "ok":
            self.depth -= 1
            if self.depth <= 0:
                self.owner, self.depth = None, 0

    def observes(self, event: Observation) -> bool:
        return event.action == "acquire" and not event.result
