"""Keeps the names of semaphores until no child can need them: nothing goes in, nothing comes out.

Under spawn and forkserver a semaphore has a name that a child opens when it begins. Python
removes the names of a process's semaphores first of all when it exits, so that a child that has
not begun by then dies of a FileNotFoundError (semantics.md, L14). A scenario's main keeps them
until its children have been joined.
"""

from __future__ import annotations

from multiprocessing import util
from multiprocessing.synchronize import SemLock
from typing import Any

_AFTER_THE_CHILDREN = -500  # below every exit priority of multiprocessing's own


def keep_names() -> None:
    """Move the removal of all names made so far behind the joining of children."""
    registry: dict[Any, Any] = getattr(util, "_finalizer_registry", {})
    remove: Any = SemLock._cleanup  # type: ignore[attr-defined]
    for finalizer in list(registry.values()):
        if getattr(finalizer, "_callback", None) != remove:
            continue
        semaphore: Any = finalizer._weakref()
        arguments = finalizer._args
        if semaphore is not None:
            finalizer.cancel()
            util.Finalize(semaphore, remove, arguments, exitpriority=_AFTER_THE_CHILDREN)
