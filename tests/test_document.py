"""mpflow.document: YAML 1.2 core in, plain data and the place of every path out, or Problems."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mpflow.document import Document, parse, read
from mpflow.problems import Problem, Span

SCENARIO = """\
mpflow: 1
name: bounded-jobs   # a comment
x-steps: &steps
  - put: {to: jobs, value: $i}
  - print: "got $item: 中😀"
params: {items: 4,
  consumers: 2}
processes:
  producer:
    actions:
    - repeat:
        times: $items
        do: *steps
  consumer:
    <<: {daemon: true}
    doc: |
      One line,
      and another.
    vars: {seen: 0.5, none: ~, 'quoted': 'it''s'}

# the end
expect: {always: ["sum(seen) == items"]}
"""


def whole(text: str | bytes, name: str = "f.yaml") -> Document:
    """The document of a text that has no problems."""
    document, problems = parse(text, name)
    assert problems == []
    assert document is not None
    return document


def codes(text: str | bytes) -> list[str]:
    return [problem.code for problem in parse(text)[1]]


def only(text: str | bytes) -> Problem:
    """The one problem of a text; it can be shown and written."""
    _, problems = parse(text, "f.yaml")
    assert len(problems) == 1, problems
    assert problems[0].render().encode()
    assert json.dumps(problems[0].as_json(), ensure_ascii=False).encode()
    return problems[0]


def same(left: Any, right: Any) -> bool:
    """Equal, of the same types, and NaN equal to itself."""
    return repr(left) == repr(right)


@pytest.fixture(params=["libyaml", "pure Python"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with libyaml (where PyYAML has it) and without."""
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML has no libyaml")


both_loaders = pytest.mark.usefixtures("_loader")

# --- data -----------------------------------------------------------------------------------

SCALARS: list[tuple[str, Any]] = [
    ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
    ("True", "True"), ("TRUE", "TRUE"), ("NULL", "NULL"), ("Null", "Null"),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
    ("0", 0), ("12", 12), ("+12", 12), ("-12", -12), ("-0", 0),
    ("0x1F", 31), ("0o17", 15), ("010", "010"), ("-01", "-01"), ("00", "00"),
    ("1_000", "1_000"), ("1:30", "1:30"), ("12:30:00", "12:30:00"), ("0b1", "0b1"),
    ("-0x1", "-0x1"), ("0x", "0x"), ("0o8", "0o8"), ("+", "+"), ("-", [None]),
    ("1e3", 1000.0), ("1E-3", 0.001), ("1.5", 1.5), (".5", 0.5), ("-2.", -2.0), ("-.5e1", -5.0),
    ("3.10", 3.1), ("01.5", "01.5"), ("1.5.2", "1.5.2"), ("e3", "e3"), (".", "."), ("1e", "1e"),
    (".inf", math.inf), ("-.inf", -math.inf), ("+.inf", math.inf), (".nan", math.nan),
    (".Inf", ".Inf"), ("inf", "inf"), ("nan", "nan"), ("1e999", math.inf),
    ("2024-01-02", "2024-01-02"), ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
    ("=", "="), ("<<", "<<"), ("१", "१"), ("$(a + 1)", "$(a + 1)"), ("a 'b' \"c\"", "a 'b' \"c\""),
    ("'true'", "true"), ('"1"', "1"), ("''", ""), ('"~"', "~"), ("|\n  1\n", "1\n"),
    (">-\n  true\n", "true"), ('"\\u4e2d\\U0001F600\\x41\\n"', "中😀A\n"),
    ("!!str 1", "1"), ("!!str true", "true"), ("!!str", ""), ("!!int '12'", 12),
    ("!!int 0x10", 16), ("!!float 1", 1.0), ("!!float '1.5'", 1.5), ("!!bool 'true'", True),
    ("!!null ''", None), ("!!null null", None), ("!!seq [1]", [1]), ("!!map {a: 1}", {"a": 1}),
    ("9" * 4000, int("9" * 4000)),
]  # fmt: skip


@both_loaders
@pytest.mark.parametrize(("written", "data"), SCALARS, ids=lambda value: repr(value)[:30])
def test_a_scalar_is_what_yaml_1_2_core_says(written: str, data: Any) -> None:
    assert same(whole(f"k:\n  {written}\n").data, {"k": data})


def test_keys_are_scalars_of_any_type() -> None:
    text = "1: a\n1.5: b\ntrue: c2\n~: d\n'1': e\n010: f\nno: g\n"
    document, problems = parse(text)
    # Python's dict holds 1 and True for the same key, so the second is a duplicate.
    assert [(p.code, p.span) for p in problems] == [("duplicate-key", Span(3, 1, 3, 5))]
    assert document is not None
    expected = {1: "a", 1.5: "b", None: "d", "1": "e", "010": "f", "no": "g"}
    assert same(document.data, expected)


@both_loaders
def test_a_scenario_gives_what_pyyaml_gives_where_the_versions_agree() -> None:
    assert whole(SCENARIO).data == yaml.safe_load(SCENARIO)


def test_an_alias_shares_the_object() -> None:
    data = whole("a: &x [1, {b: 2}]\nc: *x\nd: &y e\nf: *y\n").data
    assert data == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": "e", "f": "e"}
    assert data["a"] is data["c"]


def test_an_alias_means_the_last_anchor_of_its_name_and_can_be_a_key() -> None:
    assert whole("[&a 1, *a, &a 2, *a, {*a : b}]").data == [1, 1, 2, 2, {2: "b"}]


MERGES: list[tuple[str, Any]] = [
    ("a: &a {x: 1, y: 2}\nb: {<<: *a}", {"x": 1, "y": 2}),
    ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
    ("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}", {"y": 3, "x": 1}),
    ("a: [&a {x: 1}, &b {x: 2, y: 2}]\nb: {<<: [*a, *b]}", {"x": 1, "y": 2}),
    ("a: [&a {x: 1}, &b {<<: *a, y: 2}]\nb: {<<: *b, z: 3}", {"x": 1, "y": 2, "z": 3}),
    ("a: &l [{x: 1}, {y: 2}]\nb: {<<: *l}", {"x": 1, "y": 2}),
    ("b: {<<: {x: 1}, <: 2}", {"x": 1, "<": 2}),
    ("b: {<<: []}", {}),
    ("b: {'<<': 1}", {"<<": 1}),
    ('b: {"<<": 1, <<: {x: 2}}', {"<<": 1, "x": 2}),
    ("b: {!!str <<: 1}", {"<<": 1}),
]


@both_loaders
@pytest.mark.parametrize(("text", "expected"), MERGES)
def test_merge_keys_explicit_keys_win_and_earlier_mappings_win(text: str, expected: Any) -> None:
    data = whole(text).data["b"]
    assert list(data.items()) == list(expected.items())  # the order, too: processes have one


def test_a_merge_does_not_change_its_source() -> None:
    assert whole("a: &a {x: 1}\nb: {<<: *a, x: 2, y: 3}").data["a"] == {"x": 1}


# --- places ---------------------------------------------------------------------------------

PLACES: list[tuple[tuple[object, ...], Span, Span]] = [
    ((), Span(1, 1, 22, 41), Span(1, 1, 22, 41)),
    (("mpflow",), Span(1, 9, 1, 10), Span(1, 1, 1, 7)),
    (("name",), Span(2, 7, 2, 19), Span(2, 1, 2, 5)),
    (("x-steps",), Span(3, 10, 5, 27), Span(3, 1, 3, 8)),
    (("x-steps", 0), Span(4, 5, 4, 31), Span(4, 5, 4, 31)),
    (("x-steps", 0, "put", "value"), Span(4, 28, 4, 30), Span(4, 21, 4, 26)),
    (("x-steps", 1, "print"), Span(5, 12, 5, 27), Span(5, 5, 5, 10)),
    (("params",), Span(6, 9, 7, 16), Span(6, 1, 6, 7)),
    (("params", "consumers"), Span(7, 14, 7, 15), Span(7, 3, 7, 12)),
    # An alias has its own place; what is inside it stands where it was written.
    (("processes", "producer", "actions", 0, "repeat", "do"), Span(13, 13, 13, 19),
     Span(13, 9, 13, 11)),
    (("processes", "producer", "actions", 0, "repeat", "do", 1, "print"), Span(5, 12, 5, 27),
     Span(5, 5, 5, 10)),
    (("processes", "consumer", "daemon"), Span(15, 18, 15, 22), Span(15, 10, 15, 16)),
    (("processes", "consumer", "doc"), Span(16, 10, 18, 19), Span(16, 5, 16, 8)),
    (("processes", "consumer", "vars", "quoted"), Span(19, 42, 19, 49), Span(19, 32, 19, 40)),
    # A block ends with its last value, not with the comments after it.
    (("processes", "consumer"), Span(15, 5, 19, 50), Span(14, 3, 14, 11)),
    (("processes", "consumer", "vars", "none"), Span(19, 29, 19, 30), Span(19, 23, 19, 27)),
    # What does not exist has the place of its nearest parent.
    (("params", "nope", 1, "x"), Span(6, 9, 7, 16), Span(6, 9, 7, 16)),
    (("name", "x"), Span(2, 7, 2, 19), Span(2, 7, 2, 19)),
    (("x-steps", 2), Span(3, 10, 5, 27), Span(3, 10, 5, 27)),
    (("x-steps", -1), Span(3, 10, 5, 27), Span(3, 10, 5, 27)),
    (("x-steps", "0"), Span(3, 10, 5, 27), Span(3, 10, 5, 27)),
    (("nope",), Span(1, 1, 22, 41), Span(1, 1, 22, 41)),
]  # fmt: skip


@both_loaders
@pytest.mark.parametrize(("path", "value", "key"), PLACES)
def test_every_path_has_the_place_of_its_value_and_of_its_key_whatever_the_encoding(
    path: tuple[object, ...], value: Span, key: Span
) -> None:
    for text in (SCENARIO, SCENARIO.replace("\n", "\r\n"), SCENARIO.replace("\n", "\r")):
        for document in (whole(text), whole("\ufeff" + text), whole(("\ufeff" + text).encode())):
            assert (document.span(path), document.key_span(path)) == (value, key)


@pytest.mark.parametrize(
    ("text", "path", "span"),
    [
        ("中: [😀, x]", ("中", 1), Span(1, 8, 1, 9)),
        ("a:\nb: 1", ("a",), Span(1, 3, 1, 3)),
        ("- \n- a", (0,), Span(1, 2, 1, 2)),
        ("a: >-\n  b\n\n\n", ("a",), Span(1, 4, 2, 4)),
        ("a: |\nb: 1", ("a",), Span(1, 4, 1, 5)),
        ("a:\r  b: c\r", ("a", "b"), Span(2, 6, 2, 7)),
        ("a: 'x\n  y'\n", ("a",), Span(1, 4, 2, 5)),
        ("? a\n: b\n", ("a",), Span(2, 3, 2, 4)),
        ("a: &x\n  b: 1\n", ("a",), Span(1, 4, 2, 7)),
    ],
)
def test_columns_count_characters_from_1(text: str, path: tuple[object, ...], span: Span) -> None:
    assert whole(text).span(path) == span


WITHIN: list[tuple[str, str, Span]] = [
    # text with the one key k, the part to find, its place
    ("k: abc def", "def", Span(1, 8, 1, 11)),
    ("k: abc abc", "abc", Span(1, 4, 1, 7)),
    ("k: '中😀 def'", "def", Span(1, 8, 1, 11)),
    ('k: "abc def"', "abc", Span(1, 5, 1, 8)),
    ("k: 'it''s x'", "x", Span(1, 11, 1, 12)),
    ("k: 'it''s x'", "'", Span(1, 7, 1, 9)),
    ('k: "\\u4e2d\\x41\\n\\U0001F600 x"', "x", Span(1, 28, 1, 29)),
    ('k: "\\u4e2d\\x41 x"', "A", Span(1, 11, 1, 15)),
    ("k: &a abc def", "def", Span(1, 11, 1, 14)),
    ("k: !!str &a abc def", "def", Span(1, 17, 1, 20)),
    ("k: |\n  one two\n  two three\n", "three", Span(3, 7, 3, 12)),
    ("k: |\r\n  one two\r\n  three\r\n", "three", Span(3, 3, 3, 8)),
    ("k: >\n  one two\n  three four\n", "two three", Span(2, 7, 3, 8)),
    ("k: plain one\n  two three\n", "two", Span(2, 3, 2, 6)),
    ("k: 'quoted one\n  two three'\n", "two", Span(2, 3, 2, 6)),
    # What cannot be found is the whole scalar.
    ('k: "a\\x41\n  b"\n', "A", Span(1, 4, 2, 5)),
    ("k: |\n  a\n  b\n", "\n", Span(1, 4, 3, 4)),
]


@both_loaders
@pytest.mark.parametrize(("text", "part", "span"), WITHIN)
def test_a_part_of_a_string_has_its_place(text: str, part: str, span: Span) -> None:
    document = whole(text)
    start = document.data["k"].index(part)
    assert document.within(("k",), start, start + len(part)) == span


def test_the_second_of_equal_words_in_a_block_has_its_own_place() -> None:
    document = whole("k: |\n  two two\n  | two\n")
    assert [document.within(("k",), at, at + 3) for at in (0, 4, 10)] == [
        Span(2, 3, 2, 6),
        Span(2, 7, 2, 10),
        Span(3, 5, 3, 8),
    ]


def test_a_part_of_what_is_no_string_or_does_not_exist_is_the_value_or_parent() -> None:
    document = whole("k: 12\nl: [a]\n")
    assert document.within(("k",), 0, 1) == Span(1, 4, 1, 6)
    assert document.within(("l",), 0, 1) == Span(2, 4, 2, 7)
    assert document.within(("l", 3), 0, 1) == Span(2, 4, 2, 7)
    assert document.within(("l", 0), 5, 9) == Span(2, 6, 2, 6)


def test_a_part_of_an_alias_stands_where_the_text_is_written() -> None:
    document = whole("a: &x one two\nb: *x\n")
    assert document.span(("b",)) == Span(2, 4, 2, 6)
    assert document.within(("b",), 4, 7) == Span(1, 11, 1, 14)


def test_a_problem_takes_a_path_or_a_span_and_carries_the_source_line() -> None:
    document = whole("a: 1\r\n中: [x, y]\r\n")
    line = "中: [x, y]"
    assert document.problem("c", "m", ("中", 1), "h") == Problem(
        "c", "m", "f.yaml", Span(2, 8, 2, 9), "h", line
    )
    assert document.problem("c", "m", ("中",), key=True) == Problem(
        "c", "m", "f.yaml", Span(2, 1, 2, 2), "", line
    )
    assert document.problem("c", "m", Span(2, 5, 2, 6), key=True) == Problem(
        "c", "m", "f.yaml", Span(2, 5, 2, 6), "", line
    )


def test_the_digest_is_that_of_the_texts_utf_8_bytes() -> None:
    document = whole("a: 中\r\n".encode())
    assert document.sha256 == hashlib.sha256("a: 中\r\n".encode()).hexdigest()
    assert (document.path, document.text) == ("f.yaml", "a: 中\r\n")


# --- what is wrong --------------------------------------------------------------------------

FAULTS: list[tuple[str, str | bytes, str, Span | None]] = [
    ("the same key twice", "a: 1\nb: 2\na: 3", "duplicate-key", Span(3, 1, 3, 2)),
    ("the same key, quoted", "{a: 1, 'a': 3}", "duplicate-key", Span(1, 8, 1, 11)),
    ("two merge keys", "<<: {a: 1}\n<<: {b: 1}", "duplicate-key", Span(2, 1, 2, 3)),
    ("a list as key", "? [a]\n: 1", "bad-key", Span(1, 3, 1, 6)),
    ("a mapping as key", "k: {{ i }}", "bad-key", Span(1, 5, 1, 10)),
    ("a list as key by alias", "a: &l [1]\n*l : 2", "bad-key", Span(2, 1, 2, 3)),
    ("a merge of a number", "<<: 3", "bad-merge", Span(1, 5, 1, 6)),
    ("a merge of nothing", "<<:", "bad-merge", Span(1, 4, 1, 4)),
    ("a merge of a list with text", "<<: [{a: 1}, b]", "bad-merge", Span(1, 14, 1, 15)),
    ("a merge of a list of lists", "<<: [[{a: 1}]]", "bad-merge", Span(1, 6, 1, 14)),
    ("a tag of one's own", "a: !foo b", "unknown-tag", Span(1, 4, 1, 10)),
    ("a bare !x", "when: !done", "unknown-tag", Span(1, 7, 1, 12)),
    ("a lone !", "when: ! done", "unknown-tag", Span(1, 7, 1, 13)),
    ("a Python tag", "!!python/object/apply:os.system [ls]", "unknown-tag", Span(1, 1, 1, 34)),
    ("a set", "a: !!set {b}", "unknown-tag", Span(1, 4, 1, 11)),
    ("binary", "a: !!binary aGk=", "unknown-tag", Span(1, 4, 1, 17)),
    ("a timestamp", "a: !!timestamp 2024-01-02", "unknown-tag", Span(1, 4, 1, 26)),
    ("a tag on a mapping", "a: !foo\n  b: 1", "unknown-tag", Span(1, 4, 2, 3)),
    ("a tag on a key", "!foo a: 1", "unknown-tag", Span(1, 1, 1, 7)),
    ("!!int on text", "a: !!int x", "tag-mismatch", Span(1, 4, 1, 11)),
    ("!!int on a float", "a: !!int 1.5", "tag-mismatch", Span(1, 4, 1, 13)),
    ("!!bool on yes", "a: !!bool yes", "tag-mismatch", Span(1, 4, 1, 14)),
    ("!!seq on text", "a: !!seq x", "tag-mismatch", Span(1, 4, 1, 11)),
    ("!!str on a list", "a: !!str [x]", "tag-mismatch", Span(1, 4, 1, 11)),
    ("!!map on a list", "a: !!map [x]", "tag-mismatch", Span(1, 4, 1, 11)),
    ("a long int", "a: " + "1" * 4001, "number-too-long", Span(1, 4, 1, 4005)),
    ("a long hex", "a: 0x" + "f" * 3900, "number-too-long", Span(1, 4, 1, 3906)),
    ("an anchor that is not there", "a: *b", "unknown-anchor", Span(1, 4, 1, 6)),
    ("an alias in itself", "&a [*a]", "recursive-alias", Span(1, 5, 1, 7)),
    ("an alias deep in itself", "a: &a {b: [{c: *a}]}", "recursive-alias", Span(1, 16, 1, 18)),
    ("a merge of itself", "a: &a {<<: *a}", "recursive-alias", Span(1, 12, 1, 14)),
    ("a second document", "a: 1\n---\nb: 2", "several-documents", Span(2, 1, 2, 4)),
    ("an empty second document", "a: 1\n---\n", "several-documents", Span(2, 1, 2, 4)),
    ("no bytes", b"", "empty-file", Span(1, 1, 1, 1)),
    ("a BOM alone", "\ufeff", "empty-file", Span(1, 1, 1, 1)),
    ("comments", "# a\n\n# b\n", "empty-file", Span(1, 1, 1, 1)),
    ("an empty document", "---\n", "empty-file", Span(1, 1, 1, 1)),
    ("a byte that is not UTF-8", "a: 1\n中😀".encode() + b"\xff b", "not-utf-8", Span(2, 3, 2, 4)),
    ("the same after a BOM", b"\xef\xbb\xbfa: \xe4\xb8", "not-utf-8", Span(1, 4, 1, 5)),
    ("UTF-16", "a: 1".encode("utf-16"), "not-utf-8", Span(1, 1, 1, 2)),
    ("an encoded surrogate", b"a: \xed\xa0\x80", "not-utf-8", Span(1, 4, 1, 5)),
    ("NUL", "a: \0", "bad-character", Span(1, 4, 1, 5)),
    ("escape, after Chinese", "a: 1\r\n中: \x1b[31m", "bad-character", Span(2, 4, 2, 5)),
    ("DEL in a comment", "a: 1 # \x7f", "bad-character", Span(1, 8, 1, 9)),
    ("a C1 control", "a: \x9f", "bad-character", Span(1, 4, 1, 5)),
    ("U+FFFE", "a: \ufffe", "bad-character", Span(1, 4, 1, 5)),
    ("YAML 1.1's line end", "a: 'b\u2028c'", "bad-character", Span(1, 6, 1, 7)),
    ("a lone surrogate", "a: \ud800", "bad-character", Span(1, 4, 1, 5)),
]  # fmt: skip


@both_loaders
@pytest.mark.parametrize(
    ("text", "code", "span"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_fault_is_one_problem_at_its_place(
    text: str | bytes, code: str, span: Span | None
) -> None:
    problem = only(text)
    assert (problem.code, problem.span) == (code, span)


SYNTAX: list[tuple[str, Span, str, str]] = [
    # text, place, message, a part of the hint
    ('when: "a" in b', Span(1, 11, 1, 12), "expected the next key or item, or the end of this one",
     """quote all of it: '"a" in b'"""),
    ("- 'a' == b", Span(1, 7, 1, 8), "expected the next key or item, or the end of this one",
     """quote all of it: "'a' == b\""""),
    ('when: x == "a: b"', Span(1, 14, 1, 15), "a `: ` cannot stand here",
     """quote all of it: 'x == "a: b"'"""),
    ("- when: [1] == x  # why", Span(1, 13, 1, 14),
     "expected the next key or item, or the end of this one", "quote all of it: '[1] == x'"),
    ("when: !a[0]", Span(1, 7, 1, 8), "`!` starts a tag here, but this is none",
     "quote all of it: '!a[0]'"),
    ("when: `b`", Span(1, 7, 1, 8), "a value cannot start with ```", "quote all of it: '`b`'"),
    ("k: %b", Span(1, 4, 1, 5), "a value cannot start with `%`", "quote all of it: '%b'"),
    ("k: * b", Span(1, 5, 1, 6), "`&` and `*` must be followed by a name",
     "quote all of it: '* b'"),
    ("k: > 3", Span(1, 6, 1, 7), "after `|` or `>` the text starts in the next line",
     "quote all of it: '> 3'"),
    ('k: ["a" in b]', Span(1, 9, 1, 10),
     "the list or mapping of line 1 does not go on like this", "no quotes around?"),
    ("k: {value: ${i}}", Span(1, 13, 1, 14),
     "the list or mapping of line 1 does not go on like this", "write `$name`"),
    ("k: 'it's'", Span(1, 8, 1, 9), "expected the next key or item, or the end of this one",
     "a quote is written ''"),
    ("a:\n\t- b", Span(2, 1, 2, 2), "a tab cannot indent", "indent with spaces"),
    ("a: b\n\tc: d", Span(2, 1, 2, 2), "a tab cannot indent", "indent with spaces"),
    ("a: 1\n  b: 2", Span(2, 4, 2, 5), "a `: ` cannot stand here", "indented too far"),
    ("a: - b", Span(1, 4, 1, 5), "a `- ` cannot stand here", "a line of its own"),
    ("a: 1\nb:2\nc: 3", Span(2, 1, 2, 2), "expected `key: value` here", "a space must follow"),
    ("a: [1,\n  2", Span(1, 4, 1, 5), "the list or mapping of line 1 does not go on like this",
     "is a comma or a bracket missing"),
    ("a: 1\nb: 'x\n\nc: 2\n", Span(2, 4, 2, 5), "the quoted text that starts here never ends", ""),
    ('中😀: "x\\q"', Span(1, 7, 1, 8), "there is no such escape", "single quotes"),
    ("a: '中😀' 'b'\r\n", Span(1, 9, 1, 10),
     "expected the next key or item, or the end of this one", "quote all of it"),
]  # fmt: skip


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="this PyYAML has no libyaml")
@pytest.mark.parametrize(("text", "span", "message", "hint"), SYNTAX)
def test_a_syntax_error_has_a_place_plain_words_and_a_hint(
    text: str, span: Span, message: str, hint: str
) -> None:
    problem = only(text)
    assert (problem.code, problem.span, problem.message) == ("yaml-syntax", span, message)
    assert hint in problem.hint
    assert bool(hint) == bool(problem.hint)


@pytest.mark.parametrize("text", [row[0] for row in SYNTAX])
def test_without_libyaml_a_syntax_error_is_one_too(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert only(text).code in ("yaml-syntax", "unknown-tag")  # its tags may hold brackets


@both_loaders
@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00\\ud800", "\\U00110000", "\\x4"])
def test_an_escape_that_is_no_character_is_a_problem(escape: str) -> None:
    problem = only(f'a: "{escape}"')
    assert problem.code == "yaml-syntax"
    assert problem.message == "an escape here names no character"


def test_an_expression_that_begins_with_an_exclamation_mark_is_told_to_be_quoted() -> None:
    problem = only("when: !done and x == 'y'")
    assert problem.message == "the tag `!done` is not known"
    expected = """if an expression was meant, quote all of it: "!done and x == 'y'\""""
    assert problem.hint == expected


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    assert only("a: 1\nb: 2\na: 3").message == "the key `a` stands already in line 1"


def test_an_unknown_anchor_suggests_the_near_one() -> None:
    assert only("a: &steps 1\nb: *stesp").hint == "did you mean `steps`?"


def test_utf_16_is_named() -> None:
    assert only("a: 1".encode("utf-16")).hint == "this looks like UTF-16: save the file as UTF-8"
    assert only(b"a: \xff").message == "the byte 0xff is not UTF-8"


def test_all_faults_are_named_in_one_go_in_the_order_of_the_file() -> None:
    text = "a: 1\nb: {c: 1, c: 2}\na: !foo x\n<<: 3\nd: *e\nf: [\n"
    assert codes(text) == [
        "duplicate-key", "duplicate-key", "unknown-tag", "bad-merge", "unknown-anchor",
        "yaml-syntax",
    ]  # fmt: skip
    assert parse(text)[0] is None


def test_a_document_beside_faults_is_whole_but_for_them() -> None:
    document, problems = parse("a: 1\na: 2\nb: !foo x\nc: {? [k] : v, d: 3}\n")
    assert [problem.code for problem in problems] == ["duplicate-key", "unknown-tag", "bad-key"]
    assert document is not None
    assert document.data == {"a": 1, "b": "x", "c": {"d": 3}}
    assert document.span(("c", "d")) == Span(4, 19, 4, 20)


# --- limits ---------------------------------------------------------------------------------

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "".join(f"- &a{n} {'[' * 30}*a{n - 1}{']' * 30}\n" for n in range(1, 40))

LIMITS: list[tuple[str, str | bytes, str]] = [
    ("alias bomb", BOMB, "too-many-nodes"),
    ("bomb of merges", BOMB.replace("[", "{<<: [").replace("]", "]}"), "bad-merge"),
    ("100,000 brackets", "[" * 100_000, "too-deep"),
    ("100,000 braces", "{a: " * 100_000, "too-deep"),
    ("100,000 question marks", "? " * 100_000, "too-deep"),
    ("dashes in a line", "- " * 100_000, "too-deep"),
    ("deep blocks", "\n".join(" " * n + "a:" for n in range(1400)), "too-deep"),
    ("depth through aliases", "- &a0 x\n" + CHAIN, "too-deep"),
    ("a list of 1 MiB", "- a\n" * 262_144, "too-many-nodes"),
    ("a flow list of 1 MiB", "[" + "a," * 524_000 + "]", "too-many-nodes"),
    ("10 MB", b"a: b\n" * 2_000_000, "too-large"),
    ("10 MB of text", "中" * 5_000_000, "too-large"),
    ("a byte too many", "#" * ((1 << 20) + 1), "too-large"),
    ("Chinese that is too long only as bytes", "#" + "中" * 350_000, "too-large"),
    ("a number of a million digits", "a: " + "1" * 1_000_000, "number-too-long"),
    ("a million quotes", '"' * 1_000_000, "yaml-syntax"),
    ("a million spaces and a fault", "a: [" + " " * 1_000_000 + '"b" c', "yaml-syntax"),
    ("a line of a million words and a fault", "a: 'b' " + "c " * 500_000, "yaml-syntax"),
    ("an anchor of a million letters", "- &" + "a" * 500_000 + " x\n- *" + "a" * 400_000 + "\n",
     "unknown-anchor"),
    ("60,000 directives", "".join(f"%TAG !{n}! x\n" for n in range(60_000)) + "--- a\n",
     "yaml-syntax"),
    ("spaces", " " * 1_000_000, "empty-file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"), [limit[1:] for limit in LIMITS], ids=[limit[0] for limit in LIMITS]
)
def test_what_is_too_much_is_a_problem_and_never_a_crash(text: str | bytes, code: str) -> None:
    found = codes(text)
    assert code in found
    assert len(found) <= 100


@pytest.mark.parametrize("text", ["{" + "a: 1, " * 100_000 + "}", "- *x\n" * 200_000])
def test_thousands_of_faults_are_cut_off_at_100(text: str) -> None:
    anchors = "- &name x\n" if text[0] == "-" else ""
    document, problems = parse(anchors + text)
    assert document is None
    assert len(problems) == 100


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_64_levels_are_read_and_65_are_not() -> None:
    assert codes(nested(64)) == []
    assert codes(nested(65)) == ["too-deep"]
    assert codes(f"[&a {nested(32)}, {'[' * 31}*a{']' * 31}]") == []
    assert codes(f"[&a {nested(32)}, {'[' * 32}*a{']' * 32}]") == ["too-deep"]


def test_a_chain_of_merges_is_no_nesting() -> None:
    chain = "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 200))
    data = whole("a0: &a0 {k0: 1}\n" + chain).data
    assert data["a199"] == {f"k{n}": 1 for n in range(200)}


def test_200000_values_are_read_and_one_more_is_not() -> None:
    ten = "&a [" + "1," * 9999 + "]"  # 10,000 with the list itself
    rest = "1," * 9999
    assert codes(f"[{ten}" + ", *a" * 18 + f", {rest}]") == []
    assert codes(f"[{ten}" + ", *a" * 18 + f", {rest} 1]") == ["too-many-nodes"]


def test_a_file_of_1_mib_is_read() -> None:
    text = "- text: " + "x" * ((1 << 20) - 9) + "\n"
    assert len(text) == 1 << 20
    assert whole(text).data == [{"text": "x" * ((1 << 20) - 9)}]


def test_whatever_is_damaged_gives_a_document_or_problems_that_can_be_shown() -> None:
    rng = random.Random(7)
    raw = SCENARIO.encode()
    junk = [b"\xff", b"\0", b"!", b"&x ", b"*x", b"<<: ", b"[", b"}", b'"', b"'", b"\t", b": "]
    for _ in range(3000):
        at, to = sorted(rng.choices(range(len(raw)), k=2))
        damaged = raw[:at] + rng.choice([*junk, b""]) + raw[rng.choice([at, at, at + 1, to]) :]
        document, problems = parse(damaged, "f.yaml")
        assert document is not None or problems
        for problem in problems:
            assert problem.span is not None
            assert problem.render().encode()


# --- files ----------------------------------------------------------------------------------


def file_problem(name: str) -> Problem:
    document, problems = read(name)
    assert document is None
    assert len(problems) == 1
    assert problems[0].render().encode()
    return problems[0]


def test_a_file_is_read_with_its_bom_and_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document, problems = read(str(file))
    assert problems == []
    assert document is not None
    assert (document.path, document.data) == (str(file), {"a": 1, "b": 2})
    assert (document.text, document.span(("a",))) == ("a: 1\r\nb: 2\r\n", Span(1, 4, 1, 5))


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    missing = str(tmp_path / "nope.yaml")
    assert file_problem(missing) == Problem("no-such-file", "there is no such file", missing)
    folder = str(tmp_path)
    assert file_problem(folder) == Problem("is-a-folder", "this is a folder, not a file", folder)
    assert file_problem("").code == "no-such-file"
    assert file_problem("a\0b").code == "cannot-read"
    (tmp_path / "file").touch()
    assert file_problem(str(tmp_path / "file" / "x")).code == "cannot-read"
    assert file_problem("x" * 5000).code == "cannot-read"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch(mode=0)
    assert file_problem(str(file)).message == "cannot read it: Permission denied"


def test_a_permission_error_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    expected = Problem("cannot-read", "cannot read it: Permission denied", "a.yaml")
    assert read("a.yaml") == (None, [expected])


def test_an_endless_file_is_too_large() -> None:
    assert file_problem("/dev/zero").code == "too-large"


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.yaml")
    assert file_problem(name).path.endswith("/a\\udcff.yaml")


class _Input(io.TextIOWrapper):
    """Standard input that holds given bytes."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw), encoding="ascii")


def test_standard_input_is_called_stdin_in_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Input("a: 中\na: 2\n".encode()))
    document, problems = read("-")
    assert document is not None
    assert (document.path, document.data) == ("-", {"a": "中"})
    assert [problem.place for problem in problems] == ["<stdin>:2:1"]


def test_closed_standard_input_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = _Input(b"")
    closed.close()
    for stdin in (None, closed):
        monkeypatch.setattr(sys, "stdin", stdin)
        problem = file_problem("-")
        assert (problem.code, problem.path) == ("cannot-read", "<stdin>")


def test_importing_the_module_does_not_import_yaml() -> None:
    program = "import sys, mpflow.document; print('yaml' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout == b"False\n"


def test_a_lowered_limit_of_digits_is_a_problem_too() -> None:
    program = "from mpflow.document import parse; print(parse('a: ' + '1' * 700)[1][0].code)"
    environment = {**os.environ, "PYTHONINTMAXSTRDIGITS": "640"}
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert found.stdout == b"number-too-long\n"
