"""A handler that counts the signals a process is sent."""

from __future__ import annotations

import signal

_seen: list[int] = []


def count_signals() -> None:
    signal.signal(signal.SIGUSR1, lambda number, _: _seen.append(number))


def counted() -> int:
    return len(_seen)
