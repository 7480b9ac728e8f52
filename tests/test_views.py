"""What people see of a trace: whole outputs of hand-made traces, narrow and wide, odd values."""

from __future__ import annotations

import io
from typing import Any

import pytest

from mpflow.trace import Event, Trace, Verdict
from mpflow.views import style, summary, table
from mpflow.views.style import Style

PLAIN, PAINTED = Style(False), Style(True)
EVENT = Event(1, 0.5, "p", "put", "q", 7, 0, None, "ok", None, 0.25)


def trace(*events: Event, **more: Any) -> Trace:
    """A trace of these events, of a scenario called `n`."""
    given: dict[str, Any] = {
        "header": {"scenario": {"name": "n"}, "start_method": "fork"},
        "end": "completed",
        "duration": 0.0125,
        "exitcodes": {},
        "errors": {},
        "variables": {},
    }
    return Trace(events=events, **{**given, **more})


def of(process: str, action: str, on: str | None = None, **more: Any) -> Event:
    """An event that handed nothing over."""
    return EVENT._replace(process=process, action=action, on=on, **{"value": None, **more})


ALL = trace(
    of("main", "begin", line=None, extra={"pid": 41}),
    of("main", "start", "w[0]"),
    of("w[0]", "put", "jobs", value=None),
    of("w[0]", "print", value="hello"),
    of("w[0]", "print", line=None, value="from code", extra={"code": "shop.till:12"}),
    of("w[0]", "section", "s", extra={"phase": "enter"}),
    of("w[0]", "get", "jobs", result=[1, "a"]),
    of("w[0]", "get", "jobs", status="error", error=("Empty", "")),
    of("w[0]", "call", "m:f", status="error", error=("ValueError", "no\nway")),
    of("w[0]", "acquire", "l", status="timeout", result=False),
    of("w[0]", "end", line=None, error=("ValueError", "x"), extra={"exitcode": 1}),
    of("main", "join", "w[0]", status="blocked"),
    of("main", "end", line=None, status="ok", extra={"exitcode": None, "stopped": "timeout"}),
)


def test_a_table_has_a_line_for_each_event():
    assert (
        "\n".join(table.lines(ALL, PLAIN))
        == """\
time      process  action         on    result                   line
0.500000  main     begin                pid 41
0.500000  main     start          w[0]                           7
0.500000  w[0]     put            jobs  None                     7
0.500000  w[0]     print                hello                    7
0.500000  w[0]     print                from code                shop.till:12
0.500000  w[0]     section enter  s                              7
0.500000  w[0]     get            jobs  [1, 'a']                 7
0.500000  w[0]     get            jobs  Empty                    7
0.500000  w[0]     call           m:f   ValueError: no\\nway      7
0.500000  w[0]     acquire        l     False (timeout)          7
0.500000  w[0]     end                  exit code 1, ValueError
0.500000  main     join           w[0]  blocked                  7
0.500000  main     end                  stopped: timeout"""
    )


def test_a_table_without_events_is_its_head():
    assert list(table.lines(trace(), PLAIN)) == ["time  process  action  on  result  line"]


def test_what_went_wrong_is_painted_and_the_text_is_the_same():
    painted = list(table.lines(ALL, PAINTED))
    assert painted[0].startswith("\033[1mtime")
    colours = [line[:5] for line in painted[8:13]]
    assert colours == ["\033[31m", "\033[31m", "\033[33m", "0.500", "\033[33m"]
    bare = [line.replace("\033[1m", "").replace("\033[31m", "") for line in painted]
    bare = [line.replace("\033[33m", "").replace("\033[0m", "") for line in bare]
    assert bare == list(table.lines(ALL, PLAIN))


@pytest.mark.parametrize("columns", [80, 60, 50])
def test_on_a_narrow_terminal_columns_are_cut_and_no_line_is_wider(columns):
    found = list(table.lines(ALL, PLAIN, columns))
    assert max(map(len, found)) == min(columns, 77)
    assert len(found) == 14


def test_a_terminal_too_narrow_for_any_table_keeps_a_little_of_each_column():
    found = list(table.lines(ALL, PLAIN, 1))
    assert found[6] == "0.500000  w[0]    secti…  s             7"
    assert found[5] == "0.500000  w[0]    print         from …  shop.…"


CELLS = {
    "line ends": ("a\nb\r\tc", r"a\nb\r\tc"),
    "what a terminal would obey": ("\x1b[31m\x07\x9b", r"\x1b[31m\x07\x9b"),
    "half a surrogate pair": ("\udc80", r"\udc80"),
    "text that runs backwards": ("\u202eabc", r"\u202eabc"),
    "Chinese": ("中文", "中文"),
    "an emoji of several": ("👩\u200d👧", "👩\u200d👧"),
    "long": ("x" * 10_000, "x" * 47 + "…"),
    "long Chinese": ("中" * 100, "中" * 23 + "…"),
    "a number that Python will not write": (1 << 20_000, "<an integer of 20,001 bits>"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_value_stays_on_its_line_and_is_nothing_that_a_terminal_obeys(name):
    value, shown = CELLS[name]
    line = list(table.lines(trace(EVENT._replace(value=value)), PLAIN))[1]
    assert line.split("q   ", 1)[1].rsplit("  7", 1)[0].rstrip() == shown


def test_names_of_marks_are_made_printable_as_well():
    line = list(table.lines(trace(of("p", "mark", "a\nb")), PLAIN))[1]
    assert line == r"0.500000  p        mark    a\nb          7"


def test_columns_stand_under_each_other_whatever_the_script():
    found = list(
        table.lines(trace(EVENT._replace(value="中文"), EVENT._replace(value="e\u0301")), PLAIN)
    )
    assert {style.width(line.rsplit("7", 1)[0]) for line in found[1:]} == {39}


@pytest.mark.parametrize(
    ("text", "columns", "found"),
    [
        ("abc", 3, "abc"),
        ("abc", 5, "abc  "),
        ("abcd", 3, "ab…"),
        ("中文", 4, "中文"),
        ("中文字", 4, "中… "),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
    ],
)
def test_fit_gives_exactly_so_many_columns(text, columns, found):
    assert style.fit(text, columns) == found
    assert style.width(found) == columns


class Terminal(io.StringIO):
    """A stream that says it is a terminal, of no known width."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "found"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_only_on_a_terminal_unless_told(monkeypatch, choice, environment, terminal, found):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert style.wanted(choice, Terminal() if terminal else io.StringIO()) is found


def test_there_is_a_limit_of_columns_on_a_terminal_only(monkeypatch):
    monkeypatch.setenv("COLUMNS", "33")
    assert style.columns(Terminal()) == 33
    assert style.columns(io.StringIO()) is None
    monkeypatch.setenv("COLUMNS", "wide")
    assert style.columns(Terminal()) is None  # it has no descriptor to ask


def test_a_summary_tells_the_deadlock_the_failures_what_is_open_and_last_the_verdict():
    waits = [
        {"process": "a", "action": "acquire", "on": "l", "line": 4, "reason": "`b` holds it"},
        {"process": "b", "action": "end", "on": None, "line": None, "reason": ""},
    ]
    found = trace(
        EVENT,
        end="deadlock",
        report={"waits": waits, "cycle": ["a", "b"]},
        verdict=Verdict("failed", ("the run ended by deadlock",), ("sometimes: `x`\x1b",)),
    )
    assert (
        "\n".join(summary.lines(found, PLAIN, "n.yaml"))
        == """\
deadlock: nobody can go on
  a waits in acquire l (n.yaml:4)
      `b` holds it
  b waits in end
  the cycle: a -> b -> a
  failed: the run ended by deadlock
  unknown: sometimes: `x`\\x1b
failed: n (fork): deadlock after 0.013 s, 1 event"""
    )


def test_what_no_order_allows_is_told_in_the_table_and_in_the_summary():
    odd = EVENT._replace(extra={"suspect": "nobody had released it"})
    code = odd._replace(line=None, extra={**odd.extra, "code": "module:3"})
    whole = trace(odd, code, *[odd] * 4)
    assert "0 (suspect)" in list(table.lines(whole, Style(False)))[1]
    assert list(summary.lines(whole, Style(False), "f.yaml"))[:4] == [
        "  suspect: event 1 (p put q, line 7): nobody had released it",
        "  suspect: event 1 (p put q, module:3): nobody had released it",
        "  suspect: event 1 (p put q, line 7): nobody had released it",
        "  suspect: 3 more events",
    ]


def test_a_verdict_names_the_case_and_no_name_breaks_the_line():
    header = {"scenario": {"name": "a\nb", "case": "items=2"}, "start_method": "spawn"}
    found = summary.verdict_line(trace(header=header), PAINTED)
    told = r": a\nb [items=2] (spawn): completed after 0.013 s, 0 events"
    assert found == "\033[32;1mpassed\033[0m" + told
