"""Text of a scenario in, checked Python source out: expressions, templates, whole YAML values.

Each text is parsed and checked here, once. What comes out is source over `v` (the names) and
evaluation.NAMESPACE (operators, functions); nothing else of Python is within its reach.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from mpflow.evaluation import FUNCTIONS, NAMESPACE, Scope, TooLarge, size
from mpflow.problems import suggestion

LENGTH = 500  # characters of one expression
DEPTH = 60  # of one; each level may take two brackets, YAML's 64 one each, and CPython reads 200

# the fewest and the most positional arguments of each function
_COUNTS: dict[str, tuple[int, int]] = {
    "abs": (1, 1),
    "bool": (0, 1),
    "cpu_count": (0, 0),
    "ctime": (0, 1),
    "float": (0, 1),
    "int": (0, 2),
    "len": (1, 1),
    "list": (0, 1),
    "max": (1, LENGTH),
    "min": (1, LENGTH),
    "range": (1, 3),
    "round": (1, 2),
    "set": (0, 1),
    "sorted": (1, 1),
    "str": (0, 1),
    "sum": (1, 2),
    "time": (0, 0),
    "tuple": (0, 1),
}
KEYWORDS = {
    "max": "default",
    "min": "default",
    "round": "ndigits",
    "sorted": "reverse",
    "sum": "start",
}
CLOCK = frozenset({"cpu_count", "ctime", "time"})  # another answer each time or on each machine

_GUARDED: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Mult: "mul",
}
_PLAIN_OPERATORS: dict[type[ast.AST], str] = {
    ast.Sub: "-",
    ast.Div: "/",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Not: "not ",
    ast.And: " and ",
    ast.Or: " or ",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_FORBIDDEN: dict[type[ast.AST], tuple[str, str]] = {
    ast.Await: ("await", ""),
    ast.BitAnd: ("`&`", "write `and`"),
    ast.BitOr: ("`|`", "write `or`"),
    ast.BitXor: ("`^`", "to ask whether two values differ, write `!=`"),
    ast.DictComp: ("a comprehension", "build the dict with `for` and `let` actions"),
    ast.FormattedValue: ("an f-string", "write `'a' + str(b)`, or `'%s' % b`"),
    ast.GeneratorExp: ("a comprehension", "build the list with `for` and `let` actions"),
    ast.Invert: ("`~`", "write `not`"),
    ast.JoinedStr: ("an f-string", "write `'a' + str(b)`, or `'%s' % b`"),
    ast.Lambda: ("lambda", "only the expression functions can be called"),
    ast.ListComp: ("a comprehension", "build the list with `for` and `let` actions"),
    ast.LShift: ("a shift", "multiply by the power of two"),
    ast.MatMult: ("`@`", "write `*` to multiply"),
    ast.NamedExpr: ("an assignment", "set a variable with `let`; to compare, write `==`"),
    ast.Pow: ("`**`", "write the multiplication: `x * x`"),
    ast.RShift: ("a shift", "divide by the power of two with `//`"),
    ast.SetComp: ("a comprehension", "build the list with `for` and `let` actions"),
    ast.Slice: ("a slice inside a tuple", "slice once: `x[1:2]`"),
    ast.Starred: ("`*` before an argument or item", "join lists with `+`"),
    ast.Yield: ("yield", ""),
    ast.YieldFrom: ("yield", ""),
}
_CONSTANT_NAMES = {"true": "True", "false": "False", "null": "None"}
_WITH_ATTRIBUTES_ONLY = {"self": "name", "error": "type"}  # and an attribute to show

_STRING = r"'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"" + (
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
)
_BRACKET = re.compile(_STRING + r"|[()\[\]{}'\"]", re.DOTALL)
_SPACE = re.compile(f"({_STRING})" + r"|\s", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_DOLLAR = re.compile(r"\$(?:\$|\(|[A-Za-z_][A-Za-z0-9_]*)")
_DUNDER = re.compile(r"__.*__")
_SLIPS = (  # of other languages: pattern, hint
    (re.compile(r"&&"), "write `and`"),
    (re.compile(r"\|\|"), "write `or`"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"\$"), "inside an expression a name needs no dollar"),
    (re.compile(r"\?"), "write `a if condition else b`"),
)
_ASSIGNMENT = re.compile(r"(?<![=<>!])=(?!=)")


class ExpressionError(Exception):
    """A fault of an expression, by offsets into the text given.

    For value(), `path` leads through the data (keys and indexes) to that text.
    """

    def __init__(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.start = start
        self.end = end
        self.path: tuple[object, ...] = ()


class Compiled(NamedTuple):
    """Source that is checked, and what it asks for."""

    source: str  # Python source over `v` and NAMESPACE
    names: frozenset[str] = frozenset()  # every name read, those with an attribute included
    attributes: tuple[tuple[str, str], ...] = ()  # (name, attribute), in the text's order
    functions: frozenset[str] = frozenset()
    constant: bool = True  # no name, no clock: the same value always
    bare: frozenset[str] = frozenset()  # the names whose own value is read, not an attribute


def expression(text: str) -> Compiled:
    """Compiles a text that is an expression as a whole."""
    body = text.strip()
    offset = len(text) - len(text.lstrip())
    try:
        if not body:
            raise ExpressionError("bad-expression", "there is no expression here", 0, 0)
        return _compiled(body)
    except ExpressionError as error:
        error.start += offset
        error.end += offset
        raise


def template(text: str) -> Compiled:
    """Compiles a text with `$name`, `$(expression)` and `$$` in it."""
    parts = _parts(text)
    found = [part for part in parts if isinstance(part, Compiled)]
    if not found:
        return Compiled(literal("".join(part for part in parts if isinstance(part, str))))
    if len(parts) == 1:
        return found[0]
    sources = [part.source if isinstance(part, Compiled) else literal(part) for part in parts]
    return _not_too_large(_merged(f"joined({', '.join(sources)})", found), 0, len(text))


def value(data: object) -> Compiled:
    """Compiles YAML data; the strings in it are templates, and each evaluation makes it anew."""
    try:
        size(data)
    except TooLarge as error:
        raise ExpressionError("too-large", str(error), 0, 0) from None
    if not _has_dollar(data):
        return Compiled(literal(data))
    if isinstance(data, str):
        return template(data)
    inner = _value(data, ())
    return _not_too_large(inner._replace(source=f"made({inner.source})"), 0, 0)


def condition(data: object) -> Compiled:
    """Compiles what stands where a condition is wanted: a string is an expression."""
    if isinstance(data, str):
        return expression(data)
    return Compiled(literal(data))


def evaluate(compiled: Compiled, scope: Mapping[str, object]) -> object:
    """The value of `compiled` with the names of `scope`; a missing one is a NameError."""
    return _function(compiled.source)(scope if isinstance(scope, Scope) else Scope({}, scope))


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


# ---- templates and values


def _parts(text: str) -> list[str | Compiled]:
    """The stretches of a template: plain text, and what is compiled from each `$`."""
    parts: list[str | Compiled] = []
    plain, at = "", 0
    while found := _DOLLAR.search(text, at):
        plain += text[at : found.start()]
        at = found.end()
        if found.group() == "$$":
            plain += "$"
            continue
        if found.group() == "$(":
            part, at = _parenthesized(text, at)
        else:
            part = _dollar_name(text, found.start(), at)
        parts += [plain, part] if plain else [part]
        plain = ""
    plain += text[at:]
    return [*parts, plain] if plain else parts


def _parenthesized(text: str, start: int) -> tuple[Compiled, int]:
    """The expression that begins at `start`, after `$(`, and where the text goes on."""
    end = _closing(text, start)
    if end is None:
        raise ExpressionError(
            "unclosed-expression",
            "`$(` is not closed: YAML has probably cut the text at a comma, a `#` or a `: `",
            start - 2,
            len(text),
            "put the whole string in quotes",
        )
    try:
        return expression(text[start:end]), end + 1
    except ExpressionError as error:
        error.start += start
        error.end += start
        raise


def _closing(text: str, start: int) -> int | None:
    """Where the bracket opened before `start` closes; brackets inside strings do not count."""
    depth = 1
    for found in _BRACKET.finditer(text, start):
        token = found.group()
        if token in ("'", '"'):
            return None  # a string that does not end: nothing after it can be told apart
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        if depth == 0:
            return found.start()
    return None


def _dollar_name(text: str, start: int, end: int) -> Compiled:
    name = text[start + 1 : end]
    if name in _WITH_ATTRIBUTES_ONLY:
        written = re.compile(r"\.([A-Za-z_]\w*)").match(text, end)
        end = written.end() if written else end
        inside = name + "." + (written[1] if written else _WITH_ATTRIBUTES_ONLY[name])
        message = f"`{name}` alone has no value"
        raise ExpressionError("bad-expression", message, start, end, f"write `$({inside})`")
    if name in FUNCTIONS:
        message = f"`{name}` is a function"
        raise ExpressionError("bad-expression", message, start, end, f"write `$({name}(…))`")
    if _DUNDER.fullmatch(name):
        raise _forbidden("a name between double underscores", start, end, "")
    return Compiled(f"v[{name!r}]", frozenset({name}), constant=False, bare=frozenset({name}))


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


# ---- expressions


def _compiled(body: str) -> Compiled:
    if len(body) > LENGTH:
        message = f"an expression of {len(body):,} characters; at most {LENGTH} are allowed"
        hint = "split it with `let`"
        raise ExpressionError("expression-too-long", message, 0, len(body), hint)
    flat = _SPACE.sub(lambda found: found[1] or " ", body)  # line breaks too; offsets stay
    tree = _parsed(flat)
    writer = _Writer(flat)
    source = writer.write(tree, 0)
    _check_constants(tree, writer)
    return writer.compiled(source)


def _parsed(flat: str) -> ast.expr:
    """The syntax tree of a text that has line breaks in strings only."""
    bare = _STRINGS.sub(lambda found: "'" * len(found[0]), flat)
    if "#" in bare:
        at = bare.index("#")
        message = "`#` means nothing in an expression"
        raise ExpressionError("bad-expression", message, at, at + 1, "put text in quotes")
    if "\0" in flat:  # a ValueError in one version of CPython, a SyntaxError in the next
        at = flat.index("\0")
        message = "there is a null character in the expression"
        raise ExpressionError("bad-expression", message, at, at + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1 is 1", "\d": what matters is refused below
            return ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        raise _syntax_error(error, flat, bare) from None
    except (MemoryError, RecursionError):
        raise _too_deep(0, len(flat)) from None
    except ValueError:  # half of a surrogate pair
        message = "there is a character in it that no expression can have"
        raise ExpressionError("bad-expression", message, 0, len(flat)) from None


def _syntax_error(error: SyntaxError, flat: str, bare: str) -> ExpressionError:
    """The fault in plain words: what a slip from another language means, or CPython's message."""
    said = error.msg.split(" (detected at")[0].removesuffix(".")
    if said.startswith("too many nested"):
        return _too_deep(0, len(flat))
    for slip, hint in _SLIPS:
        if found := slip.search(bare):
            message = f"`{found[0]}` means nothing in an expression"
            return ExpressionError("bad-expression", message, *found.span(), hint)
    equals = _ASSIGNMENT.search(bare)
    if equals and ("==" in said or not _open_brackets(bare[: equals.start()])):
        hint = "to compare, write `==`; to set a variable, use `let`"
        return _forbidden("an assignment", *equals.span(), hint)
    before = flat.split("\n")[: (error.lineno or 1) - 1]
    column = (error.offset or len(flat)) - 1  # none: at the end
    start = min(sum(map(len, before)) + len(before) + column, len(flat) - 1)
    width = (error.end_offset or 0) - (error.offset or 0)
    end = min(start + max(width, 1), len(flat)) if error.end_lineno == error.lineno else start + 1
    return ExpressionError("bad-expression", f"this is not an expression: {said}", start, end)


def _open_brackets(bare: str) -> int:
    """How many brackets stand open at the end; `=` inside one names an argument."""
    return sum({"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(each, 0) for each in bare)


def _forbidden(what: str, start: int, end: int, hint: str) -> ExpressionError:
    message = f"{what} is not allowed in an expression"
    return ExpressionError("forbidden-in-expression", message, start, end, hint)


def _too_deep(start: int, end: int) -> ExpressionError:
    message = f"an expression nested over {DEPTH} levels"
    return ExpressionError("expression-too-deep", message, start, end, "split it with `let`")


class _Writer:
    """Writes the source of a syntax tree; whatever it does not know is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bare: set[str] = set()
        self.attributes: dict[tuple[str, str], None] = {}
        self.functions: set[str] = set()

    def compiled(self, source: str) -> Compiled:
        """`source`, and what was met while writing it."""
        return Compiled(
            source,
            frozenset(self.bare | {name for name, _ in self.attributes}),
            tuple(self.attributes),
            frozenset(self.functions),
            not (self.bare or self.attributes or self.functions & CLOCK),
            frozenset(self.bare),
        )

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Offsets into the text: all of it for a node that `ast` gives no place."""
        if not isinstance(node, ast.expr | ast.keyword):
            return 0, len(self.text)
        end = _offset(self.text, node.end_lineno or 1, node.end_col_offset or 0)
        return _offset(self.text, node.lineno, node.col_offset), end

    def fail(self, node: ast.AST, message: str, hint: str = "") -> ExpressionError:
        """A fault that is no matter of what is allowed."""
        return ExpressionError("bad-expression", message, *self.span(node), hint)

    def forbid(self, kind: ast.AST, node: ast.AST) -> ExpressionError:
        """The refusal of `kind`, at the place of `node`."""
        what, hint = _FORBIDDEN.get(type(kind), (f"`{type(kind).__name__}`", ""))
        return _forbidden(what, *self.span(node), hint)

    def write(self, node: ast.expr, depth: int) -> str:
        """The source of `node`, safe to stand anywhere in other source."""
        if depth > DEPTH:
            raise _too_deep(*self.span(node))
        if type(node) not in _WRITERS:
            raise self.forbid(node, node)
        return _WRITERS[type(node)](self, node, depth + 1)

    def operand(self, node: ast.expr, depth: int) -> str:
        """Source of a value that CPython's compiler cannot see into, and so does not warn of."""
        source = self.write(node, depth)
        return (
            source if isinstance(node, ast.Name | ast.Attribute | ast.Call) else f"made({source})"
        )

    def constant(self, node: ast.Constant, _: int) -> str:
        """A number, a text, None, True or False."""
        if isinstance(node.value, complex):
            raise _forbidden("a complex number", *self.span(node), "")
        if node.value is ...:
            raise _forbidden("`...`", *self.span(node), "")
        return literal(node.value)

    def name(self, node: ast.Name, _: int) -> str:
        """A name whose own value is read."""
        if node.id in FUNCTIONS:
            raise self.fail(node, f"`{node.id}` is a function", f"write `{node.id}(…)`")
        if node.id in _CONSTANT_NAMES:
            hint = f"Python writes {_CONSTANT_NAMES[node.id]}"
            raise self.fail(node, f"`{node.id}` is not a value", hint)
        if node.id in _WITH_ATTRIBUTES_ONLY:
            hint = f"write `{node.id}.{_WITH_ATTRIBUTES_ONLY[node.id]}`"
            raise self.fail(node, f"`{node.id}` alone has no value", hint)
        self.refuse_dunder(node.id, node)
        self.bare.add(node.id)
        return f"v[{node.id!r}]"

    def refuse_dunder(self, name: str, node: ast.expr) -> None:
        """No way into Python's own machinery, even where none is known."""
        if _DUNDER.fullmatch(name):
            raise _forbidden("a name between double underscores", *self.span(node), "")

    def attribute(self, node: ast.Attribute, depth: int) -> str:
        """`name.attribute` or `name[index].attribute`."""
        self.refuse_dunder(node.attr, node)
        base, index = node.value, ""
        if isinstance(base, ast.Subscript):
            index = f"[{self.index(base.slice, depth)}]"
            base = base.value
        if not isinstance(base, ast.Name) or base.id in FUNCTIONS:
            hint = "there is `name.x` and `name[0].x`"
            raise _forbidden("an attribute of a value", *self.span(node), hint)
        self.refuse_dunder(base.id, base)
        self.attributes[base.id, node.attr] = None
        return f"attribute(v[{base.id!r}]{index}, {node.attr!r})"

    def binary(self, node: ast.BinOp, depth: int) -> str:
        """`a + b`: a call where the result could grow."""
        kind = type(node.op)
        if kind not in _GUARDED and kind not in _PLAIN_OPERATORS:
            raise self.forbid(node.op, node)
        left, right = self.write(node.left, depth), self.write(node.right, depth)
        if kind in _GUARDED:
            return f"{_GUARDED[kind]}({left}, {right})"
        return f"({left} {_PLAIN_OPERATORS[kind]} {right})"

    def unary(self, node: ast.UnaryOp, depth: int) -> str:
        """`-a`, `+a`, `not a`."""
        if type(node.op) not in _PLAIN_OPERATORS:
            raise self.forbid(node.op, node)
        return f"({_PLAIN_OPERATORS[type(node.op)]}{self.write(node.operand, depth)})"

    def boolean(self, node: ast.BoolOp, depth: int) -> str:
        """`a and b and c`."""
        word = _PLAIN_OPERATORS[type(node.op)]
        return "(" + word.join(self.write(item, depth) for item in node.values) + ")"

    def compare(self, node: ast.Compare, depth: int) -> str:
        """`a < b in c`, in one chain, so that each part is evaluated at most once."""
        source = self.compared(node, 0, depth)
        for at, operator in enumerate(node.ops):
            right = self.compared(node, at + 1, depth)
            if isinstance(operator, ast.In | ast.NotIn):
                right = f"members({right})"
            source += f" {_PLAIN_OPERATORS[type(operator)]} {right}"
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
                    raise _forbidden("`is` with anything but None", *self.span(node), hint)
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
                raise _forbidden("`**` before an item", *self.span(node), "")
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
            raise _forbidden(what, *self.span(node), hint)
        name = node.func.id
        if name not in FUNCTIONS:
            self.refuse_dunder(name, node.func)
            message = f"no function is called `{name}`"
            hint = suggestion(name, FUNCTIONS)
            raise ExpressionError("unknown-function", message, *self.span(node.func), hint)
        self.functions.add(name)
        arguments = [self.write(item, depth) for item in node.args]
        arguments += [f"{key.arg}={self.keyword(name, key, depth)}" for key in node.keywords]
        self.refuse_count(name, node)
        return f"{name}({', '.join(arguments)})"

    def keyword(self, function: str, key: ast.keyword, depth: int) -> str:
        """The value of a keyword argument."""
        if key.arg is None:
            raise _forbidden("`**` before an argument", *self.span(key), "")
        allowed = KEYWORDS.get(function)
        if key.arg != allowed:
            hint = f"it takes `{allowed}`" if allowed else ""
            raise self.fail(key, f"`{function}` takes no argument `{key.arg}` here", hint)
        return self.write(key.value, depth)

    def refuse_count(self, name: str, node: ast.Call) -> None:
        """Too few or too many arguments are a fault of the file, not of a run."""
        fewest, most = _COUNTS[name]
        if fewest <= len(node.args) <= most:
            return
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        if most == LENGTH:
            wanted = f"at least {fewest}"
        raise self.fail(node, f"`{name}` takes {wanted} arguments, not {len(node.args)}")


_WRITERS: dict[type[ast.expr], Callable[[_Writer, Any, int], str]] = {
    ast.Attribute: _Writer.attribute,
    ast.BinOp: _Writer.binary,
    ast.BoolOp: _Writer.boolean,
    ast.Call: _Writer.call,
    ast.Compare: _Writer.compare,
    ast.Constant: _Writer.constant,
    ast.Dict: _Writer.display,
    ast.IfExp: _Writer.choice,
    ast.List: _Writer.display,
    ast.Name: _Writer.name,
    ast.Set: _Writer.display,
    ast.Subscript: _Writer.subscript,
    ast.Tuple: _Writer.display,
    ast.UnaryOp: _Writer.unary,
}


def _offset(text: str, line: int, column: int) -> int:
    """The place of `ast` in characters; it counts lines from 1 and columns in bytes of UTF-8."""
    lines = text.split("\n")[:line]
    last = lines.pop().encode()[:column].decode(errors="ignore")
    return sum(len(each) + 1 for each in lines) + len(last)


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _is_plain(node: ast.AST) -> bool:
    kinds = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.expr_context)
    return isinstance(node, kinds)


# ---- constants


def _check_constants(node: ast.AST, writer: _Writer) -> None:
    """Evaluates the largest parts that have no names; what they refuse now, they always would."""
    if isinstance(node, ast.expr) and not isinstance(node, ast.Slice):
        alone = _Writer(writer.text)
        try:
            part = alone.compiled(alone.write(node, 0))
        except ExpressionError:  # a bare `self` out of `self.name`, the name of a function
            return
        if part.constant:
            _not_too_large(part, *writer.span(node))
            return
    for child in ast.iter_child_nodes(node):
        _check_constants(child, writer)


def _not_too_large(compiled: Compiled, start: int, end: int) -> Compiled:
    """`compiled` again; any error but its size is left for the process that runs into it."""
    if compiled.constant:
        try:
            evaluate(compiled, {})
        except TooLarge as error:
            raise ExpressionError("too-large", str(error), start, end) from None
        except Exception:
            pass
    return compiled


@lru_cache(maxsize=4096)
def _function(source: str) -> Callable[[Mapping[str, object]], object]:
    made: Callable[[Mapping[str, object]], object] = eval(f"lambda v: {source}", NAMESPACE)
    return made
