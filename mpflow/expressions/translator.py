"""In: an expression's syntax tree. Out: Python source over `v_x`, for each name x, and
evaluation.NAMESPACE.

Each kind of node that is allowed has a method that writes it; any other is refused, so that
nothing else of Python is within reach of the source.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from mpflow.evaluation import FUNCTIONS
from mpflow.expressions.grammar import (
    CLOCK,
    GUARDED_OPERATORS,
    PLAIN_OPERATORS,
    REFUSED,
    SIGNATURES,
    refuse_count,
    refuse_dunder,
    refuse_function,
    refuse_name,
)
from mpflow.expressions.syntax import DEPTH, ExpressionError, forbidden, offset, too_deep


class Translator:
    """Writes the source of a syntax tree, and notes what it asks for."""

    def __init__(self, text: str) -> None:
        self.text = text  # what the places in the tree refer to
        self.bare: set[str] = set()  # names whose own value is read
        self.attributes: dict[tuple[str, str], None] = {}  # (name, attribute) pairs, in order
        self.functions: set[str] = set()
        self.constants: list[tuple[ast.expr, str]] = []  # the largest constant parts, sources
        self.varying = 0  # how many things were met that are not constant

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Offsets into the text: all of it for a node that `ast` gives no place."""
        if not isinstance(node, ast.expr | ast.keyword):
            return 0, len(self.text)
        end = offset(self.text, node.end_lineno or 1, node.end_col_offset or 0)
        return offset(self.text, node.lineno, node.col_offset), end

    def forbid(self, kind: ast.AST, node: ast.AST) -> ExpressionError:
        """The refusal of `kind`, at the place of `node`."""
        what, hint = REFUSED.get(type(kind), (f"`{type(kind).__name__}`", ""))
        return forbidden(what, *self.span(node), hint)

    def write(self, node: ast.expr, depth: int) -> str:
        """The source of `node`, safe to stand anywhere in other source."""
        if depth > DEPTH:
            raise too_deep(*self.span(node))
        if type(node) not in _WRITERS:
            raise self.forbid(node, node)
        parts, varying = len(self.constants), self.varying
        source = _WRITERS[type(node)](self, node, depth + 1)
        if varying == self.varying and not isinstance(node, ast.Constant):
            self.constants[parts:] = [(node, source)]
        return source

    def operand(self, node: ast.expr, depth: int) -> str:
        """Source of a value that CPython's compiler cannot see into, and so does not warn of."""
        source = self.write(node, depth)
        opaque = isinstance(node, ast.Name | ast.Attribute | ast.Call)
        return source if opaque else f"made({source})"

    def constant(self, node: ast.Constant, _: int) -> str:
        """A number, a text, None, True or False."""
        if isinstance(node.value, complex):
            raise forbidden("a complex number", *self.span(node))
        if node.value is ...:
            raise forbidden("`...`", *self.span(node))
        return literal(node.value)

    def name(self, node: ast.Name, _: int) -> str:
        """A name whose own value is read."""
        refuse_name(node.id, *self.span(node))
        self.varying += 1
        self.bare.add(node.id)
        return f"v_{node.id}"

    def attribute(self, node: ast.Attribute, depth: int) -> str:
        """`name.attribute` or `name[index].attribute`."""
        refuse_dunder(node.attr, *self.span(node))
        base, index = node.value, ""
        if isinstance(base, ast.Subscript):
            index = f"[{self.index(base.slice, depth)}]"
            base = base.value
        if not isinstance(base, ast.Name) or base.id in FUNCTIONS:
            hint = "there is `name.x` and `name[0].x`"
            raise forbidden("an attribute of a value", *self.span(node), hint)
        refuse_dunder(base.id, *self.span(base))
        self.varying += 1
        self.attributes[base.id, node.attr] = None
        return f"attribute(v_{base.id}{index}, {node.attr!r})"

    def binary(self, node: ast.BinOp, depth: int) -> str:
        """`a + b`: a call where the result could grow."""
        kind = type(node.op)
        if kind not in GUARDED_OPERATORS and kind not in PLAIN_OPERATORS:
            raise self.forbid(node.op, node)
        left, right = self.write(node.left, depth), self.write(node.right, depth)
        if kind is ast.Add and (_is_number(node.left) or _is_number(node.right)):
            return f"({left} + {right})"  # a sum with a number is a number, or an error
        if kind in GUARDED_OPERATORS:
            return f"{GUARDED_OPERATORS[kind]}({left}, {right})"
        return f"({left} {PLAIN_OPERATORS[kind]} {right})"

    def unary(self, node: ast.UnaryOp, depth: int) -> str:
        """`-a`, `+a`, `not a`."""
        if type(node.op) not in PLAIN_OPERATORS:
            raise self.forbid(node.op, node)
        return f"({PLAIN_OPERATORS[type(node.op)]}{self.write(node.operand, depth)})"

    def boolean(self, node: ast.BoolOp, depth: int) -> str:
        """`a and b and c`."""
        word = PLAIN_OPERATORS[type(node.op)]
        return "(" + word.join(self.write(item, depth) for item in node.values) + ")"

    def compare(self, node: ast.Compare, depth: int) -> str:
        """`a < b in c`, in one chain, so that each part is evaluated at most once."""
        source = self.compared(node, 0, depth)
        for at, operator in enumerate(node.ops):
            right = self.compared(node, at + 1, depth)
            if isinstance(operator, ast.In | ast.NotIn):
                right = f"members({right})"
            source += f" {PLAIN_OPERATORS[type(operator)]} {right}"
        return f"({source})"

    def compared(self, node: ast.Compare, at: int, depth: int) -> str:
        """The part of a chain at `at`; beside `is`, one of the two must be None or a boolean."""
        parts = [node.left, *node.comparators]
        beside_is = False
        for left, operator in enumerate(node.ops):
            if isinstance(operator, ast.Is | ast.IsNot) and at in (left, left + 1):
                beside_is = True
                if not any(_is_singleton(part) for part in parts[left : left + 2]):
                    hint = "to compare values, write `==`"
                    raise forbidden("`is` with anything but None", *self.span(node), hint)
        if beside_is and not _is_singleton(parts[at]):
            return self.operand(parts[at], depth)
        return self.write(parts[at], depth)

    def choice(self, node: ast.IfExp, depth: int) -> str:
        """`a if c else b`."""
        body, test = self.write(node.body, depth), self.write(node.test, depth)
        return f"({body} if {test} else {self.write(node.orelse, depth)})"

    def subscript(self, node: ast.Subscript, depth: int) -> str:
        """`a[0]`, `a[1:2]`."""
        return f"{self.operand(node.value, depth)}[{self.index(node.slice, depth)}]"

    def index(self, node: ast.expr, depth: int) -> str:
        """What stands between the brackets."""
        if not isinstance(node, ast.Slice):
            return self.write(node, depth)
        bounds = (node.lower, node.upper, node.step)
        return ":".join(self.write(bound, depth) if bound else "" for bound in bounds)

    def display(self, node: ast.expr, depth: int) -> str:
        """A list, tuple, set or dict; only one that holds no more than it shows goes unmeasured."""
        source = self.shown(node, depth)
        return source if all(map(_is_plain, ast.walk(node))) else f"made({source})"

    def shown(self, node: ast.expr, depth: int) -> str:
        """A display with its brackets; those inside it are measured along with it."""
        if isinstance(node, ast.Dict):
            if None in node.keys:
                raise forbidden("`**` before an item", *self.span(node))
            keys = [self.item(key, depth) for key in node.keys if key is not None]
            values = [self.item(item, depth) for item in node.values]
            return "{" + ", ".join(map("{}: {}".format, keys, values)) + "}"
        assert isinstance(node, ast.List | ast.Tuple | ast.Set)
        inside = "".join(f"{self.item(item, depth)}, " for item in node.elts)
        inside = inside.removesuffix(" ")
        if isinstance(node, ast.Tuple):
            return f"({inside})"
        return f"[{inside}]" if isinstance(node, ast.List) else f"{{{inside}}}"

    def item(self, node: ast.expr, depth: int) -> str:
        """One item of a display."""
        if depth <= DEPTH and isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            return self.shown(node, depth + 1)
        return self.write(node, depth)

    def call(self, node: ast.Call, depth: int) -> str:
        """A call of one of the functions, its arguments counted."""
        if not isinstance(node.func, ast.Name):
            what = "a method" if isinstance(node.func, ast.Attribute) else "a call of a value"
            hint = "these can be called: " + ", ".join(FUNCTIONS)
            raise forbidden(what, *self.span(node), hint)
        name = node.func.id
        refuse_function(name, *self.span(node.func))
        self.varying += name in CLOCK
        self.functions.add(name)
        arguments = [self.write(item, depth) for item in node.args]
        arguments += [f"{key.arg}={self.keyword(name, key, depth)}" for key in node.keywords]
        refuse_count(name, len(node.args), *self.span(node))
        return f"{name}({', '.join(arguments)})"

    def keyword(self, function: str, key: ast.keyword, depth: int) -> str:
        """The value of a keyword argument."""
        if key.arg is None:
            raise forbidden("`**` before an argument", *self.span(key))
        allowed = SIGNATURES[function][2]
        if key.arg != allowed:
            hint = f"it takes `{allowed}`" if allowed else ""
            message = f"`{function}` takes no argument `{key.arg}` here"
            raise ExpressionError("bad-expression", message, *self.span(key), hint)
        return self.write(key.value, depth)


_WRITERS: dict[type[ast.expr], Callable[[Translator, Any, int], str]] = {
    ast.Attribute: Translator.attribute,
    ast.BinOp: Translator.binary,
    ast.BoolOp: Translator.boolean,
    ast.Call: Translator.call,
    ast.Compare: Translator.compare,
    ast.Constant: Translator.constant,
    ast.Dict: Translator.display,
    ast.IfExp: Translator.choice,
    ast.List: Translator.display,
    ast.Name: Translator.name,
    ast.Set: Translator.display,
    ast.Subscript: Translator.subscript,
    ast.Tuple: Translator.display,
    ast.UnaryOp: Translator.unary,
}


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _is_plain(node: ast.AST) -> bool:
    kinds = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.expr_context)
    return isinstance(node, kinds)


def literal(data: object) -> str:
    """Python source that makes `data`, which is plain: numbers, text, lists, mappings."""
    if isinstance(data, float) and data != data:
        return "(1e999 - 1e999)"  # nan; there is no literal for it, nor for infinity
    if isinstance(data, float) and data in (float("inf"), float("-inf")):
        return "1e999" if data > 0 else "-1e999"
    if isinstance(data, int) and data.bit_length() > 10_000:
        return hex(data)  # CPython refuses so many decimal digits
    if data is None or isinstance(data, bool | int | float | str | bytes):
        return repr(data)
    if isinstance(data, list):
        return "[" + ", ".join(map(literal, data)) + "]"
    if isinstance(data, tuple):
        return "(" + "".join(f"{literal(item)}, " for item in data) + ")"
    if isinstance(data, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in data.items()) + "}"
    raise TypeError(f"'{type(data).__name__}' is not plain data")
