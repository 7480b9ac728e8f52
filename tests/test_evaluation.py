"""What compiled expressions call: Python's results, and a refusal before anything grows."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from mpflow.evaluation import LIMIT, NAMESPACE, Attributes, Names, TooLarge, size
from mpflow.evaluation.measure import refusal

MIB = "x" * LIMIT
BIG = 10**9
HASH_PERIOD = 2**61 - 1  # multiples of it all have the hash 0


def run(source: str, **names: object) -> object:
    return eval(source, NAMESPACE, Names(names))


def shown(part: object) -> str:
    return part if isinstance(part, str) and len(part) < 100 else ""


def shared(levels: int) -> list[object]:
    found: list[object] = []
    for _ in range(levels):
        found = [found, found]
    return found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("mul('x', v_n)", {"n": BIG}),
        ("mul(v_n, [0])", {"n": BIG}),
        ("mul(b'x', v_n)", {"n": BIG}),
        ("mul(v_x, v_x)", {"x": 1 << (5 * LIMIT)}),
        ("mul(v_x, v_x)", {"x": 1 << (1 << 18)}),
        ("add(v_x, 'y')", {"x": MIB}),
        ("add(v_x, v_x)", {"x": [0] * 100_000}),
        ("made([v_x, v_x])", {"x": shared(16)}),
        ("made({1: v_x, 2: v_x})", {"x": shared(16)}),
        ("str(v_x)", {"x": shared(40)}),
        ("str(v_x)", {"x": 1 << 7 * LIMIT}),
        ("joined(v_x, 'y')", {"x": MIB}),
        ("joined(v_x, v_x)", {"x": ["y" * 600_000]}),
        ("mod('%1001d', 1)", {}),
        ("mod('%.1001f', 1.0)", {}),
        ("mod('%*d', v_x)", {"x": (BIG, 1)}),
        ("mod('%.*f', v_x)", {"x": (BIG, 1.0)}),
        ("mod('%(a)999999999d', {'a': 1})", {}),
        ("mod(b'%999999999d', 1)", {}),
        ("mod(mul('%1000d', 2000), 1)", {}),
        ("mod(mul('%(a)s', 3), {'a': v_x})", {"x": "y" * 400_000}),
        ("mod(mul('%(a)r', 3), {'a': v_x})", {"x": "y" * 400_000}),
        ("mod('%s%s', v_x)", {"x": (MIB, MIB)}),
        ("mod(v_x, v_y)", {"x": 7 ** (1 << 18), "y": 5 ** (1 << 17)}),
        ("floordiv(v_x, v_y)", {"x": 7 ** (1 << 18), "y": 5 ** (1 << 17)}),
        ("list(range(v_n))", {"n": BIG}),
        ("tuple(range(v_n))", {"n": BIG}),
        ("set(range(v_n))", {"n": BIG}),
        ("sorted(range(v_n))", {"n": BIG}),
        ("sum(range(v_n))", {"n": 10**12}),
        ("max(range(v_n))", {"n": 10**30}),
        ("min(range(v_n))", {"n": 10**30}),
        ("list(v_x)", {"x": MIB}),
        ("int(v_x)", {"x": "9" * 200_000}),
        ("set(list(range(0, v_n, v_p)))", {"n": 100_000 * HASH_PERIOD, "p": HASH_PERIOD}),
        ("sum(v_x, v_y)", {"x": [1] * 100_000, "y": 1 << 4 * LIMIT}),
        ("sum(v_x, [])", {"x": [[0] * 10_000] * 10 + [[0] * 100_000]}),
        ("round(v_x, -1000000)", {"x": 1 << 7 * LIMIT}),
    ],
    ids=shown,
)
def test_what_would_be_too_large_is_refused_at_once(source: str, names: dict[str, object]) -> None:
    began = time.perf_counter()
    with pytest.raises(TooLarge):
        run(source, **names)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("source", "names", "expected"),
    [
        ("'a' in members(range(v_n))", {"n": 10**12}, False),
        ("5.0 in members(range(v_n))", {"n": 10**12}, True),
        ("5.5 in members(range(v_n))", {"n": 10**12}, False),
        ("3 in members(range(5)) == True", {}, False),
        ("range(3) == members(range(3))", {}, True),
        ("round(5, v_n)", {"n": -BIG}, 0),
        ("round(5, v_n)", {"n": BIG}, 5),
        ("round(1250, -2)", {}, 1200),
        ("round(2.675, 2)", {}, 2.67),
        ("mul('x', v_n)", {"n": LIMIT}, MIB),
        ("mul('x', -5)", {}, ""),
        ("mul(v_x, v_x)", {"x": 1 << 262_000}, 1 << 524_000),
        ("floordiv(v_x, v_y)", {"x": 1 << 524_000, "y": 1 << 262_000}, 1 << 262_000),
        ("mul([], v_n)", {"n": BIG}, []),
        ("add('x', v_x)", {"x": "y" * (LIMIT - 1)}, "x" + "y" * (LIMIT - 1)),
        ("mod('%5.1f|%-4s|%%|%(x)s', {'x': 1})", {}, TypeError),
        ("mod('%(a)s and %(b)05d', {'a': [1], 'b': 7})", {}, "[1] and 00007"),
        ("mod('%s, %r', ('a', 'b'))", {}, "a, 'b'"),
        ("mod('%.300f', v_x)", {"x": 1e308}, f"{1e308:.300f}"),
        ("mod(b'%d', 5)", {}, b"5"),
        ("mod(-7, 3)", {}, 2),
        ("sum([[1], [2]], [])", {}, [1, 2]),
        ("sum([(1,), (2,)], start=(0,))", {}, (0, 1, 2)),
        ("sum([[1], 2], [])", {}, TypeError),
        ("sum(['a'], 'b')", {}, TypeError),
        ("sum(5)", {}, TypeError),
        ("sum(range(100000))", {}, 4999950000),
        ("len(set(mul([1, -1, -2], 40000)))", {}, 3),
        ("sorted([2, 3, 1], reverse=True)", {}, [3, 2, 1]),
        ("max([], default=4)", {}, 4),
        ("min(3, 2)", {}, 2),
        ("int('ff', 16)", {}, 255),
        ("int(mul('9', 5000))", {}, ValueError),
        ("len(range(v_n))", {"n": 10**30}, OverflowError),
        ("joined('a', None, [1, 'b'], 1.5)", {}, "aNone[1, 'b']1.5"),
        ("str()", {}, ""),
        ("add([1], (2,))", {}, TypeError),
        ("set([[1]])", {}, TypeError),
    ],
    ids=shown,
)
def test_what_is_not_too_large_is_as_in_python(
    source: str, names: dict[str, object], expected: object
) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected) as caught:
            run(source, **names)
        assert not isinstance(caught.value, TooLarge)
    else:
        found = run(source, **names)
        assert (found, type(found)) == (expected, type(expected))


def test_a_value_is_measured_written_out() -> None:
    sizes = [size(each) for each in (5, "abc", "é", [], [1, "ab"], {"k": [1]}, 1 << 800)]
    assert sizes == [0, 3, 2, 0, 18, 25, 101]


def test_a_refusal_is_found_out_without_making_anything_that_is_not_small() -> None:
    small = "x" * 100
    assert isinstance(refusal(lambda: run("mul(v_x, v_n)", x=small, n=BIG)), TooLarge)
    assert refusal(lambda: run("mul(v_x, v_n)", x=small, n=1000)) is None
    assert refusal(lambda: run("add('x', 5)")) is None
    assert run("mul(v_x, v_n)", x=small, n=1000) == small * 1000


def test_sharing_its_parts_or_itself_makes_no_value_endless() -> None:
    loop: list[object] = []
    loop.append(loop)
    for value in (shared(40), loop):
        with pytest.raises(TooLarge):
            size(value)


def test_nesting_is_limited_since_the_hash_of_a_deep_tuple_ends_the_interpreter() -> None:
    value: object = ()
    for _ in range(100):
        value = run("made((v_x,))", x=value)
    with pytest.raises(TooLarge, match="nested over 100 levels"):
        run("made((v_x,))", x=value)


def test_names_are_looked_up_in_the_scope_and_functions_in_the_namespace() -> None:
    assert run("add(v_x, len(v_y))", x=1, y="ab") == 3
    with pytest.raises(NameError, match=r"^name 'nope' is not defined$"):
        run("v_nope")


class Process(Attributes):
    """One whose only attribute is `pid`."""

    def get(self, name: str) -> object:
        return 7 if name == "pid" else super().get(name)


def test_only_attributes_have_attributes() -> None:
    assert run("attribute(v_p, 'pid')", p=Process()) == 7
    with pytest.raises(AttributeError, match=r"^there is no attribute 'get' here$"):
        run("attribute(v_p, 'get')", p=Process())
    with pytest.raises(AttributeError, match=r"^'int' values have no attributes in an expression$"):
        run("attribute(5, 'real')")


def test_the_source_reaches_no_builtins() -> None:
    with pytest.raises(NameError):
        run("open('/etc/passwd')")
    assert NAMESPACE["__builtins__"] == {}


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = {"ast", "re", "typing", "dataclasses", "enum", "functools", "collections"}
    code = "import sys, mpflow.evaluation; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert heavy & set(done.stdout.split()) == set()
