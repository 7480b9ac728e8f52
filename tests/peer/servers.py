"""Signals for the server that forks processes, where there is one."""

from __future__ import annotations

import os
import time
from multiprocessing import forkserver


def hit(signal: int) -> None:
    """Send the fork server a signal and wait until it is gone, if the signal ends it."""
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is None:
        return
    os.kill(pid, signal)
    for _ in range(100):
        if signal != 9 or _gone(pid):
            return
        time.sleep(0.01)


def _gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
