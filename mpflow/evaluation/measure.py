"""In: values, and what is to be done with them. Out: how large the result would be, or TooLarge.

Sizes are those of the written-out value: text as UTF-8, an integer's bytes, 8 bytes for each item
of a list, and an item that stands in two places counts twice. Worker processes import this
module, so it stays light: no `ast`, no `re`, no `typing`.
"""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False  # typing takes longer to import than all of this module
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMIT = 1 << 20  # bytes of a result
LEVELS = 100  # of nesting: CPython's hash of a tuple has no recursion check and would crash
SLOT = 8  # bytes of an item
DIGITS = 100_000  # of a number as text: the conversion takes quadratic time
_SMALL = 1 << 10  # bytes of a result that is made only to find a refusal early
_INTEGER = 1 << 19  # bits: to multiply or divide two that long takes a tenth of a second

SEQUENCES = (str, bytes, bytearray, list, tuple)
CONTAINERS = (list, tuple, dict, set, frozenset)

_allowed = ContextVar("_allowed", default=LIMIT)


class TooLarge(ValueError):  # noqa: N818 - the name is shown to users as the error's type
    """A result that would be over the limit; it was not made."""


class _CostlyError(Exception):
    """A result that is allowed, but not small."""


def refusal(make: Callable[[], object]) -> TooLarge | None:
    """What `make` is sure to be refused for; nothing that is not small is made to find it out."""
    token = _allowed.set(_SMALL)
    try:
        make()
    except TooLarge as error:
        return error
    except Exception:
        pass
    finally:
        _allowed.reset(token)
    return None


def check(total: int, kind: type) -> None:
    """TooLarge, when a result of `total` bytes is over the limit."""
    if _over(total):
        raise TooLarge(f"a result of type {kind.__name__} would be over 1 MiB")


def check_bits(bits: int) -> None:
    """The same for an integer, whose limit is lower."""
    if bits > _INTEGER:
        raise TooLarge("integers of over 64 KiB are too long to calculate with")


def _over(total: int) -> bool:
    if total <= _allowed.get():
        return False
    if total <= LIMIT:
        raise _CostlyError
    return True


def size(value: object) -> int:
    """The bytes of `value` written out; TooLarge when over the limit or nested too deep."""
    return _measure(value, leaf_size, SLOT, 0)


def _measure(root: object, own: Callable[[object], int], slot: int, brackets: int) -> int:
    """Sum of `own` over leaves, `slot` over items, `brackets` over containers, level by level.

    It stops at the limit, so a value that contains itself or shares its parts costs no more.
    """
    total, level = 0, [root]
    for _ in range(LEVELS + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, CONTAINERS):
                total += brackets + slot * len(item) * (2 if isinstance(item, dict) else 1)
                check(total, type(root))
                below.extend(item)
                if isinstance(item, dict):
                    below.extend(item.values())
            else:
                total += own(item)
                check(total, type(root))
        if not below:
            return total
        level = below
    raise TooLarge(f"a value nested over {LEVELS} levels")


def leaf_size(item: object) -> int:
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
    return leaf_size(repr(item))


def text_size(value: object) -> int:
    """The size of str(value), or a little more; `, ` and `: ` and a pair of brackets are 2."""
    if isinstance(value, str):
        return leaf_size(value)
    if isinstance(value, int):
        check_bits(value.bit_length())
    return _measure(value, _letters, 2, 2)


def all_items(value: Any, each: int) -> Any:
    """`value` again, when going through all its items is no more than the limit."""
    try:
        count = len(value) if hasattr(value, "__len__") else 0
    except OverflowError:  # len(range(10**30))
        count = LIMIT + 1
    if _over(count * each):
        kind = type(value).__name__
        raise TooLarge(f"a {kind} of over {LIMIT // each:,} items is too long to go through")
    return value


def check_format(form: str, given: Any, key_of: Callable[[str], object]) -> None:
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
        check(total, str)
        at = form.find("%", at + 1)


def _converted(value: object, kind: str) -> int:
    """At least what one conversion writes; `%f` of 1e308 has 309 digits."""
    if isinstance(value, float):
        return 320
    if kind == "a":
        return 10 * text_size([value])
    return text_size([value] if kind in ("r", "b") else value)


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
