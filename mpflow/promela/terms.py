"""The source of an expression goes in, a Term comes out: Promela for its value, or a Refusal."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any

from mpflow import expressions
from mpflow.evaluation import PREFIX
from mpflow.expressions import Compiled
from mpflow.promela import arithmetic
from mpflow.promela.refusal import Refusal
from mpflow.promela.values import (
    LARGEST,
    NONE,
    OPAQUE,
    UNKNOWN,
    Term,
    Texts,
    condition,
    joined_kind,
    literal,
    needs_of,
)

_ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_FUNCTIONS: dict[str, Callable[..., Term]] = {
    "abs": arithmetic.absolute,
    "add": arithmetic.add,
    "floordiv": arithmetic.floordiv,
    "int": lambda a: a,
    "mod": arithmetic.mod,
    "mul": arithmetic.mul,
}
_OPERATORS = {"add": ast.Add(), "mul": ast.Mult(), "floordiv": ast.FloorDiv(), "mod": ast.Mod()}
_CLOCK = ("ctime", "time", "cpu_count")


class Terms:
    """Expressions of one process: what it knows, its variables' kinds, which are surely set."""

    def __init__(
        self, constants: Mapping[str, Any], kinds: Mapping[str, str], texts: Texts
    ) -> None:
        self.constants = constants
        self.kinds = kinds
        self.texts = texts
        self.set: Collection[str] = ()

    # What others ask for

    def of(self, source: str) -> Term:
        """Any value."""
        return self._term(ast.parse(source, mode="eval").body)

    def scalar(self, source: str) -> Term:
        """A value that has a code and stays within the model's numbers."""
        term = self.of(source)
        code = self._code(term)
        if term.kind == "number" and not -LARGEST <= term.low <= term.high <= LARGEST:
            fits = f"({code} >= -{LARGEST} && {code} <= {LARGEST})"
            term = term._replace(needs=(*term.needs, fits), low=-LARGEST, high=LARGEST)
        return term._replace(code=code)

    def number(self, source: str) -> Term:
        """The same of a number."""
        return self._number(self.scalar(source))

    def truth(self, source: str) -> Term:
        """Whether it counts as true: 0 or 1."""
        return self._truth(ast.parse(source, mode="eval").body)

    # Kinds of nodes

    def _term(self, node: ast.expr) -> Term:
        known = self._known(node)
        if known is not UNKNOWN:
            return literal(known)
        writer = getattr(self, f"_{type(node).__name__.lower()}", None)
        if writer is None:
            raise Refusal(f"`{_shown(node)}` cannot be said in Promela")
        found: Term = writer(node)
        return found

    def _known(self, node: ast.expr) -> Any:
        """What it comes to, if constants alone decide that."""
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        used = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
        if names & set(_CLOCK) or not used <= self.constants.keys():
            return UNKNOWN
        if any(isinstance(each, ast.Attribute) for each in ast.walk(node)):
            return UNKNOWN
        try:
            return expressions.evaluate(Compiled(ast.unparse(node)), self.constants)
        except Refusal:
            return UNKNOWN
        except Exception as error:
            raise Refusal(f"`{_shown(node)}` fails: {type(error).__name__}: {error}") from None

    def _name(self, node: ast.Name) -> Term:
        name = node.id.removeprefix(PREFIX)
        if name not in self.kinds:
            raise Refusal(f"`{name}` cannot be said in Promela")
        if name not in self.set:
            hint = "give it a first value under `vars`, or by `let` before"
            raise Refusal(f"`{name}` may not be set here, and then this fails", hint)
        kind = self.kinds[name]
        return Term("" if kind in OPAQUE else f"v_{name}", kind)

    def _call(self, node: ast.Call) -> Term:
        assert isinstance(node.func, ast.Name)
        name, arguments = node.func.id, node.args
        if name == "attribute" or name in _CLOCK:
            return Term("", "text" if name == "ctime" else "other")
        if name in ("made", "members"):
            return self._term(arguments[0])
        terms = [self._term(each) for each in arguments]
        if name in ("joined", "str"):
            return Term("", "text", needs=needs_of(terms))
        if name == "add" and any(each.kind in OPAQUE for each in terms):
            return self._concatenated(node, terms)
        if name == "bool":
            return self._truth(arguments[0])
        if name in _FUNCTIONS and not node.keywords:
            numbers = [self._number(each) for each in terms]
            return _FUNCTIONS[name](*numbers)
        if name in ("min", "max") and len(terms) > 1 and not node.keywords:
            return arithmetic.extreme("<" if name == "min" else ">", *map(self._number, terms))
        raise Refusal(f"`{name}` cannot be said in Promela here")

    def _concatenated(self, node: ast.Call, terms: list[Term]) -> Term:
        """A list and a list, or a text and a text: it cannot fail."""
        for kind in ("list", "text"):
            if all(t.kind == kind or (kind == "text" and isinstance(t.known, str)) for t in terms):
                return Term("", kind, needs=needs_of(terms))
        raise Refusal(f"`{_shown(node)}` cannot be said in Promela")

    def _binop(self, node: ast.BinOp) -> Term:
        a, b = self._term(node.left), self._term(node.right)
        if isinstance(node.op, ast.Add):
            return arithmetic.add(self._number(a), self._number(b))
        if isinstance(node.op, ast.Sub):
            return arithmetic.minus(self._number(a), self._number(b))
        raise Refusal(f"`{_shown(node)}` gives a fraction: Promela has whole numbers", "use `//`")

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.Not):
            return self._truth(node)
        a = self._number(self._term(node.operand))
        return a if isinstance(node.op, ast.UAdd) else arithmetic.negative(a)

    def _boolop(self, node: ast.BoolOp) -> Term:
        """As Python has it: the value of the operand that decides."""
        *before, last = node.values
        found = self._term(last)
        for each in reversed(before):
            found = self._either(each, isinstance(node.op, ast.And), found, self._term(each))
        return found

    def _ifexp(self, node: ast.IfExp) -> Term:
        return self._either(node.test, True, self._term(node.body), self._term(node.orelse))

    def _either(self, test: ast.expr, sense: bool, one: Term, other: Term) -> Term:
        """`one` where the test comes out like `sense`, else `other`."""
        truth = self._truth(test)
        if truth.known is not UNKNOWN:
            return one if truth.known == sense else other
        first, second = (one, other) if sense else (other, one)
        needs = (
            *truth.needs,
            *(f"(!{truth.code} || {each})" for each in first.needs),
            *(f"({truth.code} || {each})" for each in second.needs),
        )
        kind = joined_kind(one.kind, other.kind)
        if kind in OPAQUE:
            return Term("", kind, needs=needs)
        code = f"({truth.code} -> {self._code(first)} : {self._code(second)})"
        return Term(code, kind, min(one.low, other.low), max(one.high, other.high), needs)

    def _compare(self, node: ast.Compare) -> Term:
        return self._truth(node)

    def _subscript(self, node: ast.Subscript) -> Term:
        """An item of a known list."""
        whole = self._term(node.value).known
        if not isinstance(whole, list | tuple | str) or not whole:
            raise Refusal(f"`{_shown(node)}`: an item of what only the run can tell")
        at = self._number(self._term(node.slice))
        *items, last = (literal(each) for each in whole)
        kind, code = last.kind, self._code(last)
        for number, each in reversed(list(enumerate(items))):
            kind = joined_kind(kind, each.kind)
            code = f"({at.code} == {number} -> {self._code(each)} : {code})"
        numbers = [each for each in whole if isinstance(each, int)] or [0]
        inside = f"({at.code} >= 0 && {at.code} < {len(whole)})"
        return Term(code, kind, min(numbers), max(numbers), (*at.needs, inside))

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Term:
        return Term("", "list", needs=needs_of([self._term(each) for each in node.elts]))

    _tuple = _set = _list

    def _dict(self, node: ast.Dict) -> Term:
        keys = [each for each in node.keys if each is not None]
        return Term("", "other", needs=needs_of([self._term(e) for e in (*keys, *node.values)]))

    # Conditions

    def _truth(self, node: ast.expr) -> Term:
        known = self._known(node)
        if known is not UNKNOWN:
            return literal(bool(known))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._truth(node.operand)
            return condition(f"(!{inner.code})", inner.needs)
        if isinstance(node, ast.BoolOp):
            return self._logical(node)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        term = self._term(node)
        code = self._code(term)
        if term.kind == "number":
            boolean = term.low >= 0 and term.high <= 1
            return condition(code if boolean else f"({code} != 0)", term.needs)
        empty = self.texts.code("")
        return condition(f"({code} != 0 && {code} != {NONE} && {code} != {empty})", term.needs)

    def _logical(self, node: ast.BoolOp) -> Term:
        sign, passing = ("&&", "!") if isinstance(node.op, ast.And) else ("||", "")
        first, *rest = (self._truth(each) for each in node.values)
        code, needs = first.code, first.needs
        for each in rest:  # worked out only where those before do not decide
            needs += tuple(f"({passing}{code} || {need})" for need in each.needs)
            code = f"({code} {sign} {each.code})"
        return condition(code, needs)

    def _comparison(self, node: ast.Compare) -> Term:
        parts = [node.left, *node.comparators]
        pairs = zip(parts, node.ops, parts[1:], strict=False)
        found = [self._pair(*each) for each in pairs]
        if len(found) == 1:
            return found[0]
        if any(each.needs for each in found):
            raise Refusal(f"`{_shown(node)}` cannot be said in Promela", "split it with `and`")
        return condition(f"({' && '.join(each.code for each in found)})", ())

    def _pair(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Term:
        a, b = self._term(left), self._term(right)
        if isinstance(operator, ast.In | ast.NotIn):
            return self._member(a, operator, b)
        if type(operator) in _ORDER:
            a, b = self._number(a), self._number(b)
            return condition(f"({a.code} {_ORDER[type(operator)]} {b.code})", needs_of([a, b]))
        if isinstance(operator, ast.Is | ast.IsNot) and None not in (a.known, b.known):
            raise Refusal("`is` is said in Promela of None alone", "write `==`")
        sign = "==" if isinstance(operator, ast.Eq | ast.Is) else "!="
        return condition(f"({self._code(a)} {sign} {self._code(b)})", needs_of([a, b]))

    def _member(self, a: Term, operator: ast.cmpop, b: Term) -> Term:
        if not isinstance(b.known, list | tuple | set | range) or len(b.known) > 100:
            raise Refusal("`in` is said in Promela of a known, short list alone")
        code, sure = self._code(a), isinstance(operator, ast.In)
        sign, between = ("==", " || ") if sure else ("!=", " && ")
        each = [f"{code} {sign} {self._code(literal(item))}" for item in b.known]
        return condition(f"({between.join(each) or int(not sure)})", a.needs)

    # Codes

    def _code(self, term: Term) -> str:
        """The code of a term that has one."""
        if isinstance(term.known, str):
            return self.texts.code(term.known)
        if not term.code:
            message = "what only the run puts together (a list, a text, a fraction) decides here"
            raise Refusal(message, "Promela has whole numbers, booleans and known texts")
        return term.code

    def _number(self, term: Term) -> Term:
        """A term that must be a number; of a scalar the model asserts it."""
        code = self._code(term)
        if term.kind == "number":
            return term
        if term.known is not UNKNOWN:
            raise Refusal(f"{term.known!r:.40} is not a number")
        return Term(code, needs=(*term.needs, f"({code} < {NONE})"))


def _shown(node: ast.expr) -> str:
    """A source as the scenario has it, nearly."""
    return ast.unparse(_Plain().visit(node)).replace(PREFIX, "")[:60]


class _Plain(ast.NodeTransformer):
    """Operators again, where the source calls the functions that stand for them."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _OPERATORS:
            return ast.BinOp(node.args[0], _OPERATORS[name], node.args[1])
        return node.args[0] if name in ("made", "members") else node
