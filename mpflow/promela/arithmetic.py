"""Numbers go in as Terms, a Term of what Python makes of them comes out, with its bounds.

Promela's int is C's: what might leave it is refused, and C's division is made Python's.
"""

from __future__ import annotations

from mpflow.promela.refusal import Refusal
from mpflow.promela.values import Term, needs_of

MOST = 2**31 - 1  # what Promela's int holds


def add(a: Term, b: Term) -> Term:
    """`a + b`."""
    return _bounded(f"({a.code} + {b.code})", (a.low + b.low, a.high + b.high), a, b)


def mul(a: Term, b: Term) -> Term:
    """`a * b`."""
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _bounded(f"({a.code} * {b.code})", (min(ends), max(ends)), a, b)


def mod(a: Term, b: Term) -> Term:
    """Python's: never negative. C's is, where the left side is."""
    by = _divisor(b)
    code = f"({a.code} % {by})" if a.low >= 0 else f"((({a.code} % {by}) + {by}) % {by})"
    return _bounded(code, (0, by - 1), a)


def floordiv(a: Term, b: Term) -> Term:
    """Python's: rounded down. C's is rounded towards zero."""
    by = _divisor(b)
    code = f"({a.code} / {by})"
    if a.low < 0:
        code = f"(({a.code} - {mod(a, b).code}) / {by})"
    return _bounded(code, (a.low // by, a.high // by), a)


def absolute(a: Term) -> Term:
    """Without its sign."""
    code = f"({a.code} < 0 -> -{a.code} : {a.code})"
    return _bounded(code, (0, max(abs(a.low), abs(a.high))), a)


def minus(a: Term, b: Term) -> Term:
    """`a - b`."""
    return _bounded(f"({a.code} - {b.code})", (a.low - b.high, a.high - b.low), a, b)


def negative(a: Term) -> Term:
    """`-a`."""
    return _bounded(f"(-{a.code})", (-a.high, -a.low), a)


def extreme(sign: str, first: Term, *rest: Term) -> Term:
    """The least of all by `<`, the greatest by `>`."""
    for each in rest:
        code = f"({each.code} {sign} {first.code} -> {each.code} : {first.code})"
        bounds = min(first.low, each.low), max(first.high, each.high)
        first = _bounded(code, bounds, first, each)
    return first


def _bounded(code: str, bounds: tuple[int, int], *parts: Term) -> Term:
    low, high = bounds
    if low < -MOST or high > MOST:
        raise Refusal("this may be more than an int of Promela holds", "split it with `let`")
    return Term(code, "number", low, high, needs_of(parts))


def _divisor(term: Term) -> int:
    if not isinstance(term.known, int) or term.known <= 0:
        raise Refusal("Promela divides by a known number above 0 alone")
    return int(term.known)
