"""The models of Condition.wait and notify, which Event, Barrier and JoinableQueue stand on.

Over four semaphores: the lock, and the counts of who sleeps, of who has woken, of tokens. In: the
keys' prefix. CPython: synchronize.py, Condition. Merged: who is parked, and who of them has been
woken, in one component; waking is one step, since all that notify waits for is bound to come
unless somebody is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

ALL = 2**63 - 1  # sys.maxsize
SLEEPING, WOKEN, TOKENS, PARKED = "sleeping", "woken", "tokens", "parked"

Parked = tuple[frozenset[str], frozenset[str]]  # who sleeps; who was woken and has not gone on
NOBODY: Parked = (frozenset(), frozenset())


def bases(merged: bool) -> dict[str, object]:
    """The components besides the lock."""
    return {PARKED: NOBODY} if merged else {SLEEPING: 0, WOKEN: 0, TOKENS: 0}


def wait(on: Any, me: Any, lock: str, timeout: float | None) -> Any:
    """Give the lock up, wait for a token, take the lock again; whether there was one."""
    if on.merged:
        yield _give_up(on, lock, me.name)
        woken = yield _woken(on, me.name, timeout)
        yield on.down(lock)
        return woken
    yield on.up(on.key(SLEEPING))
    yield on.up(lock)
    woken = yield on.down(on.key(TOKENS), True, timeout)
    yield on.up(on.key(WOKEN))
    yield on.down(lock)
    return woken


def notify(on: Any, most: int) -> Any:
    """Wake so many at most, and wait until they say that they are awake."""
    if on.merged:
        change = on.update(
            on.key(PARKED), lambda parked: [(None, new) for new in wake(parked, most)]
        )
        yield change
        return
    if (yield on.down(on.key(TOKENS), False)):
        text = "notify: Should not have been able to acquire _wait_semaphore"
        raise AssertionError(text)
    while (yield on.down(on.key(WOKEN), False)):
        if not (yield on.down(on.key(SLEEPING), False)):
            raise AssertionError("notify: Bug in sleeping_count.acquire- res should not be False")
    sleepers = 0
    while sleepers < most and (yield on.down(on.key(SLEEPING), False)):
        yield on.up(on.key(TOKENS))
        sleepers += 1
    for _ in range(sleepers):
        yield on.down(on.key(WOKEN))
    if sleepers:
        while (yield on.down(on.key(TOKENS), False)):
            pass


def _give_up(on: Any, lock: str, who: str) -> Any:
    """The step that goes to sleep and gives the lock up."""
    key = on.key(PARKED)
    kinds = (f"{key}:w", f"{lock}:V")
    return on.step(
        (key, lock), kinds, lambda parked, value: [(None, (park(parked, who), value + 1))]
    )


def _woken(on: Any, who: str, timeout: float | None) -> Any:
    """The step that goes on: woken, or because the time is up, even if woken meanwhile."""

    def change(parked: Parked) -> Any:
        return [(True, leave(parked, who))] if who in parked[1] else []

    return on.update(on.key(PARKED), change, lambda p: [(False, leave(p, who))], timeout)


def park(parked: Parked, who: str) -> Parked:
    """One more who sleeps."""
    return parked[0] | {who}, parked[1]


def wake(parked: Parked, most: int) -> Iterator[Parked]:
    """Who may have been woken then: any so many of those who sleep."""
    sleeping, before = parked
    for chosen in combinations(sorted(sleeping), max(0, min(most, len(sleeping)))):
        yield sleeping - set(chosen), before | set(chosen)


def leave(parked: Parked, who: str) -> Parked:
    """One who goes on."""
    return parked[0] - {who}, parked[1] - {who}
