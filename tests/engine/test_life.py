"""Processes begin, end and are joined as Python's own do, under every start method."""

from __future__ import annotations

import pytest
from conftest import told


def test_the_default_main_starts_and_joins_every_process_in_the_order_declared(run, method):
    trace = run("processes: {a: {actions: [pass]}, b: {count: 2, actions: [pass]}}", method)
    assert told(trace, "main") == [
        ("begin", None, "ok"),
        ("start", "a", "ok"),
        ("start", "b[0]", "ok"),
        ("start", "b[1]", "ok"),
        ("join", "a", "ok"),
        ("join", "b[0]", "ok"),
        ("join", "b[1]", "ok"),
        ("end", None, "ok"),
    ]
    assert trace.verdict.word == "passed"
    assert trace.exitcodes == {"main": 0, "a": 0, "b[0]": 0, "b[1]": 0}


EXITS = [
    ("pass", 0, None),
    ("return", 0, None),
    ("exit", 0, None),
    ("exit: 3", 3, None),
    ("exit: 256", 0, None),
    ("exit: -1", 255, None),
    ("exit: true", 1, None),
    ("exit: some words", 1, None),
    ("os_exit", 0, None),
    ("os_exit: 7", 7, None),
    ("raise: {error: KeyError, message: k}", 1, "KeyError"),
    ("raise: Empty", 1, "Empty"),
    ("assert: 1 > 2", 1, "AssertionError"),
    ("print: $(1 // 0)", 1, "ZeroDivisionError"),
]


def test_every_way_to_end_gives_python_s_exit_code(run, method):
    lines = [f"p{i}: {{actions: [{{{do}}}]}}" for i, (do, _, _) in enumerate(EXITS) if ":" in do]
    lines += [f"p{i}: {{actions: [{do}]}}" for i, (do, _, _) in enumerate(EXITS) if ":" not in do]
    trace = run("processes:\n" + "".join(f"  {line}\n" for line in lines), method)
    codes = {f"p{i}": code for i, (_, code, _) in enumerate(EXITS)}
    errors = {f"p{i}": error for i, (_, _, error) in enumerate(EXITS)}
    assert {**trace.exitcodes, "main": 0} == {"main": 0, **codes}
    assert {**trace.errors, "main": None} == {"main": None, **errors}


@pytest.mark.parametrize(("do", "code", "error"), EXITS)
def test_main_ends_like_any_other_process(run, do, code, error):
    trace = run(f"processes: {{}}\nmain:\n  - {do}")
    assert trace.end == "completed"
    assert (trace.exitcodes["main"], trace.errors["main"]) == (code, error)


def test_terminate_and_kill_show_as_negative_exit_codes(run, method):
    trace = run(
        """
        primitives: {ready: {type: semaphore, value: 0}}
        processes:
          t: {actions: [{release: ready}, {sleep: 60}]}
          k: {actions: [{release: ready}, {sleep: 60}]}
        main:
          - start: all
          - acquire: ready
          - acquire: ready
          - terminate: t
          - kill: k
          - join: all
        expect: {exitcode: {t: -15, k: -9}}
        """,
        method,
    )
    assert trace.verdict.word == "passed"
    assert told(trace, "t")[-1] == told(trace, "k")[-1] == ("end", None, "ok")


def test_a_daemon_is_terminated_when_main_ends(run, method):
    trace = run(
        "processes: {d: {daemon: true, actions: [{sleep: 60}]}}\nmain: [{start: d}]", method
    )
    assert (trace.end, trace.exitcodes) == ("completed", {"main": 0, "d": -15})


def test_a_child_that_is_no_daemon_is_waited_for_at_main_s_end(run, method):
    trace = run(
        """
        primitives: {go: event}
        processes: {w: {actions: [{wait: go}, {print: late}]}}
        main: [{start: w}, {set: go}]
        """,
        method,
    )
    assert (trace.end, trace.output, trace.exitcodes["w"]) == ("completed", ["late"], 0)


def test_orphans_of_a_main_that_left_at_once_run_on_to_their_end(run, method):
    trace = run(
        """
        primitives: {on: event}
        processes: {w: {actions: [{set: on}, {sleep: 0.2}, {print: still here}]}}
        main: [{start: w}, {wait: on}, {os_exit: 0}]
        """,
        method,
    )
    assert (trace.end, trace.output) == ("completed", ["still here"])
    assert trace.exitcodes == {"main": 0, "w": 0}


def test_children_of_children_are_started_joined_and_named_by_their_parent_alone(run, method):
    trace = run(
        """
        primitives: {q: queue}
        processes:
          parent: {actions: [{start: child}, {active_children: names}, {join: child}]}
          child: {actions: [{put: {value: 1, to: q}}, {get: q}]}
        main: [{start: parent}, {join: parent}, {active_children: names}]
        """,
        method,
    )
    assert trace.verdict.word == "passed"
    assert trace.variables["parent"]["names"] == ["child"]
    assert trace.variables["main"]["names"] == []


def test_exceptions_pass_through_with_and_finally_as_in_python(run):
    trace = run(
        """
        primitives: {a: lock}
        processes:
          p:
            actions:
              - try:
                  do:
                    - with: {lock: a, do: [{raise: {error: KeyError, message: why}}]}
                  except:
                    LookupError:
                      - print: "$(error.type) $(error.message)"
                      - try:
                          do: [{raise: ValueError}]
                          except: {ValueError: [{print: "inner $(error.type)"}]}
                      - print: "outer $(error.type)"
                  else: [{print: never}]
                  finally: [{print: finally}]
              - repeat:
                  times: 3
                  as: i
                  do:
                    - try:
                        do: [{if: {condition: i == 1, then: [break]}}, continue]
                        finally: [{print: "turn $i"}]
              - with: {lock: a, do: [return]}
              - print: never
        """
    )
    lines = ["KeyError 'why'", "inner ValueError", "outer KeyError", "finally", "turn 0", "turn 1"]
    assert trace.output == lines
    assert told(trace, "p")[-3:-1] == [("return", None, "ok"), ("release", "a", "ok")]


def test_misuse_gives_python_s_own_errors(run, method):
    trace = run(
        """
        primitives:
          {a: lock, r: rlock, s: bounded_semaphore, p: {type: pipe, duplex: false}, q: queue}
        processes:
          w: {actions: [pass]}
          x:
            actions:
              - try: {do: [{release: a}], except: {ValueError: [{print: $(error.message)}]}}
              - try: {do: [{release: r}], except: {AssertionError: [{print: $(error.message)}]}}
              - try: {do: [{release: s}], except: {ValueError: [{print: $(error.message)}]}}
              - try:
                  do: [{send: {value: 1, to: p.conn1}}]
                  except: {OSError: [{print: $(error.message)}]}
              - try: {do: [{join: w}], except: {AssertionError: [{print: $(error.message)}]}}
              - try: {do: [{join_thread: q}], except: {AssertionError: [{print: nothing closed}]}}
              - close: q
              - try: {do: [{put: {value: 1, to: q}}], except: {ValueError: [{print: closed}]}}
              - close: p.conn1
              - try: {do: [{recv: p.conn1}], except: {OSError: [{print: $(error.message)}]}}
        main:
          - start: all
          - join: all
          - try: {do: [{start: w}], except: {AssertionError: [{print: $(error.message)}]}}
        """,
        method,
    )
    assert trace.output[-1] == "cannot start a process twice"
    over = "semaphore or lock released too many times"
    assert [line for line in trace.output if line != "nothing closed"][:-1] == [
        over,
        "attempt to release recursive lock not owned by thread",
        over,
        "connection is read-only",
        "can only join a child process",
        "closed",
        "handle is closed",
    ]


def test_what_a_spawned_process_does_not_name_it_does_not_hold(run):
    """A reader sees the end of file: under spawn no other copy of the writing end is alive."""
    text = """
        primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
        processes:
          reader: {actions: [{recv: {from: link.r, into: x}}, {recv: link.r}]}
          writer: {actions: [{send: {value: 1, to: link.w}}]}
        main: [{start: all}, {close: link.w}, {join: writer}, {join: reader}]
        expect: {error: {reader: EOFError}}
        """
    assert run(text, "spawn").verdict.word == "passed"
    assert run(text, "fork").end == "deadlock"  # the reader inherited the writing end, too


def test_choose_draws_the_same_for_the_same_seed(run):
    text = """
        processes:
          p:
            actions:
              - repeat: {times: 20, do: [{choose: {from: [1, 2, 3], into: x}}, {print: $x}]}
        """
    first, again, other = (run(text, seed=seed).output for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert set(first) == {"1", "2", "3"}


def test_a_process_is_seen_by_the_system_under_its_name(run, method):
    trace = run(
        """
        processes:
          w: {count: 2, name: Worker-$(index + 1), actions: [{let: {seen: $(self.name)}}]}
          plain: {actions: [{let: {seen: $(self.name)}}]}
        """,
        method,
    )
    seen = {name: variables.get("seen") for name, variables in trace.variables.items()}
    assert seen == {"main": None, "w[0]": "Worker-1", "w[1]": "Worker-2", "plain": "plain"}


def test_os_exit_with_a_code_that_it_does_not_take_is_its_error_alone(run):
    trace = run(
        """
        processes:
          p:
            vars: {code: abc}
            actions:
              - try:
                  do: [{os_exit: $code}]
                  except: {TypeError: [pass]}
        """
    )
    assert told(trace, "p")[1:-1] == [("os_exit", None, "error")]
    assert trace.exitcodes["p"] == 0
