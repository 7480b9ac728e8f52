"""The models of what can be acquired: SemLock's code, as steps over one semaphore.

In: a primitive as the model has it, and a process. CPython: semaphore.c and synchronize.py. A lock
has no owner; a recursive one counts in its process how often it was acquired, and so does any that
a condition stands on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MOST = 2**31 - 1  # SEM_VALUE_MAX
FAR = 2**30  # from here on up to it there are more releases than any search comes to


class Guard(NamedTuple):
    """What is acquired: its semaphore's component; the value above which a release is an error;
    whether each process counts its acquisitions; `held`: its value cannot come to stand above that,
    since only who holds it ever releases it."""

    key: str
    most: int
    recursive: bool
    counted: bool
    held: bool


def guard(on: Any) -> Guard:
    """What stands behind the `lock` of an action: the primitive itself, its lock, or the lock that
    it was given."""
    if on.type in ("condition", "value", "array"):
        given = on.options.get("lock")
        if given is False:
            raise AttributeError("it has no lock to acquire or release")
        if isinstance(given, str):
            return guard(on.other(given))
        return Guard(on.key("lock"), 1, True, True, True)
    most = {"lock": 1, "rlock": 1, "semaphore": MOST}.get(on.type, on.options.get("value"))
    recursive = on.type == "rlock"
    never_over = on.only_holders or (most == MOST and on.options["value"] < FAR)
    return Guard(on.key(), most, recursive, recursive or on.under_condition, never_over)


def acquiring(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    """What acquire does to what."""
    if on.options.get("lock") is False:
        return ()
    key = guard(on).key
    return (f"{key}:P",) if waits else (f"{key}:P", f"{key}:T")


def releasing(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    """What release does to what."""
    if on.options.get("lock") is False:
        return ()
    lock = guard(on)
    checks = not lock.recursive and not lock.held
    return (f"{lock.key}:V", f"{lock.key}:R") if checks else (f"{lock.key}:V",)


def acquire(on: Any, me: Any, block: bool = True, timeout: float | None = None) -> Any:
    """semlock_acquire."""
    lock = guard(on)
    depth = me.count(lock.key)
    if lock.recursive and depth:
        me.set_count(lock.key, depth + 1)
        return True
    taken = yield on.down(lock.key, block, timeout)
    if taken and lock.counted:
        me.set_count(lock.key, depth + 1)
    return taken


def release(on: Any, me: Any) -> Any:
    """semlock_release: of all but a recursive lock, two processes may pass the check at once."""
    lock = guard(on)
    depth = me.count(lock.key)
    if lock.recursive:
        if depth < 1:
            text = "attempt to release recursive lock not owned by thread"
            raise AssertionError(text)
        me.set_count(lock.key, depth - 1)
        if depth == 1:
            yield on.up(lock.key)
        return
    if not lock.held and (yield on.count(lock.key)) >= lock.most:
        raise ValueError("semaphore or lock released too many times")
    yield on.up(lock.key)
    if lock.counted:
        me.set_count(lock.key, depth - 1)
