"""A trace as JSON Lines: header, events, footer; what JSON cannot hold is shortened, and said."""

from __future__ import annotations

import json
import math
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mpflow.trace import LONGEST, Event, Trace, Verdict, plain, shown

SCHEMA = Path(__file__).parents[1] / "schema" / "trace.schema.json"
PUT = Event(1, 0.5, "p", "put", "q", 7, 0, None, "ok", None, 0.25)
HEADER = {
    "mpflow_trace": 1,
    "scenario": {"name": "n", "path": "n.yaml", "sha256": "0" * 64, "params": {"items": 2}},
    "mode": "run",
    "start_method": "fork",
    "python": "3.11.7",
    "platform": "linux",
    "seed": 7,
    "started": "2026-01-01T00:00:00Z",
}


def trace(*events: Event, **more: Any) -> Trace:
    """A trace of these events that completed."""
    given: dict[str, Any] = {
        "header": HEADER,
        "end": "completed",
        "duration": 1.23456789,
        "exitcodes": {"main": 0},
        "errors": {},
        "variables": {},
    }
    return Trace(events=events, **{**given, **more})


EVENTS = {
    "a put has its value and no result": (
        PUT,
        '{"seq":1,"t":0.500000000,"process":"p","action":"put","on":"q","line":7,"value":0,'
        '"status":"ok","began":0.250000000}',
    ),
    "a None that was put is a value": (
        PUT._replace(value=None),
        '{"seq":1,"t":0.500000000,"process":"p","action":"put","on":"q","line":7,"value":null,'
        '"status":"ok","began":0.250000000}',
    ),
    "a get has its result": (
        PUT._replace(action="get", value=None, result=[1, "é"]),
        '{"seq":1,"t":0.500000000,"process":"p","action":"get","on":"q","line":7,"result":[1,"é"],'
        '"status":"ok","began":0.250000000}',
    ),
    "an action without a result says so": (
        PUT._replace(action="start", on="w", value=None),
        '{"seq":1,"t":0.500000000,"process":"p","action":"start","on":"w","line":7,"result":null,'
        '"status":"ok","began":0.250000000}',
    ),
    "an error has its type and its message, and no result": (
        PUT._replace(action="get", value=None, status="error", error=("Empty", "")),
        '{"seq":1,"t":0.5,"process":"p","action":"get","on":"q","line":7,"status":"error",'
        '"error":{"type":"Empty","message":""},"began":0.25}',
    ),
    "what timed out has its result": (
        PUT._replace(action="acquire", on="l", value=None, result=False, status="timeout"),
        '{"seq":1,"t":0.500000000,"process":"p","action":"acquire","on":"l","line":7,"result":false,'
        '"status":"timeout","began":0.250000000}',
    ),
    "what is blocked has none": (
        PUT._replace(action="acquire", on="l", value=None, status="blocked"),
        '{"seq":1,"t":0.5,"process":"p","action":"acquire","on":"l","line":7,'
        '"status":"blocked","began":0.25}',
    ),
    "Python code has its place instead of a line": (
        PUT._replace(action="print", on=None, line=None, value="hi", extra={"code": "m:3"}),
        '{"seq":1,"t":0.5,"process":"p","action":"print","value":"hi","result":null,'
        '"status":"ok","began":0.25,"code":"m:3"}',
    ),
    "an end has an exit code, and null for no error": (
        PUT._replace(action="end", on=None, line=None, value=None, extra={"exitcode": 0}),
        '{"seq":1,"t":0.5,"process":"p","action":"end","result":null,"status":"ok",'
        '"error":null,"began":0.25,"exitcode":0}',
    ),
    "an end by an error has both": (
        PUT._replace(
            action="end", on=None, line=None, value=None, error=("E", "m"), extra={"exitcode": 1}
        ),
        '{"seq":1,"t":0.5,"process":"p","action":"end","result":null,"status":"ok",'
        '"error":{"type":"E","message":"m"},"began":0.25,"exitcode":1}',
    ),
    "a section has its phase": (
        PUT._replace(action="section", on="s", value=None, extra={"phase": "enter"}),
        '{"seq":1,"t":0.5,"process":"p","action":"section","on":"s","line":7,"result":null,'
        '"status":"ok","began":0.25,"phase":"enter"}',
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_one_line(name):
    event, line = EVENTS[name]
    assert list(trace(event).lines())[1] == line + "\n"


def _itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def _deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


class Rude:
    """A value whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


KEPT = [None, True, -1, 10**300, 0.5, "", "中文 🎉", "\x1b[31m\n", [1, [2]], {"a": {"b": []}}]


@pytest.mark.parametrize("value", KEPT, ids=shown)
def test_a_value_that_json_holds_comes_back_as_it_is(value):
    found = json.loads(list(trace(PUT._replace(value=value)).lines())[1])
    assert found["value"] == value
    assert type(found["value"]) is type(value)
    assert "shortened" not in found


SHORTENED = {
    "nan": (math.nan, "nan"),
    "infinity": (-math.inf, "-inf"),
    "nan inside": ([math.nan], "[nan]"),
    "bytes": (b"\xff", r"b'\xff'"),
    "set": ({3}, "{3}"),
    "complex": (1j, "1j"),
    "keys that are no texts": ({1: 2}, "{1: 2}"),
    "half a surrogate pair": ("a\udc80", r"'a\udc80'"),
    "half a surrogate pair as a key": ({"\udc80": 1}, r"{'\udc80': 1}"),
    "long text": ("x" * 1001, "'" + "x" * 999 + "…"),
    "long list": ([0] * 600, repr([0] * 600)[:1000] + "…"),
    "long number": (10**2000, "1" + "0" * 999 + "…"),
    "number that Python will not write": (1 << 20_000, "<an integer of 20,001 bits>"),
    "such a number inside": ([1 << 20_000], "<list: repr failed with ValueError>"),
    "a list that contains itself": (_itself(), "[[...]]"),
    "a repr that fails": (Rude(), "<Rude: repr failed with RuntimeError>"),
}


@pytest.mark.parametrize("name", SHORTENED)
def test_what_is_too_large_or_no_json_is_shortened_by_repr_and_said_to_be(name):
    value, text = SHORTENED[name]
    found = json.loads(list(trace(PUT._replace(value=value)).lines())[1])
    assert (found["value"], found["shortened"]) == (text, ["value"])


def test_a_value_too_deep_for_json_and_for_repr_is_told_by_its_type():
    found = PUT._replace(value=_deep(100_000)).as_json()
    assert found["value"] == "<list: repr failed with RecursionError>"


def test_a_tuple_is_written_as_a_list():
    found = json.loads(list(trace(PUT._replace(value=(1, (2,)))).lines())[1])
    assert (found["value"], found.get("shortened")) == ([1, [2]], None)


def test_names_and_messages_that_are_too_long_are_cut_and_said_to_be():
    event = PUT._replace(on="n" * 2000, status="error", error=("E", "m" * 2000), result="r" * 2000)
    found = event.as_json()
    assert found["on"] == "n" * LONGEST + "…"
    assert found["error"] == {"type": "E", "message": "m" * LONGEST + "…"}
    assert found["shortened"] == ["on", "error"]  # what failed has no result


def test_header_and_footer():
    first, last = trace(outcome={"x": 1}, verdict=Verdict("passed")).lines()
    assert json.loads(first) == HEADER
    assert last == (
        '{"end":"completed","duration":1.234568,"exitcodes":{"main":0},"outcome":{"x":1},'
        f'"verdict":"passed","failures":[],"sha256":"{json.loads(last)["sha256"]}"}}\n'
    )


def test_the_digest_is_that_of_all_lines_above_as_they_are_written():
    whole = trace(*[PUT._replace(value="中文")] * 600)
    for ascii_only in (False, True):
        *above, last = whole.lines(ascii_only)
        footer, told = re.fullmatch(r'(.*),"sha256":"(.*)"}\n', last).groups()
        assert told == sha256(("".join(above) + footer + "}").encode()).hexdigest()


def test_a_footer_tells_failures_what_is_undecided_and_the_deadlock():
    report = {"waits": [], "cycle": ["a", "b"]}
    verdict = Verdict("failed", ("f",), ("u",))
    found = trace(end="deadlock", outcome="deadlock", verdict=verdict, report=report).footer()
    assert found == {
        "end": "deadlock",
        "duration": 1.234568,
        "exitcodes": {"main": 0},
        "outcome": "deadlock",
        "verdict": "failed",
        "failures": ["f"],
        "undecided": ["u"],
        "deadlock": report,
    }


def test_an_outcome_is_written_as_it_is_compared_and_shortened_by_key():
    outcome = {"t": (1, 2), "s": {10, 9}, "long": "x" * 2000, "n": math.nan, "huge": 1 << 20_000}
    *_, last = trace(outcome=outcome).lines()
    found = json.loads(last)
    assert found["outcome"] == {
        "t": [1, 2],
        "s": [9, 10],
        "long": "'" + "x" * 999 + "…",
        "n": "nan",
        "huge": "<an integer of 20,001 bits>",
    }
    assert found["shortened"] == ["outcome.long", "outcome.huge"]


def test_a_file_name_that_is_no_utf_8_comes_back_as_it_was():
    scenario = {**HEADER["scenario"], "path": "\udcff.yaml"}
    line = next(trace(header={**HEADER, "scenario": scenario}).lines())
    assert json.loads(line.encode())["scenario"]["path"] == "\udcff.yaml"


def test_ascii_lines_are_the_same_json():
    whole = trace(PUT._replace(value="中文 🎉"))
    assert all(line.isascii() for line in whole.lines(ascii_only=True))
    ours, theirs = ([*map(json.loads, whole.lines(ascii))] for ascii in (True, False))
    assert ours[-1].pop("sha256") != theirs[-1].pop("sha256")  # of the lines as they are written
    assert ours == theirs


def test_the_output_is_what_was_printed_line_by_line_and_nothing_that_failed():
    printed = PUT._replace(action="print", on=None)
    failed = printed._replace(value="no", status="error", error=("OSError", ""))
    whole = trace(printed._replace(value="a\nb"), failed, PUT, printed._replace(value=None))
    assert whole.output == ["a", "b", "None"]


PLAIN = {
    "tuples are lists": ((1, (2,)), [1, [2]]),
    "sets of numbers": ({10, 9, 1.5}, [1.5, 9, 10]),
    "sets of texts": ({"b", "a"}, ["a", "b"]),
    "sets of this and that": ({"a", 1, None}, ["a", 1, None]),
    "sets of sets": ({frozenset({2, 1}), frozenset({3})}, [[1, 2], [3]]),
    "keys": ({1: (2,), "a": None}, {"1": [2], "a": None}),
    "nan": ([math.nan, math.inf], ["nan", "inf"]),
    "bytes": (b"x", "b'x'"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain(name):
    value, found = PLAIN[name]
    assert plain(value) == found


def test_plain_of_a_value_that_contains_itself_ends():
    found, levels = plain(_itself()), 0
    while isinstance(found, list):
        (found,), levels = found, levels + 1
    assert (found, levels) == ("[[...]]", 100)


# The schema


def test_every_property_of_the_schema_has_a_description():
    found = _properties(json.loads(SCHEMA.read_text()), ())
    lacking = [path for path, each in found if not {"description", "$ref"} & each.keys()]
    assert lacking == []


def _properties(schema: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(schema, dict):
        for name, each in schema.get("properties", {}).items():
            yield (*path, name), each
        for key, each in schema.items():
            yield from _properties(each, (*path, key))
    elif isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from _properties(each, (*path, place))


@pytest.fixture(scope="module")
def validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_schema_takes_the_lines_of_this_file(validator):
    events = [event for event, _ in EVENTS.values()]
    events += [PUT._replace(value=value, seq=9) for value, _ in SHORTENED.values()]
    for line in trace(*events, outcome={"b": "x" * 2000}).lines():
        assert not [error.message for error in validator.iter_errors(json.loads(line))], line


RUNS = {
    "completed": """
        params: {items: 2}
        primitives: {q: queue}
        processes:
          p: {count: 2, actions: [{section: {name: s, do: [{put: {value: $index, to: q}}]}}]}
          c: {actions: [{get: q}, {get: q}, {get: {from: q, block: false}}]}
        outcome: {n: items}
        expect: {sometimes: ["'x' in output"]}
        """,
    "deadlock": """
        primitives: {l: lock, e: event}
        processes: {w: {actions: [{acquire: l}, {set: e}, {acquire: l}]}}
        main: [{start: w}, {wait: e}, {acquire: l}]
        """,
    "timeout": "processes: {w: {actions: [{sleep: 100}]}}",
}


@pytest.mark.parametrize("end", RUNS)
def test_the_schema_takes_the_lines_of_real_runs(run, validator, end):
    found = run(RUNS[end], timeout=0.3 if end == "timeout" else 30)
    assert found.end == end
    for line in found.lines():
        assert not [error.message for error in validator.iter_errors(json.loads(line))], line


def test_the_schema_refuses_what_is_no_line_of_a_trace(validator):
    for wrong in (
        {},
        {"seq": 1},
        {**PUT.as_json(), "colour": "red"},
        {**HEADER, "mpflow_trace": 2},
    ):
        assert not validator.is_valid(wrong)
