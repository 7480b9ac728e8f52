"""However a run ends, it is told how, and no process stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import event, told

from mpflow import api
from mpflow.engine.launch import Host
from mpflow.engine.merge import Merge
from mpflow.program import compile_program

DEADLOCKS = {
    "two locks in opposite order": """
        primitives: {a: lock, b: lock, gate: {type: event, count: 2}}
        processes:
          p:
            actions:
              - acquire: a
              - set: gate[0]
              - wait: gate[1]
              - acquire: b
          q:
            actions:
              - acquire: b
              - set: gate[1]
              - wait: gate[0]
              - acquire: a
        """,
    "join before get with a big item": """
        primitives: {q: queue}
        processes: {w: {actions: [{put: {value: "$('x' * 100000)", to: q}}]}}
        main: [{start: w}, {join: w}, {get: q}]
        """,
    "get without put": "primitives: {q: queue}\nprocesses: {w: {actions: [{get: q}]}}",
    "main itself": "primitives: {a: lock}\nprocesses: {}\nmain: [{acquire: a}, {acquire: a}]",
    "main at its end, nobody takes": """
        primitives: {q: queue}
        processes: {}
        main: [{put: {value: "$('x' * 100000)", to: q}}]
        """,
    "a holder that is gone": """
        primitives: {a: lock, taken: event}
        processes:
          dies: {actions: [{acquire: a}, {set: taken}, {os_exit: 0}]}
          waits: {actions: [{wait: taken}, {acquire: a}]}
        """,
    "an orphan": """
        primitives: {q: queue, on: event}
        processes: {w: {actions: [{set: on}, {get: q}]}}
        main: [{start: w}, {wait: on}, {os_exit: 0}]
        """,
    "a full pipe": """
        primitives: {link: {type: pipe, duplex: false}}
        processes: {w: {actions: [{send: {value: "$('x' * 100000)", to: link.conn2}}]}}
        """,
    "a bounded queue": """
        primitives: {q: {type: queue, maxsize: 1}}
        processes: {w: {actions: [{put: {value: 1, to: q}}, {put: {value: 2, to: q}}]}}
        """,
    "a grandchild": """
        primitives: {e: event}
        processes: {p: {actions: [{start: c}, {join: c}]}, c: {actions: [{wait: e}]}}
        main: [{start: p}, {join: p}]
        """,
    "poll without a limit": """
        primitives: {link: pipe}
        processes: {w: {actions: [{poll: {from: link.conn1, timeout: null}}]}}
        """,
}


@pytest.mark.parametrize("name", DEADLOCKS)
def test_a_deadlock_is_found_without_any_time_limit(run, method, name):
    trace = run(DEADLOCKS[name], method, timeout=50)
    assert trace.end == "deadlock"
    assert trace.verdict.failures == ("the run ended by deadlock",)
    assert [e for e in trace.events if e.status == "blocked"]


CAN_GO_ON = {
    "a sleeper": """
        primitives: {e: event}
        processes: {w: {actions: [{wait: e}]}}
        main: [{start: w}, {sleep: 0.6}, {set: e}, {join: w}]
        """,
    "a pending timeout": """
        primitives: {a: lock, e: event}
        processes: {w: {actions: [{acquire: a}, {acquire: {lock: a, timeout: 0.6}}, {set: e}]}}
        main: [{start: w}, {wait: e}, {join: w}]
        """,
    "a timeout of a join": """
        primitives: {e: event}
        processes: {w: {actions: [{wait: e}]}}
        main: [{start: w}, {join: {process: w, timeout: 0.6}}, {set: e}, {join: w}]
        """,
    "Python code": """
        primitives: {e: event}
        processes: {w: {actions: [{wait: e}]}, c: {target: "time:sleep", args: [0.6]}}
        main: [{start: all}, {join: c}, {set: e}, {join: w}]
        """,
    "Python code that is called": """
        primitives: {e: event}
        processes: {w: {actions: [{wait: e}]}}
        main: [{start: w}, {call: {function: "time:sleep", args: [0.6]}}, {set: e}, {join: w}]
        """,
    "an item in a feeder": """
        primitives: {q: queue}
        processes:
          slow: {actions: [{sleep: 0.5}, {repeat: {times: 4, do: [{get: q}]}}]}
          puts: {actions: [{repeat: {times: 4, do: [{put: {value: "$('x' * 60000)", to: q}}]}}]}
        """,
}


@pytest.mark.parametrize("name", CAN_GO_ON)
def test_a_run_that_can_go_on_is_never_called_a_deadlock(run, method, name):
    trace = run(CAN_GO_ON[name], method)
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_the_report_names_who_waits_for_what_who_holds_it_and_the_cycle(run):
    report = run(DEADLOCKS["two locks in opposite order"]).report
    assert report is not None
    waits = {each["process"]: each for each in report["waits"]}
    assert waits["p"] == {
        "process": "p",
        "action": "acquire",
        "on": "b",
        "line": 10,
        "holders": [{"process": "q", "line": 13}],
        "reason": "`q` holds it since line 13",
    }
    assert waits["q"]["holders"] == [{"process": "p", "line": 7}]
    assert waits["main"]["reason"] == "`p` has not ended"
    assert sorted(report["cycle"]) == ["p", "q"]


def test_the_report_tells_of_a_holder_that_is_gone(run):
    report = run(DEADLOCKS["a holder that is gone"]).report
    assert report is not None
    (wait,) = [each for each in report["waits"] if each["process"] == "waits"]
    assert wait["reason"] == "`dies` took it at line 5 and ended without release"


def test_the_report_tells_of_items_that_nobody_takes(run):
    report = run(DEADLOCKS["join before get with a big item"]).report
    assert report is not None
    reasons = {each["process"]: each["reason"] for each in report["waits"]}
    assert reasons == {
        "main": "`w` has not ended",
        "w": "it is at its end, but what it put into `q` is not taken out",
    }


def test_a_run_that_never_ends_is_stopped_by_its_timeout(run, method):
    trace = run(
        """
        processes: {w: {actions: [{repeat: {times: forever, do: [pass]}}]}}
        expect: {timeout: always}
        """,
        method,
        timeout=1,
    )
    assert (trace.end, trace.outcome, trace.verdict.word) == ("timeout", "timeout", "passed")
    assert trace.exitcodes == {"main": None, "w": None}
    assert event(trace, "main", "join").status == "blocked"
    assert told(trace, "w")[-1] == ("end", None, "ok")


SLEEPER = """
mpflow: 1
start_method: METHOD
processes:
  w: {count: 2, actions: [{print: up}, {sleep: 100}]}
"""


def _sleeper(tmp_path, method: str, *options: str) -> subprocess.Popen[str]:
    """A running command whose two workers have said that they are up."""
    path = tmp_path / "sleeper.yaml"
    path.write_text(SLEEPER.replace("METHOD", method))
    command = [sys.executable, "-m", "mpflow", "run", str(path), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_its_trace_and_exits_130(tmp_path, method, number):
    trace = tmp_path / "trace.jsonl"
    process = _sleeper(tmp_path, method, "--trace", str(trace))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "interrupted after" in out
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert lines[-1]["end"] == "interrupted"
    sleeping = [e for e in lines if e.get("action") == "sleep"]
    assert {(e["process"], e["status"]) for e in sleeping} <= {
        ("w[0]", "blocked"),
        ("w[1]", "blocked"),
    }


def test_kill_9_on_the_command_leaves_no_orphan(tmp_path, method):
    process = _sleeper(tmp_path, method)
    process.kill()
    process.communicate(timeout=30)  # ends only when no worker holds its output any more
    assert process.returncode == -9


def test_kill_9_on_the_host_ends_the_run_with_a_message(tmp_path, method):
    process = _sleeper(tmp_path, method)
    (host,) = _children(process.pid)
    os.kill(host, signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "the process that hosts the run has died" in err


def _children(pid: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stream:
                fields = stream.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(name))
    return found


def test_a_run_may_be_made_from_any_thread(run):
    """As in a notebook or under a test runner: nothing depends on the main thread."""
    found = []
    text = "processes: {w: {actions: [{print: hello}]}}"
    thread = threading.Thread(target=lambda: found.append(run(text).output))
    thread.start()
    thread.join(30)
    assert found == [["hello"]]


def test_a_primitive_that_cannot_be_made_ends_main_with_python_s_error():
    (scenario,) = api.loads("mpflow: 1\nprocesses: {}\nmain: [pass]").scenarios
    program = compile_program(scenario, seed=1)
    host = Host()
    try:
        host.begin(program._replace(primitives=(("s", "semaphore", {"value": -1}),)), 50, True)
        merged = Merge(host.finish(), program)
    finally:
        host.close()
    assert (merged.exitcodes, merged.errors) == ({"main": 1}, {"main": "OSError"})
