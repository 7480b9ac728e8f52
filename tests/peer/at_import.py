"""A module that puts into a queue and gets from it while it is being imported."""

from __future__ import annotations

import multiprocessing

_queue: multiprocessing.Queue[str] = multiprocessing.Queue()
_queue.put("knock knock")
_got = _queue.get(timeout=10)
_queue.close()
del _queue


def got() -> str:
    return _got
