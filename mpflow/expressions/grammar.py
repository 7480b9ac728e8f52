"""What an expression may consist of: its functions, operators and names, as tables.

In: a kind of node, a name, or the arguments of a call. Out: how it is written, or the words of
its refusal. Whatever these tables do not name is not part of the language.
"""

from __future__ import annotations

import ast
import re

from mpflow.evaluation import FUNCTIONS
from mpflow.expressions.syntax import ExpressionError, forbidden
from mpflow.problems import suggestion

# each function's fewest and most positional arguments, and the keyword that it takes
ANY_NUMBER = 1_000
SIGNATURES: dict[str, tuple[int, int, str]] = {
    "abs": (1, 1, ""),
    "bool": (0, 1, ""),
    "cpu_count": (0, 0, ""),
    "ctime": (0, 1, ""),
    "float": (0, 1, ""),
    "int": (0, 2, ""),
    "len": (1, 1, ""),
    "list": (0, 1, ""),
    "max": (1, ANY_NUMBER, "default"),
    "min": (1, ANY_NUMBER, "default"),
    "range": (1, 3, ""),
    "round": (1, 2, "ndigits"),
    "set": (0, 1, ""),
    "sorted": (1, 1, "reverse"),
    "str": (0, 1, ""),
    "sum": (1, 2, "start"),
    "time": (0, 0, ""),
    "tuple": (0, 1, ""),
}
CLOCK = frozenset({"cpu_count", "ctime", "time"})  # another answer each time or on each machine

# operators whose result could grow: the function of evaluation.py that is called instead
GUARDED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Mult: "mul",
}
# the others, as they are written
PLAIN_OPERATORS: dict[type[ast.AST], str] = {
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
# what Python has and an expression has not: its name, and the hint
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
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
OTHER_LANGUAGES = {"true": "True", "false": "False", "null": "None"}
WITH_ATTRIBUTES_ONLY = {"self": "name", "error": "type"}  # and an attribute to show

_DUNDER = re.compile(r"__.*__")


def refuse_dunder(name: str, start: int, end: int) -> None:
    """No way into Python's own machinery, even where none is known."""
    if _DUNDER.fullmatch(name):
        raise forbidden("a name between double underscores", start, end)


def refuse_name(name: str, start: int, end: int) -> None:
    """The names whose own value cannot be read."""
    if name in FUNCTIONS:
        message, hint = f"`{name}` is a function", f"write `{name}(…)`"
    elif name in OTHER_LANGUAGES:
        message, hint = f"`{name}` is not a value", f"Python writes {OTHER_LANGUAGES[name]}"
    elif name in WITH_ATTRIBUTES_ONLY:
        message = f"`{name}` alone has no value"
        hint = f"write `{name}.{WITH_ATTRIBUTES_ONLY[name]}`"
    else:
        refuse_dunder(name, start, end)
        return
    raise ExpressionError("bad-expression", message, start, end, hint)


def refuse_function(name: str, start: int, end: int) -> None:
    """A name that is called and is none of the functions."""
    if name not in FUNCTIONS:
        refuse_dunder(name, start, end)
        message = f"no function is called `{name}`"
        hint = suggestion(name, FUNCTIONS)
        raise ExpressionError("unknown-function", message, start, end, hint)


def refuse_count(name: str, count: int, start: int, end: int) -> None:
    """Too few or too many arguments are a fault of the file, not of a run."""
    fewest, most, _ = SIGNATURES[name]
    if fewest <= count <= most:
        return
    wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    if most == ANY_NUMBER:
        wanted = f"at least {fewest}"
    message = f"`{name}` takes {wanted} arguments, not {count}"
    raise ExpressionError("bad-expression", message, start, end)
