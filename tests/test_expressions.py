"""Expressions, templates and values: what they compile to, what they give, what is refused."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpflow.evaluation import FUNCTIONS, Attributes, TooLarge
from mpflow.expressions import (
    Compiled,
    ExpressionError,
    condition,
    evaluate,
    expression,
    literal,
    template,
    value,
)


class Named(Attributes):
    """A process whose attributes are `name` and `seen`."""

    def get(self, name: str) -> object:
        return {"name": "worker", "seen": 3}[name]


SCOPE: dict[str, object] = {
    "i": 4,
    "items": [3, 1, 2],
    "word": "a,b",
    "table": {"k": [1]},
    "self": Named(),
    "consumer": [Named(), Named()],
}


def test_a_compiled_expression_says_what_it_asks_for() -> None:
    assert expression(" items[i] + consumer[i - 4].seen * len(self.name) ") == Compiled(
        source=(
            "add(v_items[v_i], "
            "mul(attribute(v_consumer[(v_i - 4)], 'seen'), "
            "len(attribute(v_self, 'name'))))"
        ),
        names=frozenset({"items", "i", "consumer", "self"}),
        attributes=(("consumer", "seen"), ("self", "name")),
        functions=frozenset({"len"}),
        constant=False,
        bare=frozenset({"items", "i"}),
    )


@pytest.mark.parametrize(
    ("text", "constant"),
    [("1 + 2", True), ("max(1, 2)", True), ("i", False), ("time()", False), ("cpu_count()", False)],
)
def test_constant_means_the_same_value_always(text: str, constant: bool) -> None:
    assert expression(text).constant is constant


PYTHON = [
    "1 + 2 * 3 - 4 / 5 // 1 % 7",
    "-i + +i - (not i)",
    "1 < i < 5 != 6",
    "1 in items in [items]",
    "3 in range(5)",
    "2 not in items and i or word",
    "i is None",
    "None is not i",
    "1 is None",
    "(1, 2) is None",
    "-1 is None",
    "1 if i > 3 else 2",
    "items[0]",
    "items[-2:]",
    "items[::-1]",
    "table['k'][0]",
    "1[0]",
    "'abc'['a']",
    "[1, 2]['a']",
    "'abc'[1]",
    "(1 - 2)[0]",
    "[]",
    "()",
    "(1,)",
    "{}",
    "[items, (items, [i]), {i: items}, {i, 2}]",
    "'a' 'b'",
    "b'a' + b'b'",
    "'%s is %d' % (word, i)",
    "1e3 + .5",
    "1e999",
    "0x10 + 1_000",
    "'é' + 'ü'",
    "'''a\nb'''",
    "i +\n  1",
    "abs(-1) + len(word) + round(1.5)",
    "sorted(items, reverse=True)",
    "sum(items, start=5)",
    "sum(items, 5)",
    "max([], default=1)",
    "max(items)",
    "min(1, 2)",
    "round(1.25, ndigits=1)",
    "list(range(3)) + list('ab')",
    "set(items) - {1}",
    "str(1.5) + str([1, 'a'])",
    "tuple(items)",
    "bool(0)",
    "float('inf')",
    "int('12')",
    "1 / 0",
    "1 // 0",
    "1 % 0",
    "'a' + 1",
    "items['a']",
    "items[9]",
    "{}['k']",
    "{[]: 1}",
    "len(5)",
    "int('x')",
    "nowhere",
    "[1] * 3 + [2] * -1",
    "2 * 'ab'",
    "r'\\d'",
    "'\\d'",
    "i and nowhere",
    "0 and nowhere",
    "2 < 1 < nowhere",
]


def outcome(run: object, *arguments: object) -> object:
    """The value and its type, or the error's type and text."""
    try:
        found = run(*arguments)  # type: ignore[operator]
    except Exception as error:
        return type(error), str(error)
    return repr(found), type(found)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("text", PYTHON)
def test_what_is_allowed_gives_what_python_gives(text: str) -> None:
    flat = text if "'''" in text else text.replace("\n", " ")
    assert outcome(evaluate, expression(text), SCOPE) == outcome(eval, flat, {}, dict(SCOPE))


atoms = st.sampled_from(
    ["0", "1", "-3", "2.5", "'ab'", "''", "x", "y", "z", "[]", "None", "True", "range(4)"]
)


OPERATORS = ["+", "-", "*", "/", "//", "%", "<", "<=", "==", "!=", "in", "not in", "and", "or"]
FUNCTIONS_OF_ONE = sorted(FUNCTIONS.keys() - {"cpu_count", "ctime", "range", "time"})


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda t: f"({' '.join(t)})"),
        st.tuples(
            inner, st.sampled_from(["in", "<", "=="]), inner, st.sampled_from(["in", ">"]), inner
        ).map(lambda t: f"({' '.join(t)})"),
        st.tuples(st.sampled_from(["-", "not ", "+"]), inner).map(lambda t: f"({''.join(t)})"),
        st.tuples(st.sampled_from(FUNCTIONS_OF_ONE), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}]"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}:]"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.lists(inner, max_size=3).map(lambda t: f"[{', '.join(t)}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda t: f"({', '.join(t)},)"),
        st.tuples(inner, inner).map(lambda t: f"{{{t[0]}: {t[1]}}}"),
    )


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=400, deadline=None)
@given(
    st.recursive(atoms, _grown, max_leaves=8).filter(lambda text: len(text) <= 500),
    st.fixed_dictionaries(
        {
            "x": st.integers(-5, 5),
            "y": st.text("ab%d", max_size=3),
            "z": st.lists(st.integers(0, 3), max_size=3),
        }
    ),
)
def test_any_small_expression_gives_what_python_gives(text: str, scope: dict[str, object]) -> None:
    wanted = outcome(eval, text, {}, dict(scope))
    found = outcome(evaluate, expression(text), scope)
    if isinstance(wanted, tuple) and isinstance(wanted[0], type):
        assert isinstance(found, tuple)
        assert found[0] == wanted[0]  # a message may name the range that `in` was asked of
    else:
        assert found == wanted


def refused(compile_: object, text: object) -> tuple[str, str, str]:
    """The code of the error, the part of the text it points at, and its hint."""
    with pytest.raises(ExpressionError) as caught:
        compile_(text)  # type: ignore[operator]
    error = caught.value
    assert error.message
    assert 0 <= error.start <= error.end <= len(str(text))
    return error.code, str(text)[error.start : error.end], error.hint


BAD, FORBIDDEN = "bad-expression", "forbidden-in-expression"


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        ("  ", BAD, "", ""),
        ("a b", BAD, "b", ""),
        ("  (a", BAD, "(", ""),
        ("'abc", BAD, "'", ""),
        ("x; y", BAD, ";", ""),
        ("import os", BAD, "import", ""),
        ("a # b", BAD, "#", "put text in quotes"),
        ("a && b", BAD, "&&", "write `and`"),
        ("a || b", BAD, "||", "write `or`"),
        ("!a", BAD, "!", "write `not`"),
        ("a + $b", BAD, "$", "inside an expression a name needs no dollar"),
        ("a ? b : c", BAD, "?", "write `a if condition else b`"),
        ("a == true", BAD, "true", "Python writes True"),
        ("a == false", BAD, "false", "Python writes False"),
        ("a == null", BAD, "null", "Python writes None"),
        ("max", BAD, "max", "write `max(…)`"),
        ("self", BAD, "self", "write `self.name`"),
        ("error == 'Empty'", BAD, "error", "write `error.type`"),
        ("sorted(a, key=b)", BAD, "key=b", "it takes `reverse`"),
        ("len(obj=a)", BAD, "obj=a", ""),
        ("len()", BAD, "len()", ""),
        ("time(1)", BAD, "time(1)", ""),
        ("a\0b", BAD, "\0", ""),
        ("'\ud800'", BAD, "'\ud800'", ""),
        ("mx(1)", "unknown-function", "mx", "did you mean `max`?"),
        ("eval('1')", "unknown-function", "eval", None),
        ("x = 5", FORBIDDEN, "=", "to compare, write `==`; to set a variable, use `let`"),
        ("(x = 5)", FORBIDDEN, "=", "to compare, write `==`; to set a variable, use `let`"),
        ("x += 5", FORBIDDEN, "=", "to compare, write `==`; to set a variable, use `let`"),
        ("(x := 5)", FORBIDDEN, "x := 5", "set a variable with `let`; to compare, write `==`"),
        ("'é' + y ** 2", FORBIDDEN, "y ** 2", "write the multiplication: `x * x`"),
        ("a & b", FORBIDDEN, "a & b", "write `and`"),
        ("a | b", FORBIDDEN, "a | b", "write `or`"),
        ("~a", FORBIDDEN, "~a", "write `not`"),
        ("1 << 9", FORBIDDEN, "1 << 9", "multiply by the power of two"),
        ("a is 1", FORBIDDEN, "a is 1", "to compare values, write `==`"),
        ("f'{x}'", FORBIDDEN, "f'{x}'", None),
        ("[i for i in x]", FORBIDDEN, "[i for i in x]", None),
        ("sum(i for i in x)", FORBIDDEN, "(i for i in x)", None),
        ("lambda: 1", FORBIDDEN, "lambda: 1", None),
        ("(lambda: 1)()", FORBIDDEN, "(lambda: 1)()", None),
        ("max(*a)", FORBIDDEN, "*a", None),
        ("max(**a)", FORBIDDEN, "**a", None),
        ("[*a]", FORBIDDEN, "*a", None),
        ("{**a}", FORBIDDEN, "{**a}", None),
        ("await x", FORBIDDEN, "await x", None),
        ("(yield)", FORBIDDEN, "yield", None),
        ("1j", FORBIDDEN, "1j", None),
        ("...", FORBIDDEN, "...", None),
        ("x[1:2, 3]", FORBIDDEN, "1:2", None),
        ("x.append(1)", FORBIDDEN, "x.append(1)", None),
        ("a.b.c", FORBIDDEN, "a.b.c", "there is `name.x` and `name[0].x`"),
        ("'a'.join", FORBIDDEN, "'a'.join", None),
        ("a[0][1].b", FORBIDDEN, "a[0][1].b", None),
        ("max.real", FORBIDDEN, "max.real", None),
        ("x.__class__", FORBIDDEN, "x.__class__", None),
        ("__builtins__", FORBIDDEN, "__builtins__", None),
        ("__import__('os')", FORBIDDEN, "__import__", None),
        ("''.__class__.__mro__", FORBIDDEN, "''.__class__.__mro__", None),
        ("'%s' % x.__dict__", FORBIDDEN, "x.__dict__", None),
        ("-" * 20_000, "expression-too-long", "-" * 20_000, "split it with `let`"),
        ("-" * 400 + "1", "expression-too-deep", None, "split it with `let`"),
        ("(" * 240 + ")" * 240, "expression-too-deep", None, "split it with `let`"),
        ("[" * 150 + "]" * 150, "expression-too-deep", None, "split it with `let`"),
        ("x + 'a' * 9999999", "too-large", "'a' * 9999999", ""),
        ("x and list(range(10000000))", "too-large", "list(range(10000000))", ""),
        ("'%9999d' % 1", "too-large", "'%9999d' % 1", ""),
    ],
)
def test_a_fault_is_named_at_its_place(text: str, code: str, place: str, hint: str) -> None:
    began = time.perf_counter()
    found = refused(expression, text)
    assert time.perf_counter() - began < 1
    expected = (code, found[1] if place is None else place, found[2] if hint is None else hint)
    assert found == expected


def test_a_constant_that_is_costly_to_work_out_is_left_for_the_run() -> None:
    began = time.perf_counter()
    for _ in range(50):
        assert expression(" + ".join(["max(range(1048576))"] * 20)).constant  # 0.8 s to evaluate
    assert time.perf_counter() - began < 2


def test_five_hundred_characters_are_allowed_in_each_expression() -> None:
    longest = "'" + "a" * 498 + "'"
    assert evaluate(template(f"$( {longest} )$({longest})"), {}) == "a" * 996
    assert refused(template, f"b $({longest}+x)")[:2] == ("expression-too-long", f"{longest}+x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$i", 4),
        ("$(i)", 4),
        ("$( i\n + 1 )", 5),
        ("$items", [3, 1, 2]),
        ("$(items)", [3, 1, 2]),
        (" $i", " 4"),
        ("$i$i", "44"),
        ("$(self.name) got $i", "worker got 4"),
        ("$$i", "$i"),
        ("$$$i", "$4"),
        ("$5 a$ $- ${i} $", "$5 a$ $- ${i} $"),
        ("$word.upper", "a,b.upper"),
        ("$i-th", "4-th"),
        ("items[$(i - 4)]", "items[0]"),
        ("""$(")")""", ")"),
        ("""$(str('a)') + "(")!""", "a)(!"),
        ("""$('\\')' + ']')""", "')]"),
        ("""$('''a')''')""", "a')"),
        ("$({'a': [1]}['a'])", [1]),
        ("it's $i o'clock", "it's 4 o'clock"),
        ("a) $(i) (b", "a) 4 (b"),
        ("$(None)", None),
        ("$items is $(None)", "[3, 1, 2] is None"),
        ("$(word + '$i')", "a,b$i"),
    ],
)
def test_a_template_fills_in_values(text: str, expected: object) -> None:
    found = evaluate(template(text), SCOPE)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        ("a $(max(a", "unclosed-expression", "$(max(a", "put the whole string in quotes"),
        ("$('a)", "unclosed-expression", "$('a)", "put the whole string in quotes"),
        ("$([1)", "unclosed-expression", "$([1)", "put the whole string in quotes"),
        ("é $(a b) c", BAD, "b", ""),
        ("$()", BAD, "", ""),
        ("by $self.name!", BAD, "$self.name", "write `$(self.name)`"),
        ("$self", BAD, "$self", "write `$(self.name)`"),
        ("$error", BAD, "$error", "write `$(error.type)`"),
        ("$time", BAD, "$time", "write `$(time(…))`"),
        ("$__class__", FORBIDDEN, "$__class__", ""),
        ("a $(b + $c)", BAD, "$", "inside an expression a name needs no dollar"),
        ("a $('b' * 6000000)", "too-large", "'b' * 6000000", ""),
    ],
)
def test_a_fault_of_a_template_is_named_at_its_place(
    text: str, code: str, place: str, hint: str
) -> None:
    assert refused(template, text) == (code, place, hint)


DATA = {"a": ["$i", 1, 2.5, None, True, "b$$"], "$word": {"k": "$(i + 1)"}, 3: "n $i"}


def test_a_value_is_filled_in_wherever_it_has_strings() -> None:
    expected = {"a": [4, 1, 2.5, None, True, "b$"], "a,b": {"k": 5}, 3: "n 4"}
    compiled = value(DATA)
    assert evaluate(compiled, SCOPE) == expected
    assert (compiled.names, compiled.constant) == (frozenset({"i", "word"}), False)


def test_a_value_is_made_anew_each_time() -> None:
    each: list[list[list[object]]] = [[[]], [["$$"]]]
    for data in each:
        compiled = value(data)
        first = evaluate(compiled, {})
        first[0].append(1)  # type: ignore[index]
        assert len(evaluate(compiled, {})[0]) == len(data[0])  # type: ignore[index]


def test_filled_in_strings_are_not_read_again() -> None:
    assert evaluate(value(["$x", "$x!"]), {"x": "$(1 + 1)"}) == ["$(1 + 1)", "$(1 + 1)!"]


def test_a_fault_inside_a_value_says_where_it_is() -> None:
    with pytest.raises(ExpressionError) as caught:
        value({"a": [1, "b $(2 +)"]})
    error = caught.value
    assert (error.code, error.path, error.start, error.end) == (BAD, ("a", 1), 6, 7)


def test_a_value_that_aliases_make_huge_is_refused() -> None:
    text = "x" * 500_000
    lines: list[object] = ["$x"]
    for _ in range(40):
        lines = [lines, lines]
    for data in ([text] * 1000, lines):
        with pytest.raises(ExpressionError) as caught:
            value(data)
        assert caught.value.code == "too-large"
    with pytest.raises(TooLarge):
        evaluate(value(["$x", "$x", "$x"]), {"x": text})


def test_expressions_and_values_nest_together_as_deep_as_each_may() -> None:
    inner = "(" * 44 + "i" + " is None)" * 44  # two brackets of source for each level
    for deepest in (inner, "[list(" * 29 + "[i]" + ")]" * 29, "i" + "+i" * 58):
        data: object = f"$({deepest})"
        for _ in range(64):
            data = [data]
        assert repr(evaluate(value(data), SCOPE)).startswith("[" * 64)


@pytest.mark.parametrize(
    "data",
    [
        None,
        True,
        -5,
        10**5000,
        -(10**5000),
        1.5,
        -0.0,
        math.inf,
        -math.inf,
        "a'\"\n\ud800$x",
        b"\0",
        [1, [], (), (1,)],
        {"a": {1: [None]}},
    ],
    ids=lambda data: type(data).__name__,
)
def test_a_literal_makes_the_same_data(data: object) -> None:
    assert eval(literal(data), {"__builtins__": {}}) == data


def test_a_literal_can_be_no_number_but_nothing_that_is_not_plain() -> None:
    assert math.isnan(eval(literal(math.nan)))
    with pytest.raises(TypeError, match="'object' is not plain data"):
        literal(object())


@pytest.mark.parametrize(
    ("data", "expected"),
    [("i > 3", True), ("'$i'", "$i"), (False, False), (None, None), (3, 3), (["$i"], ["$i"])],
)
def test_a_condition_is_an_expression_or_a_constant(data: object, expected: object) -> None:
    assert evaluate(condition(data), SCOPE) == expected


def test_a_missing_name_is_a_name_error() -> None:
    with pytest.raises(NameError, match=r"^name 'gone' is not defined$"):
        evaluate(expression("gone"), {})
