"""Values and failures as the model keeps them: a value goes in, a small number comes out.

Two values have one number when no expression can tell them apart: 1, 1.0 and true are three.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from mpflow.evaluation import Attributes
from mpflow.exceptions import exit_code, told


class Uncheckable(BaseException):
    """Something that the model cannot say, and the line of it; None where no line is its own. What
    a scenario catches does not catch this.
    """

    def __init__(self, what: str, line: int | None = None, hint: str = "") -> None:
        super().__init__(what)
        self.line = line
        self.hint = hint


class FullError(Exception):
    """All is to be told anew: a component has more values than its field can number, or more has to
    be told of one than was."""


class Abrupt(BaseException):
    """os._exit, or a signal to oneself: no handler catches it. Its argument is the exit code."""


class Failure(NamedTuple):
    """An exception: the name of its type and of all its bases, its message, and, for
    SystemExit and Abrupt, its arguments: the first is the exit code."""

    type: str
    message: str
    bases: frozenset[str]
    args: tuple[Any, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What a Python exception is to a scenario."""
        name, message = told(error)
        bases = frozenset(base.__name__ for base in type(error).__mro__)
        if isinstance(error, SystemExit):  # what is neither a number nor nothing is printed
            code = error.code
            return cls(name, message, bases, (code if code is None or type(code) is int else 1,))
        return cls(name, message, bases, error.args if isinstance(error, Abrupt) else ())

    def seen(self) -> Attributes:
        """`error` in an expression."""
        return _Seen(self)


class _Seen(Attributes):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure

    def get(self, name: str) -> object:
        if name in ("type", "message"):
            return getattr(self.failure, name)
        raise AttributeError(f"error has no {name!r}; it has type and message")


def ends_with(failure: Failure | None) -> int:
    """What a process exits with that fails so, or not at all (process.py, _bootstrap)."""
    if failure is None:
        return 0
    if failure.type == Abrupt.__name__:
        return int(failure.args[0])
    return (
        exit_code(failure.args[0] if failure.args else None) if failure.type == "SystemExit" else 1
    )


class Values:
    """Numbers for values, from 1 on; 0 stands for none."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}
        self.values: list[Any] = [None]

    def number(self, value: object) -> int:
        """The value's number; what cannot be told from it has the same."""
        key = self._key(value)
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.values)
            self.values.append(value)
        return found

    def value(self, number: int) -> Any:
        """The value that has this number."""
        return self.values[number]

    def _key(self, value: object) -> Hashable:
        kind = type(value)
        if value is None or kind in (bool, int, str, bytes):
            return kind, value
        if isinstance(value, float | complex | range):
            return kind, repr(value)  # -0.0 is equal to 0.0, and NaN not to itself
        if isinstance(value, Failure):
            return kind, value.type, value.message, self.number(list(value.args))
        if isinstance(value, list | tuple):
            return kind, tuple([self.number(each) for each in value])
        if isinstance(value, dict):
            return kind, tuple([(self.number(k), self.number(v)) for k, v in value.items()])
        if isinstance(value, set | frozenset):
            return kind, frozenset([self.number(each) for each in value])
        return kind, repr(value)
