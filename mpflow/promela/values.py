"""What values there are in a model: a Term has the code of one, its range, and what it takes.

A value is an int: numbers and booleans as they are, texts and None as constants beyond all
numbers, so that == and != tell them apart. Lists and texts that the run puts together have no
code: they can be printed and kept, and nothing else can depend on them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from mpflow.evaluation import Attributes
from mpflow.promela.refusal import Refusal

LARGEST = 32767  # of a number in the model; what may become larger is asserted not to
LONGEST = 40  # bytes of a text: so small that no pipe is ever full of them
MOST = 2**31 - 1  # what Promela's int holds, between one assertion and the next
NONE = "NONE"
UNKNOWN = object()  # the value of what only the run can tell
OPAQUE = ("list", "text", "other")  # kinds of values that have no code


class Term(NamedTuple):
    """A value: its code, the kind of it (number, scalar, or an OPAQUE one), its bounds where it is
    a number, what must hold when it is worked out, and the value itself where that is known."""

    code: str = ""
    kind: str = "number"
    low: int = -LARGEST
    high: int = LARGEST
    needs: tuple[str, ...] = ()
    known: Any = UNKNOWN


class Self(Attributes):
    """`self` in an expression; its pid is for the run to tell."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, name: str) -> object:
        if name != "name":
            raise Refusal(f"`self.{name}` is known only when the process runs")
        return self.name


class Texts:
    """The texts of a scenario, each a constant of the model."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def code(self, text: str) -> str:
        """The name of a text's constant."""
        if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
            message = f"a text of {len(text):,} characters may fill a pipe, whose size is not said"
            raise Refusal(message, f"use texts of at most {LONGEST} bytes")
        return f"TEXT_{self.numbers.setdefault(text, len(self.numbers) + 1)}"


def joined_kind(one: str, other: str) -> str:
    """The kind of a variable that is set to both."""
    if one == other:
        return one
    return "other" if one in OPAQUE or other in OPAQUE else "scalar"


def literal(value: Any) -> Term:
    """A known value."""
    if isinstance(value, int) and -LARGEST <= value <= LARGEST:
        return Term(str(int(value)), "number", int(value), int(value), (), value)
    if value is None:
        return Term(NONE, "scalar", known=None)
    if isinstance(value, str):
        return Term("", "scalar", known=value)
    return Term("", "list" if isinstance(value, list | tuple) else "other", known=value)


def condition(code: str, needs: tuple[str, ...]) -> Term:
    """A term that is 0 or 1."""
    return Term(code, "number", 0, 1, needs)


def needs_of(terms: Collection[Term]) -> tuple[str, ...]:
    """What several terms take for granted, each once."""
    return tuple(dict.fromkeys(need for each in terms for need in each.needs))
