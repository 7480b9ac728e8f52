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
