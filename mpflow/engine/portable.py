"""Values as a record keeps them: any value goes in, what marshal can write comes out, and back.

In: a value of whatever class. Out: itself, marked `=`, where it is one of Python's own and not too
long; else the beginning of its repr and the name of its type, marked `~`, which is a Foreign when
it is read. Two forms side by side are marked `&`.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any
from weakref import ref

_LONGEST = 1 << 20  # bytes of one value; of a longer one the beginning of its repr is kept
_SHOWN = 400  # characters of a repr
_SETS = frozenset({set, frozenset})
_SIZED = _SETS | {str, bytes, tuple, list, dict}
_PLAIN = _SIZED | {type(None), bool, int, float, complex}


class Foreign:
    """A value that could not be written down: the beginning of its repr, and its type."""

    def __init__(self, text: str, foreign_type: str = "") -> None:
        self.text = text
        self.foreign_type = foreign_type

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


Form = tuple[Any, ...]  # of a value, as marshal can write it


def portable(value: Any) -> Form:
    """A value as marshal can write it: itself, or the repr and type of what it cannot."""
    return ("=", value) if dumped(value) is not None else shown(value)


def dumped(value: Any) -> bytes | None:
    """A value itself, as it is spilled; None for what marshal cannot write, and what is too long.
    The type is looked at first: what shares its memory (numpy) would be written as bytes."""
    if type(value) not in _PLAIN or (type(value) in _SIZED and len(value) > _LONGEST):
        return None
    try:
        data = marshal.dumps(("=", value))
    except ValueError:
        return None
    return data if len(data) <= _LONGEST else None


def shown(value: Any) -> Form:
    """A value's repr, shortened, and its type. The user's classes may do anything: what comes up
    in a repr is shown instead of it, and a text of a class of its own is made one of Python's."""
    try:
        text = repr(_beginning(value))
    except BaseException as error:
        text = f"<{_name(type(value))}: repr failed with {_name(type(error))}>"
    short = str.__getitem__(text, slice(_SHOWN))
    return ("~", short if str.__len__(text) <= _SHOWN else f"{short[:-1]}…", _name(type(value)))


def _beginning(value: Any) -> Any:
    """As much of one of Python's own values as its shortened repr can show."""
    if type(value) not in _SIZED or len(value) <= _SHOWN:
        return value
    if type(value) is dict:
        return dict(islice(value.items(), _SHOWN))
    return type(value)(islice(value, _SHOWN)) if type(value) in _SETS else value[:_SHOWN]


def _name(kind: type) -> str:
    """What a class is called, whatever its own class says."""
    found: str = type.__dict__["__name__"].__get__(kind)
    return found


class Forms:
    """How one thread's objects were shown last, for a repr may take its time. That is remembered
    as long as an object lives: not longer, for nothing is to outlive its process's variables
    here."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[ref[object], Form]] = {}  # by id

    def of(self, value: object) -> Form:
        """A value's portable form; of what has been shown already it is that one."""
        known = self.known.get(id(value))
        return known[1] if known is not None and known[0]() is value else portable(value)

    def foreign(self, value: object) -> Form:
        """The form of what marshal cannot write, as it is now."""
        form, key = shown(value), id(value)
        with suppress(TypeError):  # not everything can be referred to so
            self.known[key] = ref(value, lambda _: self.known.pop(key, None)), form
        return form


def restored(kept: Sequence[Any]) -> Any:
    """The value, or a Foreign that shows it; of a pair, both."""
    if kept[0] == "&":
        return restored(kept[1]), restored(kept[2])
    return kept[1] if kept[0] == "=" else Foreign(*kept[1:])
