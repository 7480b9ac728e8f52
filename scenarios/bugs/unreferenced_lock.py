"""What unreferenced_lock.yaml calls: a child that is handed a lock."""

from __future__ import annotations

import multiprocessing
from typing import Any


def use(lock: Any) -> None:
    """What the child does."""
    with lock:
        pass


def exitcode_of_child(keep: bool) -> int | None:
    """How the child ends when the lock is kept in a variable, or not."""
    context = multiprocessing.get_context("spawn")
    locks = [context.Lock()]
    process = context.Process(target=use, args=(locks[0] if keep else locks.pop(),))
    process.start()
    process.join()
    return process.exitcode
