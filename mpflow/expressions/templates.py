"""In: a text with `$name`, `$(expression)` and `$$` in it. Out: its plain stretches and its holes.

A hole is a place that a value is to be filled into. What stands in `$(…)` is found, not read:
only its brackets and strings count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mpflow.evaluation import FUNCTIONS
from mpflow.expressions.grammar import WITH_ATTRIBUTES_ONLY, refuse_dunder
from mpflow.expressions.syntax import STRING, ExpressionError

_DOLLAR = re.compile(r"\$(?:\$|\(|[A-Za-z_][A-Za-z0-9_]*)")
_BRACKET = re.compile(STRING + r"|[()\[\]{}'\"]", re.DOTALL)
_ATTRIBUTE = r"\.([A-Za-z_]\w*)"


class Hole(NamedTuple):
    """What is filled in: a name (of `$name`), or the text of an expression (of `$(…)`)."""

    text: str
    start: int  # where that text stands in the template
    is_name: bool


def parts(text: str) -> Iterator[str | Hole]:
    """The stretches of a template in order; no two plain ones follow each other, none is empty."""
    plain, at = "", 0
    while dollar := _DOLLAR.search(text, at):
        plain += text[at : dollar.start()]
        at = dollar.end()
        if dollar[0] == "$$":
            plain += "$"
            continue
        if dollar[0] == "$(":
            end = _closing(text, at)
            hole = Hole(text[at:end], at, is_name=False)
            at = end + 1
        else:
            hole = Hole(dollar[0][1:], dollar.start() + 1, is_name=True)
            _check_name(text, hole.text, *dollar.span())
        if plain:
            yield plain
        yield hole
        plain = ""
    if plain := plain + text[at:]:
        yield plain


def _closing(text: str, start: int) -> int:
    """Where the bracket opened before `start` closes; brackets inside strings do not count."""
    depth = 1
    for found in _BRACKET.finditer(text, start):
        token = found[0]
        if token in ("'", '"'):
            break  # a string that does not end: nothing after it can be told apart
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        if depth == 0:
            return found.start()
    raise ExpressionError(
        "unclosed-expression",
        "`$(` is not closed: YAML has probably cut the text at a comma, a `#` or a `: `",
        start - 2,
        len(text),
        "put the whole string in quotes",
    )


def _check_name(text: str, name: str, start: int, end: int) -> None:
    """Refuses the names that have no value of their own."""
    if name in WITH_ATTRIBUTES_ONLY:
        written = re.compile(_ATTRIBUTE).match(text, end)
        end = written.end() if written else end
        inside = name + "." + (written[1] if written else WITH_ATTRIBUTES_ONLY[name])
        message = f"`{name}` alone has no value"
        raise ExpressionError("bad-expression", message, start, end, f"write `$({inside})`")
    if name in FUNCTIONS:
        message = f"`{name}` is a function"
        raise ExpressionError("bad-expression", message, start, end, f"write `$({name}(…))`")
    refuse_dunder(name, start, end)
