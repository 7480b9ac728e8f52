"""The exceptions that a scenario may name: a name goes in, the class comes out.

Built-in exceptions, and those of the modules that multiprocessing's own errors come from.
"""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_ELSEWHERE = {
    "AuthenticationError": "multiprocessing",
    "BrokenBarrierError": "threading",
    "BufferTooShort": "multiprocessing",
    "Empty": "queue",
    "Full": "queue",
    "MaybeEncodingError": "multiprocessing.pool",
    "PicklingError": "pickle",
    "ProcessError": "multiprocessing",
    "RemoteError": "multiprocessing.managers",
    "UnpicklingError": "pickle",
}


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


def told(error: BaseException) -> tuple[str, str]:
    """An exception's type and message, for the trace and for expressions: a scenario's `x` is
    `v_x` in the source that runs, and not yet set there it is an UnboundLocalError."""
    name = type(error).__name__
    try:
        text = str.__str__(str(error))  # one of a class of its own could not be written down
    except BaseException:  # whatever the user's classes do
        return name, ""
    if isinstance(error, NameError) and _in_source(error.__traceback__):
        start = text.find("'v_")
        if start >= 0:
            variable = text[start + 3 :].partition("'")[0]
            return "NameError", f"name '{variable}' is not defined"
    return name, text


def exit_code(code: object) -> int:
    """As Python makes an exit code of what sys.exit was given (process.py, popen_fork.py)."""
    if code is None:
        return 0
    return int(code) & 0xFF if isinstance(code, int) else 1


def _in_source(traceback: TracebackType | None) -> bool:
    """Whether it was raised in the source that was made of a scenario's steps."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename.startswith("<mpflow")
