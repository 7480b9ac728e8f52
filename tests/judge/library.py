"""multiprocessing's own Python code over the bases, after CPython's sources and semantics.md 4.2.

Each function is a generator that says what it does next: a tuple of a step's name (see bases), of
something private to its process (see `OWN` in process), or of another function here, with its
arguments; it is sent the result. What it does may depend on nothing but its arguments and what it
was sent, since it is run anew up to its place for each step. ("become", name, …) puts another call
in the place of this one.

A lock is (kind, semaphore, maximum); the kind "inner" is a lock that only the library itself takes
and gives back, so that its release needs no look at the value. Nor does a semaphore's: nobody gets
it up to 2**31 - 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Any

from .bases import Leave, error

Steps = Generator[tuple[Any, ...], Any, Any]
FUNCTIONS: dict[str, Callable[..., Steps]] = {}


def library(function: Callable[..., Steps]) -> Callable[..., Steps]:
    FUNCTIONS[function.__name__] = function
    return function


Lock = tuple[str, str, int]


# ---- SemLock --------------------------------------------------------------------------------


@library
def acquire(lock: Lock, block: bool, timeout: float | None) -> Steps:
    kind, sem, _ = lock
    if kind == "rlock" and (yield "count", sem) > 0:
        yield "counted", sem, 1
        return True
    if not block:
        got = yield "tryP", sem
    elif timeout is None:
        got = yield "P", sem
    else:
        got = yield "timedP", sem
    if got and kind in ("rlock", "lock"):
        yield "counted", sem, 1
    return got


@library
def release(lock: Lock) -> Steps:
    kind, sem, maximum = lock
    if kind == "rlock":
        count = yield "count", sem
        if count <= 0:
            raise error("AssertionError", "attempt to release recursive lock not owned by thread")
        if count > 1:
            yield "counted", sem, -1
            return
    elif kind in ("lock", "bounded_semaphore"):
        value = yield "val", sem
        if value >= maximum:
            raise error("ValueError", "semaphore or lock released too many times")
    yield "V", sem
    if kind in ("rlock", "lock"):
        yield "counted", sem, -1


@library
def holding(lock: Lock, *request: Any) -> Steps:
    """with lock: request"""
    yield "acquire", lock, True, None
    try:
        result = yield request
    except Leave as leave:
        yield "release", lock
        raise leave
    yield "release", lock
    return result


# ---- Condition: (lock, name) ----------------------------------------------------------------


def is_mine(lock: Lock) -> Steps:
    return lock[0] == "inner" or (yield "count", lock[1]) > 0


@library
def condition_wait(lock: Lock, name: str, timeout: float | None) -> Steps:
    if not (yield from is_mine(lock)):
        raise error("AssertionError", "must acquire() condition before using wait()")
    yield "V", name + ".sleeping"
    count = 1 if lock[0] == "inner" else (yield "count", lock[1])
    for _ in range(count):
        yield "release", lock
    if timeout is None:
        told = yield "P", name + ".wait"
    else:
        told = yield "timedP", name + ".wait"
    yield "V", name + ".woken"
    for _ in range(count):
        yield "acquire", lock, True, None
    return told


@library
def condition_notify(lock: Lock, name: str, n: int) -> Steps:
    if not (yield from is_mine(lock)):
        raise error("AssertionError", "lock is not owned")
    if (yield "tryP", name + ".wait"):
        raise error(
            "AssertionError", "notify: Should not have been able to acquire _wait_semaphore"
        )
    yield ("rezero_woken", name)
    sleepers = yield "wake", name, n, 0
    if sleepers:
        for _ in range(sleepers):
            yield "P", name + ".woken"
        yield ("rezero_wait", name)


@library
def rezero_woken(name: str) -> Steps:
    if (yield "tryP", name + ".woken"):
        if not (yield "tryP", name + ".sleeping"):
            raise error(
                "AssertionError",
                "notify: Bug in sleeping_count.acquire- res should not be False",
            )
        yield "become", "rezero_woken", name


@library
def wake(name: str, n: int, sleepers: int) -> Steps:
    if sleepers < n and (yield "tryP", name + ".sleeping"):
        yield "V", name + ".wait"
        yield "become", "wake", name, n, sleepers + 1
    return sleepers


@library
def rezero_wait(name: str) -> Steps:
    if (yield "tryP", name + ".wait"):
        yield "become", "rezero_wait", name


# ---- Event: a Condition over an inner Lock, and a semaphore as flag -------------------------


def inner(name: str) -> Lock:
    return ("inner", name + ".lock", 1)


@library
def event(name: str, what: str, timeout: float | None = None) -> Steps:
    return (yield "holding", inner(name), "event_" + what, name, timeout)


@library
def event_is_set(name: str, _: Any) -> Steps:
    if (yield "tryP", name + ".flag"):
        yield "V", name + ".flag"
        return True
    return False


@library
def event_set(name: str, _: Any) -> Steps:
    yield "tryP", name + ".flag"
    yield "V", name + ".flag"
    yield "condition_notify", inner(name), name, sys.maxsize


@library
def event_clear(name: str, _: Any) -> Steps:
    yield "tryP", name + ".flag"


@library
def event_wait(name: str, timeout: float | None) -> Steps:
    if (yield "tryP", name + ".flag"):
        yield "V", name + ".flag"
    else:
        yield "condition_wait", inner(name), name, timeout
    return (yield "event_is_set", name, None)


# ---- Barrier: threading.Barrier over a Condition with an RLock and two cells -----------------


@library
def barrier(name: str, what: str, *arguments: Any) -> Steps:
    return (yield "holding", inner(name), "barrier_" + what, name, *arguments)


@library
def barrier_wait(name: str, parties: int, timeout: float | None) -> Steps:
    yield "barrier_enter", name
    index = yield "ld", name + ".count"
    yield "st", name + ".count", index + 1
    try:
        if index + 1 == parties:
            yield "st", name + ".state", 1
            yield "condition_notify", inner(name), name, sys.maxsize
        else:
            yield "barrier_wait_inside", name, timeout
    except Leave as leave:
        yield "barrier_exit", name
        raise leave
    yield "barrier_exit", name
    return index


@library
def barrier_enter(name: str) -> Steps:
    state = yield "ld", name + ".state"
    if state in (-1, 1):
        yield "condition_wait", inner(name), name, None
        yield "become", "barrier_enter", name
    if state < 0:
        raise error("BrokenBarrierError")


@library
def barrier_wait_inside(name: str, timeout: float | None) -> Steps:
    if not (yield "barrier_wait_for", name, timeout, False):
        yield "barrier_abort", name
        raise error("BrokenBarrierError")
    state = yield "ld", name + ".state"
    if state < 0:
        raise error("BrokenBarrierError")


@library
def barrier_wait_for(name: str, timeout: float | None, late: bool) -> Steps:
    """Condition.wait_for(lambda: state != 0, timeout); late: the time is known to be up."""
    if (yield "ld", name + ".state") != 0:
        return True
    if timeout is not None and (late or timeout <= 0 or (yield "either", (True, False))):
        return False
    told = yield "condition_wait", inner(name), name, timeout
    yield "become", "barrier_wait_for", name, timeout, not told


@library
def barrier_exit(name: str) -> Steps:
    count = yield "ld", name + ".count"
    yield "st", name + ".count", count - 1
    if count - 1 == 0 and (yield "ld", name + ".state") in (-1, 1):
        yield "st", name + ".state", 0
        yield "condition_notify", inner(name), name, sys.maxsize


@library
def barrier_abort(name: str) -> Steps:
    yield "st", name + ".state", -2
    yield "condition_notify", inner(name), name, sys.maxsize


@library
def barrier_reset(name: str) -> Steps:
    if (yield "ld", name + ".count") > 0:
        if (yield "ld", name + ".state") in (0, -2):
            yield "st", name + ".state", -1
    else:
        yield "st", name + ".state", 0
    yield "condition_notify", inner(name), name, sys.maxsize
