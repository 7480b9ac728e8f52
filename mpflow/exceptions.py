"""The exceptions that a scenario may name: a name goes in, the class comes out.

Built-in exceptions, and those of the modules that multiprocessing's own errors come from.
"""

from __future__ import annotations

import builtins
import sys

_ELSEWHERE = {"Empty": "queue", "Full": "queue", "BrokenBarrierError": "threading"}


def names() -> frozenset[str]:
    """All names that `raise` takes."""
    known = vars(builtins).items()
    own = {n for n, c in known if isinstance(c, type) and issubclass(c, BaseException)}
    return frozenset(own | set(_ELSEWHERE))


def named(name: str) -> type[BaseException]:
    """The class of that name; ValueError when there is none."""
    from importlib import import_module

    holder = import_module(_ELSEWHERE[name]) if name in _ELSEWHERE else builtins
    found = getattr(holder, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    raise ValueError(f"no exception is called {name!r}")


def caught(name: str) -> tuple[type[BaseException], ...]:
    """For an `except` clause: the class being handled when it goes by that name, else nothing.

    Python evaluates the clause while the exception is set, so a user's own exception types can
    be told by their names, and base classes catch what derives from them.
    """
    error = sys.exc_info()[1]
    if error is not None and any(base.__name__ == name for base in type(error).__mro__):
        return (type(error),)
    return ()
