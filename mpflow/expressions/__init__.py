"""Text of a scenario in, checked Python source out: expressions, templates, whole YAML values.

Each text is parsed and checked here, once. What comes out is source over `v_x`, for each name x,
and evaluation.NAMESPACE (operators, functions); nothing else of Python is within its reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from types import CodeType
from typing import NamedTuple

from mpflow.evaluation import NAMESPACE, Names
from mpflow.evaluation.measure import TooLarge, refusal, size
from mpflow.expressions import templates
from mpflow.expressions.syntax import ExpressionError, parse
from mpflow.expressions.translator import Translator, literal

__all__ = [
    "Compiled",
    "ExpressionError",
    "condition",
    "evaluate",
    "expression",
    "literal",
    "template",
    "value",
]


class Compiled(NamedTuple):
    """Source that is checked, and what it asks for."""

    source: str  # Python source over `v_x` for each name x, and NAMESPACE
    names: frozenset[str] = frozenset()  # every name read, those with an attribute included
    attributes: tuple[tuple[str, str], ...] = ()  # (name, attribute), in the text's order
    functions: frozenset[str] = frozenset()
    constant: bool = True  # no name, no clock: the same value always
    bare: frozenset[str] = frozenset()  # the names whose own value is read, not an attribute


def expression(text: str) -> Compiled:
    """Compiles a text that is an expression as a whole."""
    body = text.strip()
    try:
        if not body:
            raise ExpressionError("bad-expression", "there is no expression here", 0, 0)
        return _compiled(body)
    except ExpressionError as error:
        raise error.moved(len(text) - len(text.lstrip())) from None


def template(text: str) -> Compiled:
    """Compiles a text with `$name`, `$(expression)` and `$$` in it."""
    parts = [_filled(part) for part in templates.parts(text)]
    if not parts:
        return Compiled(literal(""))
    if len(parts) == 1:
        return parts[0]
    return _merged(f"joined({', '.join(part.source for part in parts)})", parts)


def value(data: object, measured: bool = True) -> Compiled:
    """Compiles YAML data; the strings in it are templates, and each evaluation makes it anew. What
    is only handed on, piece by piece, need not be `measured`: its pieces may be of any size."""
    try:
        size(data)
    except TooLarge as error:
        raise ExpressionError("too-large", str(error), 0, 0) from None
    if not _has_dollar(data):
        return Compiled(literal(data))
    if isinstance(data, str):
        return template(data)
    inner = _value(data, ())
    return inner._replace(source=f"made({inner.source})") if measured else inner


def condition(data: object) -> Compiled:
    """Compiles what stands where a condition is wanted: a string is an expression."""
    if isinstance(data, str):
        return expression(data)
    return Compiled(literal(data))


def evaluate(compiled: Compiled, scope: Mapping[str, object]) -> object:
    """The value of `compiled` with the names of `scope`; a missing one is a NameError."""
    found: object = eval(_code(compiled.source), NAMESPACE, Names(scope))
    return found


def _made(source: str) -> CodeType:
    return compile(source, "<expression>", "eval")


_code = lru_cache(maxsize=4096)(_made)


def _evaluated_once(constant: str) -> object:
    found: object = eval(_made(constant), NAMESPACE)
    return found


def _compiled(body: str) -> Compiled:
    tree, text = parse(body)
    translator = Translator(text)
    source = translator.write(tree, 0)
    for node, part in translator.constants:
        if error := refusal(partial(_evaluated_once, part)):
            raise ExpressionError("too-large", str(error), *translator.span(node))
    return Compiled(
        source,
        frozenset(translator.bare | {name for name, _ in translator.attributes}),
        tuple(translator.attributes),
        frozenset(translator.functions),
        not translator.varying,
        frozenset(translator.bare),
    )


def _filled(part: str | templates.Hole) -> Compiled:
    if isinstance(part, str):
        return Compiled(literal(part))
    if part.is_name:
        name = frozenset({part.text})
        return Compiled(f"v_{part.text}", name, constant=False, bare=name)
    try:
        return expression(part.text)
    except ExpressionError as error:
        raise error.moved(part.start) from None


def _has_dollar(data: object) -> bool:
    if isinstance(data, str):
        return "$" in data
    if isinstance(data, dict):
        return any(map(_has_dollar, data)) or any(map(_has_dollar, data.values()))
    return isinstance(data, list | tuple) and any(map(_has_dollar, data))


def _value(data: object, path: tuple[object, ...]) -> Compiled:
    if isinstance(data, str):
        try:
            return template(data)
        except ExpressionError as error:
            error.path = path
            raise
    if isinstance(data, list):
        items = [_value(item, (*path, at)) for at, item in enumerate(data)]
        return _merged("[" + ", ".join(item.source for item in items) + "]", items)
    if isinstance(data, dict):
        pairs = [(_value(k, (*path, k)), _value(v, (*path, k))) for k, v in data.items()]
        source = ", ".join(f"{key.source}: {item.source}" for key, item in pairs)
        return _merged("{" + source + "}", [part for pair in pairs for part in pair])
    return Compiled(literal(data))


def _merged(source: str, parts: Iterable[Compiled]) -> Compiled:
    """`source`, with everything that its parts ask for."""
    parts = list(parts)
    return Compiled(
        source,
        frozenset[str]().union(*(part.names for part in parts)),
        tuple(dict.fromkeys(pair for part in parts for pair in part.attributes)),
        frozenset[str]().union(*(part.functions for part in parts)),
        all(part.constant for part in parts),
        frozenset[str]().union(*(part.bare for part in parts)),
    )
