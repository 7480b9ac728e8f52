"""Values in, values out: what the Python source of an expression calls while it runs.

Worker processes import this module, so it stays light: no `ast`, no `re`, no `typing`.
The source reads a name x as `v_x`, and calls what NAMESPACE holds. Whatever
could grow is measured first; a result over 1 MiB raises TooLarge before it is made.
"""

from __future__ import annotations

import os
import time

from mpflow.evaluation.measure import (
    CONTAINERS,
    DIGITS,
    LIMIT,
    SEQUENCES,
    SLOT,
    TooLarge,
    all_items,
    check,
    check_bits,
    check_format,
    leaf_size,
    size,
    text_size,
)

__all__ = ["FUNCTIONS", "LIMIT", "NAMESPACE", "PREFIX", "Attributes", "Names", "TooLarge", "size"]

TYPE_CHECKING = False  # typing takes longer to import than all of this module
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PREFIX = "v_"  # of a scenario's own names: the source has no other that begins so
_COLLISIONS = 64  # unequal members of a set with one hash


class Attributes:
    """Base of the only values whose attributes an expression may read."""

    __slots__ = ()

    def get(self, name: str) -> object:
        """The attribute called `name`; AttributeError with a readable message otherwise."""
        raise AttributeError(f"there is no attribute '{name}' here")


class Names(dict[str, object]):
    """What names mean where a source is evaluated by itself: `v_x` is `scope['x']`."""

    __slots__ = ("scope",)

    def __init__(self, scope: Mapping[str, object]) -> None:
        super().__init__()
        self.scope = scope

    def __missing__(self, name: str) -> object:
        """KeyError for what is no scenario's name: Python then looks into the globals."""
        if not name.startswith(PREFIX):
            raise KeyError(name)
        try:
            return self.scope[name[2:]]
        except KeyError:
            raise NameError(f"name '{name[2:]}' is not defined") from None


def add(a: Any, b: Any) -> Any:
    """`a + b`. Numbers need no check: a sum is one bit longer than its longer part."""
    if isinstance(a, SEQUENCES) and isinstance(b, SEQUENCES):
        check(size(a) + size(b), type(a))
    return a + b


def mul(a: Any, b: Any) -> Any:
    """`a * b`."""
    if isinstance(a, int) and isinstance(b, int):
        check_bits(a.bit_length() + b.bit_length())
    elif isinstance(a, SEQUENCES) and isinstance(b, int):
        check(size(a) * b, type(a))
    elif isinstance(a, int) and isinstance(b, SEQUENCES):
        check(a * size(b), type(b))
    return a * b


def floordiv(a: Any, b: Any) -> Any:
    """`a // b`."""
    _check_division(a, b)
    return a // b


def mod(a: Any, b: Any) -> Any:
    """`a % b`, the formatting of text included."""
    if isinstance(a, str):
        check_format(a, b, lambda key: key)
    elif isinstance(a, bytes | bytearray):
        check_format(a.decode("latin-1"), b, lambda key: key.encode("latin-1"))
    else:
        _check_division(a, b)
    return a % b


def _check_division(a: object, b: object) -> None:
    if isinstance(a, int) and isinstance(b, int):
        check_bits(max(a.bit_length(), b.bit_length()))


class _Members:
    """A range for `in`: CPython goes through all of it when asked for anything but an int."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __contains__(self, item: object) -> bool:
        if isinstance(item, float):
            return item.is_integer() and int(item) in self.numbers
        if item is None or isinstance(item, (*SEQUENCES, *CONTAINERS, range)):
            return False
        return item in (self.numbers if isinstance(item, int) else all_items(self.numbers, 1))

    def __eq__(self, other: object) -> bool:
        return self.numbers == (other.numbers if isinstance(other, _Members) else other)

    def __hash__(self) -> int:
        return hash(self.numbers)


def members(value: Any) -> Any:
    """The right side of `in`; in a chain (`a in b == c`) it still compares like `value`."""
    return _Members(value) if type(value) is range else value


def made(value: Any) -> Any:
    """A list, tuple, dict or set just put together: measured, since its parts may be shared."""
    size(value)
    return value


def attribute(value: object, name: str) -> object:
    """`value.name`."""
    if isinstance(value, Attributes):
        return value.get(name)
    raise AttributeError(f"'{type(value).__name__}' values have no attributes in an expression")


def joined(*parts: object) -> str:
    """The text of a template: its parts, each as str() shows it."""
    texts, total = [], 0
    for part in parts:
        texts.append(text(part))
        total += leaf_size(texts[-1])
        check(total, str)
    return "".join(texts)


def text(value: object = "") -> str:
    """`str(value)`."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, *CONTAINERS)):
        check(text_size(value), str)
        return str(value)
    made = str(value)  # of an object of Python code, nothing is known before
    check(leaf_size(made), str)
    return made


def _int(value: Any = 0, *base: Any) -> int:
    if isinstance(value, str | bytes | bytearray) and len(value) > DIGITS:
        raise TooLarge(f"a number of over {DIGITS:,} digits")
    return int(value, *base)


def _round(number: Any, ndigits: Any = None) -> Any:
    """CPython computes 10**-ndigits in full before it rounds an int."""
    if isinstance(number, int) and isinstance(ndigits, int) and ndigits < 0:
        if -ndigits > number.bit_length() // 3 + 2:
            return 0
        check_bits(number.bit_length())
    return round(number, ndigits)


def _list(*items: Any) -> list[Any]:
    return list(*[all_items(each, SLOT) for each in items])


def _tuple(*items: Any) -> tuple[Any, ...]:
    return tuple(*[all_items(each, SLOT) for each in items])


def _sorted(items: Any, *, reverse: Any = False) -> list[Any]:
    return sorted(all_items(items, SLOT), reverse=reverse)


def _max(*values: Any, **default: Any) -> Any:
    return max(*([all_items(values[0], 1)] if len(values) == 1 else values), **default)


def _min(*values: Any, **default: Any) -> Any:
    return min(*([all_items(values[0], 1)] if len(values) == 1 else values), **default)


def _set(items: Any = ()) -> set[Any]:
    """A thousand unequal members with one hash are fine; a hundred thousand take minutes."""
    all_items(items, 1 if isinstance(items, str | bytes) else SLOT)
    if isinstance(items, list | tuple | range) and len(items) > 1000:
        chains: dict[int, list[Any]] = {}
        for item in items:
            chain = chains.setdefault(hash(item), [])
            if item not in chain:
                chain.append(item)
                if len(chain) > _COLLISIONS:
                    raise TooLarge(f"a set with over {_COLLISIONS} members of the same hash")
    return set(items)


def _sum(items: Any, start: Any = 0) -> Any:
    """Lists are joined in one go: CPython copies the total anew for each of them."""
    all_items(items, 1)
    if isinstance(start, list | tuple):
        return _sum_of_sequences(items, start)
    if not isinstance(items, range):
        items = list(items)
        if max(map(leaf_size, [start, *items])) * len(items) > 1 << 29:
            raise TooLarge("a sum of integers as long as these")
    return sum(items, start)


def _sum_of_sequences(items: Any, start: Any) -> Any:
    total, length = list(start), size(start)
    for item in items:
        length += size(item)
        check(length, type(start))
        if type(item) is type(start):
            total.extend(item)
        else:
            total = list(type(start)(total) + item)  # an error, and Python's own
    return type(start)(total)


# the functions of the language, by their own names
FUNCTIONS: dict[str, object] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": _int,
    "len": len,
    "list": _list,
    "max": _max,
    "min": _min,
    "range": range,
    "round": _round,
    "set": _set,
    "sorted": _sorted,
    "str": text,
    "sum": _sum,
    "tuple": _tuple,
    "cpu_count": os.cpu_count,
    "ctime": time.ctime,
    "time": time.time,
}

# the globals of generated source
NAMESPACE: dict[str, object] = {
    "__builtins__": {},
    "add": add,
    "attribute": attribute,
    "floordiv": floordiv,
    "joined": joined,
    "made": made,
    "members": members,
    "mod": mod,
    "mul": mul,
    **FUNCTIONS,
}
