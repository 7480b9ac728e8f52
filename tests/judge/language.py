"""Values and expressions of the scenario language (language.md, 5): an evaluator of its own."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from .bases import Unsupported, error

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        abs,
        bool,
        float,
        int,
        len,
        list,
        max,
        min,
        range,
        round,
        set,
        sorted,
        str,
        sum,
        tuple,
    )
}
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}


class Namespace:
    """What names mean: subclasses say it."""

    def name(self, name: str) -> Any:
        raise error("NameError", f"name '{name}' is not defined")

    def attribute(self, base: str, index: int | None, attribute: str) -> Any:
        """base.attribute or base[index].attribute"""
        raise Unsupported(f"{base}.{attribute}")


class Names(Namespace):
    def __init__(self, *maps: Mapping[str, Any]) -> None:
        self.maps = maps

    def name(self, name: str) -> Any:
        for names in self.maps:
            if name in names:
                return names[name]
        return super().name(name)


@functools.cache
def parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as caught:
        raise Unsupported(f"an expression that Python cannot read: {text}") from caught


def evaluate(text: str, names: Namespace) -> Any:
    """The expression's value; what goes wrong in it is raised as Leave."""
    try:
        return walk(parse(text), names)
    except (ArithmeticError, LookupError, TypeError, ValueError) as caught:
        raise error(type(caught).__name__, str(caught)) from None


def walk(node: ast.expr, names: Namespace) -> Any:
    def go(inner: ast.expr) -> Any:
        return walk(inner, names)

    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return names.name(name)
        case ast.List(parts):
            return [go(part) for part in parts]
        case ast.Tuple(parts):
            return tuple(go(part) for part in parts)
        case ast.Set(parts):
            return {go(part) for part in parts}
        case ast.Dict(keys, values):
            return {go(k): go(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.BinOp(left, op, right):
            return BINARY[type(op)](go(left), go(right))
        case ast.UnaryOp(op, operand):
            return UNARY[type(op)](go(operand))
        case ast.BoolOp(op, parts):
            value = go(parts[0])
            for part in parts[1:]:
                if bool(value) == isinstance(op, ast.Or):
                    return value
                value = go(part)
            return value
        case ast.Compare(left, ops, rights):
            value = go(left)
            for op, right in zip(ops, rights, strict=True):
                other = go(right)
                if not COMPARE[type(op)](value, other):
                    return False
                value = other
            return True
        case ast.IfExp(test, yes, no):
            return go(yes) if go(test) else go(no)
        case ast.Subscript(base, ast.Slice(low, high, step)):
            low_, high_, step_ = (None if part is None else go(part) for part in (low, high, step))
            return go(base)[low_:high_:step_]
        case ast.Subscript(base, index):
            return go(base)[go(index)]
        case ast.Call(ast.Name(name), parts, []) if name in FUNCTIONS:
            return FUNCTIONS[name](*[go(part) for part in parts])
        case ast.Attribute(ast.Name(base), attribute):
            return names.attribute(base, None, attribute)
        case ast.Attribute(ast.Subscript(ast.Name(base), index), attribute):
            return names.attribute(base, go(index), attribute)
    raise Unsupported(f"in an expression: {ast.unparse(node)}")


# ---- `$` in strings -------------------------------------------------------------------------


@functools.cache
def split(text: str) -> tuple[str | tuple[str], ...]:
    """The parts of a string: text, or (expression,)."""
    parts: list[str | tuple[str]] = []
    plain = ""
    i = 0
    while i < len(text):
        name = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)").match(text, i)
        if text.startswith("$$", i):
            plain += "$"
            i += 2
        elif name or text.startswith("$(", i):
            end = name.end() if name else closing(text, i + 1)
            inner = name[1] if name else text[i + 2 : end - 1]
            parts += [plain, (inner,)] if plain else [(inner,)]
            plain = ""
            i = end
        else:
            plain += text[i]
            i += 1
    return (*parts, plain) if plain or not parts else tuple(parts)


def closing(text: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`."""
    depth = 0
    quote = ""
    i = start
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\":
                i += 1
            elif c == quote:
                quote = ""
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if not depth:
                return i + 1
        i += 1
    raise Unsupported(f"a $( that is not closed: {text}")


def is_dynamic(data: Any) -> bool:
    if isinstance(data, str):
        return any(isinstance(part, tuple) for part in split(data))
    if isinstance(data, dict):
        return any(map(is_dynamic, data.values()))
    return isinstance(data, list) and any(map(is_dynamic, data))


def fill(data: Any, names: Namespace) -> Any:
    """The data with all its `$` strings filled in."""
    if isinstance(data, str):
        parts = split(data)
        if len(parts) == 1 and isinstance(parts[0], tuple):
            return evaluate(parts[0][0], names)
        return "".join(p if isinstance(p, str) else str(evaluate(p[0], names)) for p in parts)
    if isinstance(data, list):
        return [fill(item, names) for item in data]
    if isinstance(data, dict):
        if any(isinstance(key, str) and is_dynamic(key) for key in data):
            raise Unsupported("a $ in a key")
        return {key: fill(value, names) for key, value in data.items()}
    return data


def condition(data: Any, names: Namespace) -> bool:
    """A condition: the whole string is an expression."""
    if isinstance(data, str):
        data = evaluate(data, names) if "$" not in data else fill(data, names)
    return bool(data)
