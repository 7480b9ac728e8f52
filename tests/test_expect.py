"""What one run decides of `expect`, row by row of section 6: when it holds, and what is said when
it does not. The traces are made by hand: no process is started."""

from __future__ import annotations

from typing import Any

import pytest

from mpflow import api
from mpflow.expect import judge
from mpflow.trace import Event, Trace, Verdict

SCENARIO = """\
mpflow: 1
params: {limit: 2}
processes:
  w: {name: Worker, vars: {x: null}, actions: [{let: {x: 1}}, {mark: a}, {mark: b}, {print: hi}]}
  r: {count: 2, vars: {n: 0}, actions: [{section: {name: s, do: [{mark: a}]}}]}
main: [{start: all}, {join: {process: all, into: y}}]
outcome: {x: w.x, n: "[r[0].n, r[1].n]"}
expect: """

ENDED = {"main": 0, "w": 0, "r[0]": 0, "r[1]": 0}


def event(seq: int, process: str, action: str, on: str | None = None, **more: Any) -> Event:
    """One event; its times are its place."""
    given = {"line": 1, "value": None, "result": None, "status": "ok", "error": None, **more}
    return Event(seq=seq, t=seq, began=seq, process=process, action=action, on=on, **given)


def events(text: str) -> tuple[Event, ...]:
    """Events in short: `w mark a; w print hi; r[0] enter s; r[0] leave s; w end`."""
    found = []
    for seq, part in enumerate(filter(None, map(str.strip, text.split(";"))), 1):
        process, action, *rest = part.split(" ", 2)
        on = rest[0] if rest else None
        if action in ("enter", "leave"):
            found.append(event(seq, process, "section", on, extra={"phase": action}))
        elif action == "print":
            found.append(event(seq, process, action, value=on))
        elif action == "begin":
            found.append(event(seq, process, action, extra={"pid": int(on or 0)}))
        else:
            found.append(event(seq, process, action, on))
    return tuple(found)


def judged(expect: str, happened: str = "", scenario: str = SCENARIO, **more: Any) -> Trace:
    """A run of the scenario with this `expect`, judged; it completed, if nothing else is said."""
    loaded = api.loads(scenario + expect)
    assert loaded.problems == [], "\n".join(p.render() for p in loaded.problems)
    seen = {"main": {}, "w": {"x": 1}, "r[0]": {"n": 1}, "r[1]": {"n": 2}}
    given: dict[str, Any] = {
        "header": {},
        "events": events(happened),
        "end": "completed",
        "duration": 1.0,
        "exitcodes": ENDED,
        "errors": {},
        "variables": seen,
    }
    return judge(loaded.scenarios[0], Trace(**{**given, **more}))


def passed() -> Verdict:
    return Verdict("passed")


def failed(*failures: str) -> Verdict:
    return Verdict("failed", failures)


def unknown(*undecided: str) -> Verdict:
    return Verdict("unknown", (), undecided)


DIED = {"exitcodes": {**ENDED, "w": 1}, "errors": {"w": "Empty"}}
STOPPED = {"exitcodes": {**ENDED, "main": None, "w": None}}
STUCK = {**STOPPED, "end": "deadlock"}
LATE = {**STOPPED, "end": "timeout"}
CUT = {**STOPPED, "end": "interrupted"}

ROWS: dict[str, tuple[str, dict[str, Any], Verdict]] = {
    # What is expected where nothing is said.
    "nothing said, all exit with 0": ("{}", {}, passed()),
    "nothing said, an error": ("{}", DIED, failed("`w` exited with 1 by Empty, not 0")),
    "nothing said, an exit code": (
        "{}",
        {"exitcodes": {**ENDED, "r[1]": 3}},
        failed("`r[1]` exited with 3, not 0"),
    ),
    "nothing said, a signal": (
        "{}",
        {"exitcodes": {**ENDED, "w": -9}},
        failed("`w` exited with -9, not 0"),
    ),
    "nothing said, main fails": (
        "{}",
        {"exitcodes": {**ENDED, "main": 1}, "errors": {"main": "OSError"}},
        failed("`main` exited with 1 by OSError, not 0"),
    ),
    "nothing said, a deadlock": ("{}", STUCK, failed("the run ended by deadlock")),
    "nothing said, a timeout": ("{}", LATE, failed("the run ended by timeout")),
    "other parts leave the defaults": (
        "{never: ['False'], exitcode: {main: 0}}",
        DIED,
        failed("`w` exited with 1 by Empty, not 0"),
    ),
    # deadlock, timeout
    "deadlock never, none": ("{deadlock: never}", {}, passed()),
    "deadlock never, one": ("{deadlock: never}", STUCK, failed("the run ended by deadlock")),
    "deadlock possible, none": ("{deadlock: possible}", {}, passed()),
    "deadlock possible, one": ("{deadlock: possible}", STUCK, passed()),
    "deadlock always, one": ("{deadlock: always}", STUCK, passed()),
    "deadlock always, none": (
        "{deadlock: always}",
        {},
        failed("deadlock was expected; the run ended as completed (line 8)"),
    ),
    "deadlock always, a timeout": (
        "{deadlock: always}",
        LATE,
        failed(
            "deadlock was expected; the run ended as timeout (line 8)", "the run ended by timeout"
        ),
    ),
    "timeout never, one": ("{timeout: never}", LATE, failed("the run ended by timeout")),
    "timeout possible, none": ("{timeout: possible}", {}, passed()),
    "timeout possible, one": ("{timeout: possible}", LATE, passed()),
    "timeout possible, a deadlock": (
        "{timeout: possible}",
        STUCK,
        failed("the run ended by deadlock"),
    ),
    "timeout always, one": ("{timeout: always}", LATE, passed()),
    "timeout always, none": (
        "{timeout: always}",
        {},
        failed("timeout was expected; the run ended as completed (line 8)"),
    ),
    # exitcode
    "exitcode, as named": ("{exitcode: {w: 3}}", {"exitcodes": {**ENDED, "w": 3}}, passed()),
    "exitcode, another": (
        "{exitcode: {w: 3}}",
        {},
        failed("`w` exited with 0, not 3 (line 8)"),
    ),
    "exitcode, one of a list": (
        "{exitcode: {w: [0, -15]}}",
        {"exitcodes": {**ENDED, "w": -15}},
        passed(),
    ),
    "exitcode, none of a list": (
        "{exitcode: {w: [0, -15]}}",
        {"exitcodes": {**ENDED, "w": 1}},
        failed("`w` exited with 1, not 0 or -15 (line 8)"),
    ),
    "exitcode, by a param": ("{exitcode: {w: $limit}}", {"exitcodes": {"w": 2}}, passed()),
    "exitcode of main": ("{exitcode: {main: 2}}", {"exitcodes": {"main": 2}}, passed()),
    "exitcode of each replica": (
        "{exitcode: {r: 5}}",
        {"exitcodes": {**ENDED, "r[0]": 5}},
        failed("`r[1]` exited with 0, not 5 (line 8)"),
    ),
    "exitcode of one replica": (
        "{exitcode: {'r[0]': 5}}",
        {"exitcodes": {**ENDED, "r[0]": 5}},
        passed(),
    ),
    "exitcode of what did not end by itself": (
        "{exitcode: {w: 3}, timeout: always}",
        LATE,
        passed(),
    ),
    "exitcode of what ended before a deadlock": (
        "{exitcode: {r: 5}, deadlock: always}",
        STUCK,
        failed(
            "`r[0]` exited with 0, not 5 (line 8)",
            "`r[1]` exited with 0, not 5 (line 8)",
        ),
    ),
    "an exit code named allows the error that gives it": ("{exitcode: {w: 1}}", DIED, passed()),
    # error
    "error, as named": ("{error: {w: Empty}}", DIED, passed()),
    "error, another": (
        "{error: {w: Full}}",
        DIED,
        failed("`w` ended by Empty, not by Full (line 8)"),
    ),
    "error, none": (
        "{error: {w: Empty}}",
        {},
        failed("`w` ended without an error, not by Empty (line 8)"),
    ),
    "error, one of a list": ("{error: {w: [Full, Empty]}}", DIED, passed()),
    "error, or nothing": ("{error: {w: [Empty, null]}}", {}, passed()),
    "error, one of a list or nothing, another": (
        "{error: {w: [Full, null]}}",
        DIED,
        failed("`w` ended by Empty, not by Full or nothing (line 8)"),
    ),
    "error and exitcode": (
        "{error: {w: Empty}, exitcode: {w: 2}}",
        DIED,
        failed("`w` exited with 1, not 2 (line 8)"),
    ),
    "error of what did not end by itself": (
        "{error: {w: Full}, deadlock: always}",
        STUCK,
        passed(),
    ),
    # always, never
    "always true": ("{always: [w.x == 1, 'sum([r[0].n, r[1].n]) == 3']}", {}, passed()),
    "always false": (
        "{always: [w.x == limit]}",
        {},
        failed("always: `w.x == limit` is false (line 8): limit = 2, w.x = 1"),
    ),
    "always false, of replicas": (
        "{always: ['r[0].n == r[1].n']}",
        {},
        failed("always: `r[0].n == r[1].n` is false (line 8): r.n = [1, 2]"),
    ),
    "always false, each is said": (
        "{always: ['False', 'not output']}",
        {"events": events("w print hi")},
        failed(
            "always: `False` is false (line 8)",
            "always: `not output` is false (line 8): output = ['hi']",
        ),
    ),
    "always, not to be worked out": (
        "{always: [w.x + 'a' == 1]}",
        {},
        failed(
            "always: `w.x + 'a' == 1` cannot be worked out: "
            "TypeError: unsupported operand type(s) for +: 'int' and 'str' (line 8)"
        ),
    ),
    "always of a run that deadlocks": ("{always: ['False'], deadlock: possible}", STUCK, passed()),
    "always of a run that times out": ("{always: ['False'], timeout: possible}", LATE, passed()),
    "never false": ("{never: [w.x == 2]}", {}, passed()),
    "never true": (
        "{never: [w.x == 1]}",
        {},
        failed("never: `w.x == 1` is true (line 8): w.x = 1"),
    ),
    "never, not to be worked out": (
        "{never: ['output[3]']}",
        {},
        failed(
            "never: `output[3]` cannot be worked out: IndexError: list index out of range (line 8)"
        ),
    ),
    "never of a run that deadlocks": ("{never: ['True'], deadlock: possible}", STUCK, passed()),
    # sometimes
    "sometimes true": ("{sometimes: [w.x == 1]}", {}, passed()),
    "sometimes false": (
        "{sometimes: [w.x == 1, w.x == 2]}",
        {},
        unknown("sometimes: `w.x == 2` is false (line 8): w.x = 1"),
    ),
    "sometimes, not to be worked out": (
        "{sometimes: ['output[3]']}",
        {},
        unknown(
            "sometimes: `output[3]` cannot be worked out: "
            "IndexError: list index out of range (line 8)"
        ),
    ),
    "sometimes of a run that deadlocks": (
        "{sometimes: ['True'], deadlock: possible}",
        STUCK,
        unknown("sometimes: `True` speaks of runs that complete (line 8)"),
    ),
    "sometimes false, and a failure": (
        "{sometimes: ['False'], never: ['True']}",
        {},
        Verdict(
            "failed",
            ("never: `True` is true (line 8)",),
            ("sometimes: `False` is false (line 8)",),
        ),
    ),
    # order
    "order, as named": ("{order: [[a, b]]}", {"events": events("w mark a; w mark b")}, passed()),
    "order, the other way": (
        "{order: [[a, b]]}",
        {"events": events("w mark b; w mark a")},
        failed("order: mark `b` came before mark `a` (line 8)"),
    ),
    "order, the first of each counts": (
        "{order: [[a, b]]}",
        {"events": events("r[0] mark a; w mark b; r[1] mark a")},
        passed(),
    ),
    "order, one alone": ("{order: [[a, b]]}", {"events": events("w mark b")}, passed()),
    "order, a mark that failed is none": (
        "{order: [[a, b]]}",
        {"events": (event(1, "w", "mark", "b", status="error"), *events("w mark a; w mark b"))},
        passed(),
    ),
    "order of a run that deadlocks": (
        "{order: [[a, b]], deadlock: possible}",
        {**STUCK, "events": events("w mark b; w mark a")},
        failed("order: mark `b` came before mark `a` (line 8)"),
    ),
    # exclusive
    "exclusive, one after the other": (
        "{exclusive: {s: 1}}",
        {"events": events("r[0] enter s; r[0] leave s; r[1] enter s; r[1] leave s")},
        passed(),
    ),
    "exclusive, both inside": (
        "{exclusive: {s: 1}}",
        {"events": events("r[0] enter s; r[1] enter s; r[0] leave s; r[1] leave s")},
        failed(
            "exclusive: more than 1 were inside `s` at once: `r[0]`, `r[1]` at event 2 (line 8)"
        ),
    ),
    "exclusive, as many as allowed": (
        "{exclusive: {s: $limit}}",
        {"events": events("r[0] enter s; r[1] enter s")},
        passed(),
    ),
    "exclusive, who ends is outside": (
        "{exclusive: {s: 1}}",
        {"events": events("r[0] enter s; r[0] end; r[1] enter s")},
        passed(),
    ),
    "exclusive, one process twice is one": (
        "{exclusive: {s: 1}}",
        {"events": events("r[0] enter s; r[0] enter s; r[0] leave s")},
        passed(),
    ),
    "exclusive, still inside after the inner one": (
        "{exclusive: {s: 1}}",
        {"events": events("r[0] enter s; r[0] enter s; r[0] leave s; r[1] enter s")},
        failed(
            "exclusive: more than 1 were inside `s` at once: `r[0]`, `r[1]` at event 4 (line 8)"
        ),
    ),
    "exclusive, nobody at all": (
        "{exclusive: {s: 0}}",
        {"events": events("r[0] enter s")},
        failed("exclusive: more than 0 were inside `s` at once: `r[0]` at event 1 (line 8)"),
    ),
    "exclusive of a run that times out": (
        "{exclusive: {s: 1}, timeout: always}",
        {**LATE, "events": events("r[0] enter s; r[1] enter s")},
        failed(
            "exclusive: more than 1 were inside `s` at once: `r[0]`, `r[1]` at event 2 (line 8)"
        ),
    ),
    # output
    "output, as named": (
        "{output: [hi, $limit]}",
        {"events": events("w print hi; main print 2")},
        passed(),
    ),
    "output, another line": (
        "{output: [hi, ho]}",
        {"events": events("w print hi; w print hi")},
        failed("output: line 2 is 'hi', not 'ho' (line 8)"),
    ),
    "output, too little": (
        "{output: [hi, ho]}",
        {"events": events("w print hi")},
        failed("output: line 2, 'ho', was not printed (line 8)"),
    ),
    "output, too much": (
        "{output: []}",
        {"events": events("w print hi")},
        failed("output: more was printed than expected: 'hi' (line 8)"),
    ),
    "output, a text of two lines": (
        r'{output: ["hi\nho", he]}',
        {"events": events("w print hi; w print ho\nhe")},
        passed(),
    ),
    "output of a run that deadlocks": ("{output: [hi], deadlock: possible}", STUCK, passed()),
    # outcomes
    "outcomes, listed": ("{outcomes: [{x: 0, n: []}, {x: 1, n: [1, 2]}]}", {}, passed()),
    "outcomes, not listed": (
        "{outcomes: [{x: 1, n: [2, 1]}]}",
        {},
        failed("outcomes: {'x': 1, 'n': [1, 2]} is not listed (line 8)"),
    ),
    "outcomes, by a param": ("{outcomes: [{x: $(limit - 1), n: [1, $limit]}]}", {}, passed()),
    "outcomes, a deadlock that is listed may be": (
        "{outcomes: [deadlock, {x: 1, n: [1, 2]}]}",
        STUCK,
        passed(),
    ),
    "outcomes, a timeout that is listed may be": ("{outcomes: [timeout]}", LATE, passed()),
    "outcomes, a deadlock that is listed and forbidden": (
        "{outcomes: [deadlock], deadlock: never}",
        STUCK,
        failed("the run ended by deadlock"),
    ),
    "outcomes, a deadlock that is not listed": (
        "{outcomes: [timeout], deadlock: possible}",
        STUCK,
        failed("outcomes: deadlock is not listed (line 8)"),
    ),
    # interrupted: nothing is decided but what went wrong before
    "interrupted": (
        "{always: ['False'], outcomes: [deadlock], deadlock: always, sometimes: ['True']}",
        CUT,
        unknown("the run was interrupted"),
    ),
    "interrupted after a failure": (
        "{order: [[a, b]]}",
        {**CUT, "events": events("w mark b; w mark a")},
        Verdict(
            "failed",
            ("order: mark `b` came before mark `a` (line 8)",),
            ("the run was interrupted",),
        ),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_row_holds_or_says_why_not(name):
    expect, happened, verdict = ROWS[name]
    assert judged(expect, **happened).verdict == verdict


OUTCOMES = {
    "completed": ({"x": 1, "n": [1, 2]}, {}),
    "deadlock": ("deadlock", STUCK),
    "timeout": ("timeout", LATE),
    "interrupted": (None, CUT),
}


@pytest.mark.parametrize("end", OUTCOMES)
def test_the_outcome_of_a_run_that_did_not_complete_is_its_end_alone(end):
    outcome, happened = OUTCOMES[end]
    assert judged("{}", **happened).outcome == outcome


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("w.x", 1),
        ("w.exitcode", 0),
        ("w.error", None),
        ("w.pid", 12),
        ("w.name", "Worker"),
        ("main.name", "MainProcess"),
        ("r[1].name", "r[1]"),
        ("r[-1].n", 2),
        ("main.y", None),
        ("output", ["hi"]),
        ("limit", 2),
    ],
)
def test_what_an_outcome_may_ask(expression, value):
    text = SCENARIO.replace("outcome: {x: w.x,", f'outcome: {{x: "{expression}",')
    trace = judged("{}", "w begin 12; w print hi", scenario=text)
    assert (trace.verdict, trace.outcome["x"]) == (passed(), value)


def test_what_is_expected_may_use_the_outcome_s_own_keys():
    assert judged("{always: [x == 1, 'n == [1, 2]']}").verdict == passed()


def test_an_outcome_that_cannot_be_worked_out_fails_and_is_null():
    text = SCENARIO.replace("outcome: {x: w.x,", 'outcome: {x: "1 // (w.x - 1)",')
    trace = judged("{always: [x == None]}", scenario=text)
    assert trace.outcome == {"x": None, "n": [1, 2]}
    assert trace.verdict == failed(
        "outcome: `x` cannot be worked out: "
        "ZeroDivisionError: integer division or modulo by zero (line 7)"
    )


def test_a_listed_outcome_equals_a_tuple_and_a_set_that_have_its_members():
    text = SCENARIO.replace("outcome: {x: w.x,", 'outcome: {x: "(set([10, 9]), (1,))",')
    trace = judged("{outcomes: [{x: [[9, 10], [1]], n: [1, 2]}]}", scenario=text)
    assert trace.verdict == passed()


def test_a_listed_outcome_may_be_what_json_has_not():
    text = SCENARIO.replace("outcome: {x: w.x,", "outcome: {x: \"(float('nan'), w.x)\",")
    trace = judged("{outcomes: [{x: [.nan, 1], n: [1, 2]}]}", scenario=text)
    assert trace.verdict == passed()


def test_a_variable_that_a_process_never_set_is_null():
    trace = judged("{always: [w.x == None]}", variables={"w": {}, "r[0]": {}, "r[1]": {}})
    assert trace.verdict == passed()


def test_a_long_condition_and_long_values_are_cut_in_messages():
    condition = " and ".join(["w.x == 1"] * 30) + " and not w.x"
    (told,) = judged(
        f"{{always: [{condition}]}}", variables={"w": {"x": "y" * 500}}
    ).verdict.failures
    assert told == f"always: `{condition[:200]}…` is false (line 8): w.x = 'yyy{'y' * 76}…"


def test_a_condition_of_several_lines_is_told_on_one():
    (told,) = judged("{always: ['w.x\n    ==  2']}").verdict.failures
    assert told == "always: `w.x == 2` is false (line 8): w.x = 1"


def test_a_name_alone_is_a_key_of_the_outcome_and_with_an_attribute_a_process():
    text = """\
mpflow: 1
processes: {a: {actions: [{let: {x: 1}}]}}
outcome: {a: a.x, b: a + 1}
expect: {always: [a == 1, a.x == 1, b == 2], never: [a == 1]}
"""
    trace = api.run(api.loads(text).scenarios[0], quiet=True)
    assert trace.outcome == {"a": 1, "b": 2}
    assert trace.verdict.failures == ("never: `a == 1` is true (line 4): a = 1",)
