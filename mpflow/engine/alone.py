"""Whether a wait of this process can only be ended by others: no timer, no thread of its own.

A deadlock is claimed of what waits for others alone. To ask the system for a timer costs half a
microsecond; so it is not asked before somebody has got hold of a function that sets one. The
modules `signal` and `_signal` tell that: they get a class of their own, their functions stay.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Threads by their number, the main one included: threading's own table, right after a fork too.
THREADS: dict[int, threading.Thread] = getattr(threading, "_active")  # noqa: B009

_FEEDER = "QueueFeederThread"  # carries what this process has put; it brings nothing in
# A pool's own threads: they end only waits for its results, which nobody takes for a deadlock.
_POOL = ("(_handle_workers)", "(_handle_tasks)", "(_handle_results)")
_SETTERS = frozenset({"alarm", "setitimer"})


def stirring() -> bool:
    """Whether this process has something that may end a wait: a timer, or a thread."""
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0 or others()


def others() -> bool:
    """Whether there are threads besides the main one and the feeders of queues."""
    main = threading.main_thread()
    names = (t.name for t in list(THREADS.values()) if t is not main)
    return any(name != _FEEDER and not name.endswith(_POOL) for name in names)


def watch_timers(touched: Callable[[], None]) -> None:
    """Have `touched` called as soon as Python code may have set a timer."""
    _Watched.touched.append(touched)
    for name in ("signal", "_signal"):
        sys.modules[name].__class__ = _Watched
    if _held_already() or signal.getitimer(signal.ITIMER_REAL)[0] > 0:
        touched()


def _held_already() -> bool:
    """Whether a module has imported a setter by its name: it has more references than a function
    of the same module that nobody needs."""
    least = sys.getrefcount(signal.__dict__["siginterrupt"])
    return any(sys.getrefcount(signal.__dict__[name]) > least for name in _SETTERS)


class _Watched(ModuleType):
    """A module that tells when one of its setters is asked for."""

    touched: list[Callable[[], None]] = []  # noqa: RUF012

    def __getattribute__(self, name: str) -> Any:
        if name in _SETTERS:
            for tell in _Watched.touched:
                tell()
        return super().__getattribute__(name)
