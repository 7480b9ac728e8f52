"""What Python code does to a primitive otherwise than by one call of a method of the verb's form:
methods of any arguments, which hand them on, and attributes that are read and set.

In: what the operations' `code` says of them (kinds.py). Out: by name, what to put into the class
of a stand-in. Such an action costs some microseconds (Action.take in tracing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from sys import _getframe
from typing import Any

from mpflow.engine.tracing import Shape, named_like


def otherwise(
    real: type, traced: Iterable[tuple[Shape, int]]
) -> Iterator[tuple[str, Callable[..., Any] | property]]:
    """By name, what to put into the class; with each operation's shape the number of its action."""
    reads: dict[str, int] = {}
    writes: dict[str, int] = {}
    ways = ((way.strip(), number) for shape, number in traced for way in shape.code.split("|"))
    for way, number in ways:
        name, _, parameters = way.rstrip(")").partition("(")
        if name.startswith("."):
            place = writes if name.endswith("=") else reads
            place[name.strip(" .=")] = number
        elif hasattr(real, name):
            names = [each.strip() for each in parameters.split(",")]
            yield name, named_like(_passing(name, number, names), real, getattr(real, name))
    for name, number in reads.items():
        yield name, _attribute(name, number, writes.get(name))


def _passing(name: str, number: int, names: Sequence[str]) -> Callable[..., Any]:
    """A method that hands everything on; `names` are those of its first arguments."""

    def passed(self: Any, /, *given: Any, **named: Any) -> Any:
        action = self._actions[number]
        known = {**dict(zip(names, given, strict=False)), **named}
        value = known.get(action.shape.value)
        if name == "send_bytes":
            value = _part(*given, **named)
        real = getattr(self._origin.real, name)
        if name == "_callmethod" and str(value).startswith("#"):
            return real(*given, **named)  # a proxy's own business
        frame, at = _getframe(1), _key(known.get("at"))
        received = partial(_received, given, named) if name == "recv_bytes_into" else None
        call = partial(real, *given, **named)
        return action.take(frame, at, _told(value), call, received)

    passed.__name__ = name
    return passed


def _attribute(name: str, reading: int, writing: int | None) -> property:
    """An attribute that is read and set: both are actions."""

    def read(self: Any) -> Any:
        real, action = self._origin.real, self._actions[reading]
        return action.take(_getframe(1), None, None, lambda: getattr(real, name))

    def write(self: Any, value: Any) -> None:
        assert writing is not None
        real, action = self._origin.real, self._actions[writing]
        action.take(_getframe(1), None, value, lambda: setattr(real, name, value))

    return property(read, write if writing is not None else None)


def _received(given: Sequence[Any], named: Mapping[str, Any], size: int) -> bytes:
    """What recv_bytes_into has put into a buffer: its arguments, and how much it was."""
    buffer = given[0] if given else named["buf"]
    offset = given[1] if len(given) > 1 else named.get("offset", 0)
    return bytes(memoryview(buffer).cast("B")[offset : offset + size])


def _part(buf: Any = None, offset: int = 0, size: int | None = None, *_: Any, **__: Any) -> Any:
    """What of a buffer is sent; all of it where the real method is going to complain."""
    try:
        return bytes(memoryview(buf).cast("B")[offset : None if size is None else offset + size])
    except (TypeError, ValueError):
        return buf


def _key(at: Any) -> Any:
    """An index or key as a record can hold it."""
    if not isinstance(at, slice):
        return at
    return ":".join("" if each is None else str(each) for each in (at.start, at.stop, at.step))


def _told(value: Any) -> Any:
    """A value for the record; a function goes by its name."""
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}:{value.__qualname__}"
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
