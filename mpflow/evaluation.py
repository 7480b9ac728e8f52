"""Values in, values out: what the Python source made by expressions.py calls while it runs.

Worker processes import this module, so it stays light: no `ast`, no `re`, no `typing`.
The source reads names as `v['x']` (`v` is a Scope) and calls what NAMESPACE holds. Whatever
could grow is measured first; a result over 1 MiB raises TooLarge before it is made.

Sizes are those of the written-out value: text as UTF-8, an integer's bytes, 8 bytes for
each item of a list, and an item that stands in two places counts twice.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing takes longer to import than all of this module
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LIMIT = 1 << 20  # bytes of a result
LEVELS = 100  # of nesting: CPython's hash of a tuple has no recursion check and would crash
_WORK = 1 << 36  # bit operations in one division: about a tenth of a second
_DIGITS = 100_000  # of a number as text: the conversion takes quadratic time
_COLLISIONS = 64  # unequal members of a set with one hash
_SLOT = 8

_SEQUENCES = (str, bytes, bytearray, list, tuple)
_CONTAINERS = (list, tuple, dict, set, frozenset)


class TooLarge(ValueError):  # noqa: N818 - the name is shown to users as the error's type
    """A result that would be over the limit; it was not made."""


class Attributes:
    """Base of the only values whose attributes an expression may read."""

    __slots__ = ()

    def get(self, name: str) -> object:
        """The attribute called `name`; AttributeError with a readable message otherwise."""
        raise AttributeError(f"there is no attribute '{name}' here")


class Scope(dict[str, object]):
    """The variables of one process; a name that is not among them is looked up in `outer`."""

    __slots__ = ("changed", "outer")

    def __init__(self, initial: dict[str, object], outer: Mapping[str, object]) -> None:
        super().__init__(initial)
        self.outer = outer
        self.changed: set[str] = set()  # set since the reader last emptied it

    def __setitem__(self, name: str, value: object) -> None:
        self.changed.add(name)
        super().__setitem__(name, value)

    def __missing__(self, name: str) -> object:
        try:
            return self.outer[name]
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None


# ---- measuring


def size(value: object) -> int:
    """The bytes of `value` written out; TooLarge when over the limit or nested too deep."""
    return _measure(value, _bytes, _SLOT, 0)


def _measure(root: object, own: Callable[[object], int], slot: int, brackets: int) -> int:
    """Sum of `own` over leaves, `slot` over items, `brackets` over containers, level by level.

    It stops at the limit, so a value that contains itself or shares its parts costs no more.
    """
    total, level = 0, [root]
    for _ in range(LEVELS + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, _CONTAINERS):
                total += brackets + slot * len(item) * (2 if isinstance(item, dict) else 1)
                _check(total, type(root))
                below.extend(item)
                if isinstance(item, dict):
                    below.extend(item.values())
            else:
                total += own(item)
                _check(total, type(root))
        if not below:
            return total
        level = below
    raise TooLarge(f"a value nested over {LEVELS} levels")


def _check(total: int, kind: type) -> None:
    if total > LIMIT:
        raise TooLarge(f"a result of type {kind.__name__} would be over 1 MiB")


def _bytes(item: object) -> int:
    """What a leaf takes beyond its slot."""
    if isinstance(item, str):
        return len(item) if item.isascii() else len(item.encode("utf-8", "surrogatepass"))
    if isinstance(item, bytes | bytearray):
        return len(item)
    if isinstance(item, int):
        bits = item.bit_length()
        return (bits + 7) // 8 if bits > 64 else 0
    return 0


def _letters(item: object) -> int:
    """The length of a leaf's repr, or a little more."""
    if isinstance(item, int) and item.bit_length() > 64:
        # not by its repr: CPython may refuse it, and hexadecimal (`%x`) it never refuses
        return item.bit_length() // 3 + 2
    return _bytes(repr(item))


def _text_size(value: object) -> int:
    """The size of str(value), or a little more; `, ` and `: ` and a pair of brackets are 2."""
    if isinstance(value, str):
        return _bytes(value)
    if isinstance(value, int) and value.bit_length() > 4 * _DIGITS:
        raise TooLarge(f"an integer of over {_DIGITS:,} digits as text")
    return _measure(value, _letters, 2, 2)


def _all_items(value: Any, each: int) -> Any:
    """`value` again, when going through all its items is no more than the limit."""
    try:
        count = len(value) if hasattr(value, "__len__") else 0
    except OverflowError:  # len(range(10**30))
        count = LIMIT + 1
    if count * each > LIMIT:
        kind = type(value).__name__
        raise TooLarge(f"a {kind} of over {LIMIT // each:,} items is too long to go through")
    return value


# ---- operators


def add(a: Any, b: Any) -> Any:
    """`a + b`. Numbers need no check: a sum is one bit longer than its longer part."""
    if isinstance(a, _SEQUENCES) and isinstance(b, _SEQUENCES):
        _check(size(a) + size(b), type(a))
    return a + b


def mul(a: Any, b: Any) -> Any:
    """`a * b`."""
    if isinstance(a, int) and isinstance(b, int):
        if (a.bit_length() + b.bit_length()) > 8 * LIMIT:
            raise TooLarge("an integer would be over 1 MiB")
    elif isinstance(a, _SEQUENCES) and isinstance(b, int):
        _check(size(a) * b, type(a))
    elif isinstance(a, int) and isinstance(b, _SEQUENCES):
        _check(a * size(b), type(b))
    return a * b


def floordiv(a: Any, b: Any) -> Any:
    """`a // b`."""
    _check_division(a, b)
    return a // b


def mod(a: Any, b: Any) -> Any:
    """`a % b`, the formatting of text included."""
    if isinstance(a, str):
        _check_format(a, b, lambda key: key)
    elif isinstance(a, bytes | bytearray):
        _check_format(a.decode("latin-1"), b, lambda key: key.encode("latin-1"))
    else:
        _check_division(a, b)
    return a % b


def _check_division(a: object, b: object) -> None:
    """Long division takes time with the length of the quotient times that of the divisor."""
    if isinstance(a, int) and isinstance(b, int):
        _check_work(a.bit_length(), b.bit_length())


def _check_work(dividend_bits: int, divisor_bits: int) -> None:
    if (dividend_bits - divisor_bits) * divisor_bits > _WORK:
        raise TooLarge("a division of integers as long as these")


def _check_format(form: str, given: Any, key_of: Callable[[str], object]) -> None:
    """Adds up what each conversion of `form % given` can put into the text."""
    total = len(form)
    values = iter(given if isinstance(given, tuple) else (given,))
    at = form.find("%")
    while at >= 0:
        key, at = _format_key(form, at + 1)
        width, at = _format_number(form, _skip(form, at, "#0- +"))
        precision = 0
        if form[at : at + 1] == ".":
            precision, at = _format_number(form, at + 1)
        at = _skip(form, at, "hlL")
        kind = form[at : at + 1]
        total += width + precision
        if key is not None:
            total += _converted(given.get(key_of(key)) if isinstance(given, dict) else 0, kind)
        elif kind != "%":
            total += _converted(next(values, 0), kind)
        _check(total, str)
        at = form.find("%", at + 1)


def _converted(value: object, kind: str) -> int:
    """At least what one conversion writes; `%f` of 1e308 has 309 digits."""
    if isinstance(value, float):
        return 320
    if kind == "a":
        return 10 * _text_size([value])
    return _text_size([value] if kind in ("r", "b") else value)


def _skip(form: str, at: int, letters: str) -> int:
    while at < len(form) and form[at] in letters:
        at += 1
    return at


def _format_number(form: str, at: int) -> tuple[int, int]:
    """A width or precision at `at`, and where it ends."""
    if form[at : at + 1] == "*":
        raise TooLarge("`*` as a width or precision; write the number")
    end = _skip(form, at, "0123456789")
    digits = form[at:end].lstrip("0")
    if len(digits) > 4 or int(digits or "0") > 1000:
        raise TooLarge("a width or precision over 1,000")
    return int(digits or "0"), end


def _format_key(form: str, at: int) -> tuple[str | None, int]:
    """The `key` of `%(key)s` and where it ends; brackets nest in it, as in CPython."""
    if form[at : at + 1] != "(":
        return None, at
    depth = 1
    for end in range(at + 1, len(form)):
        depth += {"(": 1, ")": -1}.get(form[end], 0)
        if depth == 0:
            return form[at + 1 : end], end + 1
    return None, len(form)


class _Members:
    """A range for `in`: CPython goes through all of it when asked for anything but an int."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __contains__(self, item: object) -> bool:
        if isinstance(item, float):
            return item.is_integer() and int(item) in self.numbers
        if item is None or isinstance(item, (*_SEQUENCES, *_CONTAINERS, range)):
            return False
        return item in (self.numbers if isinstance(item, int) else _all_items(self.numbers, 1))

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
        total += _bytes(texts[-1])
        _check(total, str)
    return "".join(texts)


# ---- functions


def text(value: object = "") -> str:
    """`str(value)`."""
    if isinstance(value, str):
        return value
    _check(_text_size(value), str)
    return str(value)


def _int(value: Any = 0, *base: Any) -> int:
    if isinstance(value, str | bytes | bytearray) and len(value) > _DIGITS:
        raise TooLarge(f"a number of over {_DIGITS:,} digits")
    return int(value, *base)


def _round(number: Any, ndigits: Any = None) -> Any:
    """CPython computes 10**-ndigits in full before it rounds an int."""
    if isinstance(number, int) and isinstance(ndigits, int) and ndigits < 0:
        if -ndigits > number.bit_length() // 3 + 2:
            return 0
        _check_work(number.bit_length(), -ndigits * 10 // 3)
    return round(number, ndigits)


def _list(*items: Any) -> list[Any]:
    return list(*[_all_items(each, _SLOT) for each in items])


def _tuple(*items: Any) -> tuple[Any, ...]:
    return tuple(*[_all_items(each, _SLOT) for each in items])


def _sorted(items: Any, *, reverse: Any = False) -> list[Any]:
    return sorted(_all_items(items, _SLOT), reverse=reverse)


def _max(*values: Any, **default: Any) -> Any:
    return max(*([_all_items(values[0], 1)] if len(values) == 1 else values), **default)


def _min(*values: Any, **default: Any) -> Any:
    return min(*([_all_items(values[0], 1)] if len(values) == 1 else values), **default)


def _set(items: Any = ()) -> set[Any]:
    """A thousand unequal members with one hash are fine; a hundred thousand take minutes."""
    _all_items(items, 1 if isinstance(items, str | bytes) else _SLOT)
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
    _all_items(items, 1)
    if isinstance(start, list | tuple):
        return _sum_of_sequences(items, start)
    if not isinstance(items, range):
        items = list(items)
        if max(map(_bytes, [start, *items])) * len(items) > 1 << 29:
            raise TooLarge("a sum of integers as long as these")
    return sum(items, start)


def _sum_of_sequences(items: Any, start: Any) -> Any:
    total, length = list(start), size(start)
    for item in items:
        length += size(item)
        _check(length, type(start))
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
