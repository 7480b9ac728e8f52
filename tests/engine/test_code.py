"""Python code in a scenario: what it is handed, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def find_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_call_may_be_handed_primitives(run, method):
    trace = run(
        """
        primitives: {locks: {type: lock, count: 2}, q: queue}
        processes:
          p:
            actions:
              - call: {function: "inside:use", args: ["$(locks[1])", $q, 7]}
              - get: {from: q, into: x}
        """,
        method,
    )
    assert (trace.verdict.word, trace.variables["p"]["x"]) == ("passed", 7)


def test_a_timer_that_python_code_has_set_can_end_a_wait(run, method):
    trace = run(
        """
        primitives: {l: lock}
        processes:
          p:
            actions:
              - acquire: l
              - call: {function: "inside:alarm", args: [0.6]}
              - try: {do: [{acquire: l}], except: {TimeoutError: [{let: {x: 1}}]}}
        expect: {always: [p.x == 1]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.word) == ("completed", "passed")


def test_a_feeder_that_takes_its_time_is_no_deadlock(run, method):
    trace = run(
        """
        primitives: {q: queue}
        processes:
          puts: {actions: [{call: {function: "inside:Slow", into: x}}, {put: {value: $x, to: q}}]}
          gets: {actions: [{get: {from: q, into: x}}]}
        expect: {always: [gets.x == 7]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_a_process_killed_before_it_began_still_has_a_begin_and_an_end_in_order(run, method):
    trace = run(
        """
        processes: {w: {actions: [{sleep: 60}]}}
        main: [{start: w}, {kill: w}, {join: w}]
        expect: {exitcode: {w: -9}}
        """,
        method,
    )
    order = [(e.process, e.action) for e in trace.events if "w" in (e.process, e.on)]
    assert trace.verdict.word == "passed"
    assert order.index(("main", "start")) < order.index(("w", "begin"))
    assert order.index(("w", "end")) < order.index(("main", "join"))


def test_an_item_that_cannot_be_pickled_is_lost_and_the_next_one_is_got(run, method):
    trace = run(
        """
        primitives: {q: queue, got: event}
        processes:
          p:
            actions:
              - call: {function: "threading:Lock", into: lock}
              - put: {value: $lock, to: q}
              - put: {value: 1, to: q}
              - wait: got  # a feeder that meets an error while its process exits drops all
          c: {actions: [{get: {from: q, into: x}}, {set: got}]}
        outcome: {x: c.x}
        """,
        method,
    )
    assert (trace.end, trace.outcome) == ("completed", {"x": 1})
    assert [e for e in trace.events if "suspect" in e.extra] == []
