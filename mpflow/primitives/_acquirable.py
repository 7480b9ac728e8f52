"""What all primitives that can be acquired share: acquire and release, as SemLock has them.

In: a primitive's own words. Out: its two operations. CPython: multiprocessing/synchronize.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import BLOCK, INTO, LOCK, TIMEOUT, Operation
from mpflow.primitives import _locking

if TYPE_CHECKING:
    from mpflow.rule import Observation


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
        boolean=True,
        method="acquire",
        model=_locking.acquire,
        accesses=_locking.acquiring,
    ),
    Operation(
        "release",
        "Give it back.",
        LOCK,
        (),
        _release,
        method="release",
        model=_locking.release,
        accesses=_locking.releasing,
    ),
)


def check_permits(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A semaphore's `value`, as sem_init takes it."""
    if 0 <= (options["value"] or 0) < 2**31:  # None: already found to be no number
        return []
    return [("value", f"a semaphore begins with 0 to 2147483647 permits, not {options['value']}")]


class Permits:
    """A number of permits in the order of events: never below zero, whoever releases.

    The state is that number. It may stand above `most`: a release checks and posts in two steps,
    and two processes can do both at once.
    """

    def __init__(self, permits: int, most: int) -> None:
        self.permits = permits
        self.most = most

    def start(self) -> int:
        return self.permits

    def after(self, permits: int, event: Observation) -> int | None:
        status = event.status
        if event.action == "acquire":
            if status == "error":
                return permits
            if event.result or status == "blocked":
                return permits - 1 if permits > 0 else None
            return None if permits > 0 else permits
        if event.action == "release":
            if status == "error":
                return permits if permits >= self.most else None
            return permits + 1
        return permits


class Owned:
    """A recursive lock in the order of events: one process at a time, any depth.

    The state is the owner and how often it has acquired.
    """

    def start(self) -> tuple[str | None, int]:
        return None, 0

    def after(
        self, state: tuple[str | None, int], event: Observation
    ) -> tuple[str | None, int] | None:
        owner, depth = state
        mine = owner == event.process
        if event.action == "acquire" and event.status != "error":
            if event.result or event.status == "blocked":
                return (event.process, depth + 1) if mine or owner is None else None
            return None if mine or owner is None else state
        if event.action == "release":
            if event.status == "error":
                return None if mine else state
            if not mine:
                return None
            return (owner, depth - 1) if depth > 1 else (None, 0)
        return state
