"""Each operation of what is made of other primitives does what CPython does, errors and all."""

from __future__ import annotations

import pytest
from conftest import event

# What one process does to x, and what each step leaves in its trace: result, or the error's type.
STEPS = {
    "condition": (
        "condition",
        [
            ("wait: x", "AssertionError"),
            ("notify: x", "AssertionError"),
            ("notify_all: x", "AssertionError"),
            ("release: x", "AssertionError"),
            ("acquire: x", True),
            ("wait: {for: x, timeout: 0.01}", False),
            ("notify: {condition: x, n: 3}", None),
            ("notify_all: x", None),
            ("acquire: {lock: x, block: false}", True),
            ("wait: {for: x, timeout: -1}", False),
            ("release: x", None),
            ("release: x", None),
            ("release: x", "AssertionError"),
        ],
    ),
    "barrier": (
        "{type: barrier, parties: 1}",
        [
            ("wait: x", 0),
            ("wait: {for: x, timeout: 1}", 0),
            ("abort: x", None),
            ("wait: x", "BrokenBarrierError"),
            ("reset: x", None),
            ("wait: x", 0),
        ],
    ),
    "a barrier of two": (
        "{type: barrier, parties: 2}",
        [
            ("wait: {for: x, timeout: 0.01}", "BrokenBarrierError"),
            ("wait: x", "BrokenBarrierError"),
        ],
    ),
    "joinable_queue": (
        "joinable_queue",
        [
            ("join: x", None),
            ("task_done: x", "ValueError"),
            ("put: {value: 1, to: x}", None),
            ("task_done: x", None),
            ("join: x", None),
            ("get: x", 1),
            ("qsize: x", 0),
            ("get: {from: x, timeout: 0.01}", "Empty"),
            ("close: x", None),
            ("put: {value: 1, to: x}", "ValueError"),
        ],
    ),
    "simple_queue": (
        "simple_queue",
        [
            ("empty: x", True),
            ("put: {value: [1], to: x}", None),
            ("empty: x", False),
            ("get: x", [1]),
            ("close: x", None),
            ("put: {value: 1, to: x}", "OSError"),
        ],
    ),
    "value": (
        "{type: value, typecode: b, initial: 200}",
        [
            ("load: x", -56),
            ("store: {value: -129, to: x}", None),
            ("load: x", 127),
            ("store: {value: text, to: x}", "TypeError"),
            ("acquire: x", True),
            ("acquire: {lock: x, timeout: 0.01}", True),
            ("load: x", 127),
            ("release: x", None),
            ("release: x", None),
            ("release: x", "AssertionError"),
        ],
    ),
    "a value with a number": (
        "{type: value, typecode: d, initial: 0.5}",
        [("load: x", 0.5), ("store: {value: 1, to: x}", None), ("load: x", 1.0)],
    ),
    "a value without a lock": (
        "{type: value, lock: false}",
        [("load: x", 0), ("store: {value: 5, to: x}", None), ("load: x", 5)],
    ),
    "array": (
        "{type: array, initial: [1, 2, 3]}",
        [
            ("load: {from: x, at: 0}", 1),
            ("load: {from: x, at: -1}", 3),
            ("load: {from: x, at: 3}", "IndexError"),
            ("store: {value: 9, to: x, at: 1}", None),
            ("store: {value: 9, to: x, at: -4}", "IndexError"),
            ("store: {value: 0.5, to: x, at: 1}", "TypeError"),
            ("load: {from: x, at: 1}", 9),
            ("with: {lock: x, do: [{load: {from: x, at: 1}}]}", None),
        ],
    ),
    "an array of numbers, all zero": (
        "{type: array, typecode: d, size: 2, lock: false}",
        [("load: {from: x, at: 1}", 0.0), ("store: {value: 1, to: x, at: 1}", None)],
    ),
    "manager_value": (
        "{type: manager_value, initial: [1]}",
        [("load: x", [1]), ("store: {value: text, to: x}", None), ("load: x", "text")],
    ),
    "manager_list": (
        "{type: manager_list, initial: [1]}",
        [
            ("append: {value: 2, to: x}", None),
            ("load: x", [1, 2]),
            ("load: {from: x, at: -1}", 2),
            ("load: {from: x, at: 5}", "IndexError"),
            ("store: {value: 7, to: x, at: 0}", None),
            ("length: x", 2),
            ("invoke: {on: x, method: index, args: [7]}", 0),
            ("pop: x", 2),
            ("pop: {from: x, at: 0}", 7),
            ("pop: x", "IndexError"),
            ("delete: {from: x, at: 0}", "IndexError"),
            ("invoke: {on: x, method: nothing}", "RemoteError"),
        ],
    ),
    "manager_dict": (
        "{type: manager_dict, initial: {a: 1}}",
        [
            ("load: {from: x, at: a}", 1),
            ("load: {from: x, at: b}", "KeyError"),
            ("store: {value: 2, to: x, at: b}", None),
            ("load: x", {"a": 1, "b": 2}),
            ("length: x", 2),
            ("pop: {from: x, at: a}", 1),
            ("delete: {from: x, at: b}", None),
            ("delete: {from: x, at: b}", "KeyError"),
            ("invoke: {on: x, method: setdefault, args: [c, 3]}", 3),
        ],
    ),
    "shared_memory": (
        "{type: shared_memory, size: 4}",
        [
            ("load: x", "bytes(4)"),
            ("store: {value: hi, to: x, at: 1}", None),
            ("store: {value: $(b'!'), to: x}", None),
            ("store: {value: 65, to: x, at: 3}", None),
            ("store: {value: 256, to: x, at: 3}", "ValueError"),
            ("load: {from: x, at: 0, size: 3}", "b'!hi'"),
            ("store: {value: too long, to: x}", "ValueError"),
            ("close: x", None),
            ("load: x", "TypeError"),
            ("unlink: x", None),
            ("unlink: x", "FileNotFoundError"),
        ],
    ),
    "bytes on a pipe": (
        "pipe",
        [
            ("send_bytes: {value: text, to: x.conn1}", None),
            ("recv_bytes: x.conn2", "b'text'"),
            ("send_bytes: {value: $(b'abc'), to: x.conn2}", None),
            ("wait_any: {for: [x.conn1, x.conn2]}", ["x.conn1"]),
            ("recv_bytes: {from: x.conn1, maxlength: 2}", "OSError"),
            ("recv_bytes: x.conn1", "OSError"),
            ("wait_any: {for: [x.conn2], timeout: 0}", []),
            ("send_bytes: {value: 5, to: x.conn2}", "TypeError"),
        ],
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_each_step_gives_what_cpython_gives(name, run, method):
    declared, steps = STEPS[name]
    tried = [f"{{try: {{do: [{{{step}}}], except: {{Exception: [pass]}}}}}}" for step, _ in steps]
    actions = "\n".join(f"      - {each}" for each in tried)
    text = f"primitives: {{x: {declared}}}\nprocesses:\n  p:\n    actions:\n{actions}\n"
    trace = run(text, method)
    found = [e for e in trace.events if e.process == "p" and e.action not in ("begin", "end")]
    if name == "array":
        found = [e for e in found if e.action not in ("acquire", "release")]
        steps = [*steps[:-1], ("load", 9)]
    got = [e.error[0] if e.error else e.result for e in found]
    expected = [eval(w) if str(w).startswith(("b'", "bytes")) else w for _, w in steps]
    assert got == expected
    assert (trace.end, trace.verdict.failures) == ("completed", ())


# What a dead or stopped process leaves behind: main's last step hangs, and the report says why.
LEFT = {
    "a waiter killed in its wait": (
        "{c: condition, e: event}",
        "[{acquire: c}, {set: e}, {wait: c}]",
        "[{wait: e}, {acquire: c}, {kill: p}, {join: p}, {notify: c}]",
        "it waits until `p` is awake, which was killed in its wait",
    ),
    "a waiter killed in an event's wait": (
        "{c: event, e: semaphore}",
        "[{acquire: e}, {wait: c}]",
        "[{sleep: 0.3}, {kill: p}, {join: p}, {set: c}]",
        "it waits until `p` is awake, which was killed in its wait",
    ),
    "a barrier that one is missing at": (
        "{c: {type: barrier, parties: 3}}",
        "[{wait: c}]",
        "[{wait: c}]",
        "2 of 3 have come",
    ),
    "a task that is not done": (
        "{c: joinable_queue}",
        "[{get: c}]",
        "[{put: {value: 1, to: c}}, {join: p}, {join: c}]",
        "1 of what was put is not done: `task_done` is missing",
    ),
    "a value whose holder crashed": (
        "{c: value}",
        "[{acquire: c}, crash]",
        "[{join: p}, {acquire: c}]",
        "`p` took it at line 4 and ended without release",
    ),
    "a wait that cannot have its lock again": (
        "{c: condition, e: event}",
        "[{wait: e}, {acquire: c}, crash]",
        "[{acquire: c}, {set: e}, {wait: {for: c, timeout: 0.1}}]",
        "nobody who could `notify` can go on",
    ),
    "a reader that was killed in its get": (
        "{c: queue, e: semaphore}",
        "[{acquire: e}, {get: c}]",
        "[{sleep: 0.3}, {kill: p}, {join: p}, {put: {value: 1, to: c}}, {get: c}]",
        "`p` died in a `get`: the lock of those who get may be gone with it",
    ),
    "a joiner that was killed in its join": (
        "{c: joinable_queue}",
        "[{put: {value: 1, to: c}}, {join: c}]",
        "[{get: c}, {sleep: 0.3}, {kill: p}, {join: p}, {task_done: c}]",
        "`p` died in its `join` at line 4: a `task_done` waits until it is awake",
    ),
    "one that did not wait for its feeder thread": (
        "{c: queue}",
        "[{cancel_join_thread: c}, {put: {value: $('x' * 200_000), to: c}}]",
        "[{join: p}, {get: c}]",
        "nobody who could `put` can go on; `p` ended without waiting for its feeder thread: what it"
        " put may be lost, or half of it in the pipe",
    ),
    "one that left its feeder thread": (
        "{c: queue}",
        "[{put: {value: 1, to: c}}, {put: {value: $('x' * 200_000), to: c}}, {os_exit: 0}]",
        "[{join: p}, {try: {do: [{get: {from: c, timeout: 0.3}}], except: {Exception: [pass]}}},"
        " {get: c}]",
        "nobody who could `put` can go on; `p` ended without waiting for its feeder thread: what it"
        " put may be lost, or half of it in the pipe",
    ),
    "one killed when all that it put was taken": (
        "{c: queue, e: semaphore}",
        "[{put: {value: 1, to: c}}, {acquire: e}, {acquire: e}]",
        "[{get: c}, {kill: p}, {join: p}, {get: c}]",
        "nobody who could `put` can go on",
    ),
    "half of a message": (
        "{c: pipe}",
        "[{send: {value: $('x' * 1_000_000), to: c.conn1}}]",
        "[{sleep: 0.3}, {kill: p}, {join: p}, {recv: c.conn2}]",
        "nobody who could `send` can go on; `p` died in its `send` at line 4: half of its message"
        " may be in the pipe",
    ),
    "half of a message that was seen": (
        "{c: pipe}",
        "[{send: {value: $('x' * 1_000_000), to: c.conn1}}]",
        "[{poll: {from: c.conn2, timeout: null}}, {sleep: 0.3}, {kill: p}, {join: p},"
        " {recv: c.conn2}]",
        "nobody who could `send` can go on; `p` was killed in or after its `send` at line 4: half"
        " of its message may be in the pipe",
    ),
    "half of an item": (
        "{c: simple_queue}",
        "[{put: {value: $('x' * 1_000_000), to: c}}]",
        "[{sleep: 0.3}, {suspend: p}, {get: c}]",
        "nobody who could `put` can go on; `p` was suspended in its `put` at line 4: half of its"
        " message may be in the pipe",
    ),
    "a signal that nobody gives": (
        "{c: {type: semaphore, value: 0}, e: event}",
        "[{release: c}]",
        "[{acquire: c}, {acquire: c}]",
        "nobody who could `release` can go on",
    ),
    "ends that nothing comes from": (
        "{c: pipe, e: pipe}",
        "[pass]",
        "[{wait_any: {for: [c.conn1, e.conn2]}}]",
        "none of c.conn1, e.conn2 gets ready",
    ),
    "a value whose holder left": (
        "{c: value}",
        "[{acquire: c}, {os_exit: 0}]",
        "[{join: p}, {load: c}]",
        "`p` took it at line 4 and ended without release",
    ),
    "one suspended before it began": (
        "{c: event}",
        "[{sleep: 0.3}]",
        "[{suspend: p}, {join: p}]",
        "`p` has not ended: it was suspended at line 5",
    ),
    "a wait beside an idle pool": (
        "{c: event, e: {type: pool, workers: 1}}",
        "[pass]",
        "[{apply: {pool: e, function: 'math:sqrt', args: [4]}}, {wait: c}]",
        "nobody who could `set` can go on",
    ),
    "a process that was suspended": (
        "{c: event}",
        "[{set: c}, {sleep: 0.3}]",
        "[{wait: c}, {sleep: 0.1}, {suspend: p}, {join: p}]",
        "`p` has not ended: it was suspended at line 5",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_report_says_what_a_dead_process_left_behind(name, run):
    primitives, child, main, reason = LEFT[name]
    trace = run(
        f"""primitives: {primitives}
processes:
  p: {{actions: {child}}}
main: [{{start: p}}, {main[1:]}
expect: {{deadlock: always, exitcode: {{p: [0, -9, null]}}}}
"""
    )
    assert trace.end == "deadlock"
    waits = {each["process"]: each["reason"] for each in trace.report["waits"]}
    assert waits["main"] == reason


@pytest.mark.parametrize(
    ("killed", "place"), [(True, "died in"), (False, "is in")], ids=["killed", "alive"]
)
def test_a_put_without_a_bound_waits_for_a_lock_never_for_a_get(killed, place, run):
    """A `task_done` has the own lock of its queue until all who join are awake: one is not."""
    trace = run(
        f"""primitives: {{q: joinable_queue}}
processes:
  a: {{actions: [{{join: q}}]}}
  b: {{actions: [{{task_done: q}}]}}
main:
  - put: {{value: 1, to: q}}
  - start: a
  - sleep: 0.3
  - suspend: a
  - start: b
  - sleep: 0.3
  - if: {{condition: {killed}, then: [{{kill: b}}, {{join: b}}]}}
  - put: {{value: 2, to: q}}
expect: {{deadlock: always, exitcode: {{a: null, b: [-9, null]}}}}
"""
    )
    assert trace.end == "deadlock"
    waits = {each["process"]: each["reason"] for each in trace.report["waits"]}
    has = "may not have given back" if killed else "may have"
    reason = f"`b` {place} its `task_done` at line 5: it {has} the own lock of `q`"
    assert waits["main"] == reason
    if not killed:
        asleep = "`a` was suspended in its `join` at line 4: a `task_done` waits until it is awake"
        assert waits["b"] == asleep


def test_a_signal_comes_before_what_it_does(run, method):
    """Its effect may be seen before os.kill is over, and is then older by the clock."""
    trace = run(
        """
        primitives: {s: {type: semaphore, value: 0}, never: event}
        processes:
          p:
            count: 4
            actions:
              - try:
                  do: [{release: s}, {wait: never}]
                  except: {KeyboardInterrupt: [{print: struck}]}
        main:
          - start: p
          - repeat: {times: 4, do: [{acquire: s}]}
          - sleep: 0.1
          - repeat: {times: 4, as: i, do: [{signal: {process: "p[$i]", signal: INT}}]}
          - join: p
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    for number in range(4):
        name = f"p[{number}]"
        sent = event(trace, "main", "signal", name)
        assert sent.seq < event(trace, name, "wait").seq
        assert sent.began < sent.t


def test_signals_reach_a_process_by_name_and_number(run, method):
    trace = run(
        """
        primitives: {e: event}
        processes: {p: {count: 3, actions: [{wait: e}]}}
        main:
          - start: p
          - signal: {process: "p[0]", signal: SIGUSR1}
          - signal: {process: "p[1]", signal: usr2}
          - signal: {process: "p[2]", signal: 15}
          - join: p
          - signal: {process: p, signal: TERM}
        expect: {exitcode: {"p[0]": -10, "p[1]": -12, "p[2]": -15}}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


@pytest.mark.parametrize("code", [2**31, -(2**31) - 1, 2**70])
def test_an_exit_code_that_c_cannot_hold_is_cut(code, run, method):
    """Under fork CPython's os._exit refuses it, and the child goes on in its parent's code."""
    text = f"""
    processes: {{p: {{actions: [{{exit: {code}}}]}}}}
    expect: {{exitcode: {{p: {code & 255}}}}}
    """
    trace = run(text, method)
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_an_interrupt_ends_a_process_as_python_says(run):
    trace = run(
        """
        primitives: {e: event, s: {type: semaphore, value: 0}}
        processes: {p: {actions: [{release: s}, {wait: e}]}}
        main:
          - start: p
          - acquire: s
          - sleep: 0.1
          - signal: {process: p, signal: INT}
          - join: p
        expect: {exitcode: {p: 1}, error: {p: KeyboardInterrupt}}
        """
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_what_was_suspended_goes_on_when_it_is_resumed(run, method):
    trace = run(
        """
        primitives: {e: event, q: queue}
        processes: {p: {actions: [{put: {value: 1, to: q}}, {wait: e}]}}
        main:
          - start: p
          - get: q
          - suspend: p
          - join: {process: p, timeout: 0.1, into: early}
          - resume: p
          - set: e
          - join: p
        expect: {always: [not main.early]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_a_crash_is_the_last_that_a_process_does(run, method):
    trace = run(
        """
        primitives: {l: lock}
        processes: {p: {actions: [{with: {lock: l, do: [crash]}}, {print: never}]}}
        main: [{start: p}, {join: p}, {acquire: {lock: l, block: false, into: free}}]
        expect: {exitcode: {p: -9}, output: [], always: [not main.free]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    assert event(trace, "p", "crash").status == "ok"


def test_wait_any_tells_ends_and_ended_processes(run, method):
    trace = run(
        """
        primitives: {a: pipe, b: pipe, e: event}
        processes:
          p: {actions: [{send: {value: 1, to: a.conn1}}, {wait: e}]}
          q: {actions: [{wait: e}]}
        main:
          - start: [p, q]
          - wait_any: {for: [a.conn2, b.conn2, p, q], into: first}
          - recv: a.conn2
          - wait_any: {for: [a.conn2, p], timeout: 0.01, into: none}
          - set: e
          - join: [p, q]
          - wait_any: {for: [p, a.conn2, q], into: last}
        expect:
          always:
            - main.first == ['a.conn2']
            - main.none == []
            # Python's fork server closes its end of a sentinel a moment after it has told the code.
            - main.last in (['p', 'q'], ['p'], ['q'])
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_a_wait_for_any_that_nobody_ends_is_a_deadlock(run):
    trace = run(
        """
        primitives: {a: pipe}
        processes: {p: {actions: [{recv: a.conn1}]}}
        main: [{start: p}, {wait_any: {for: [a.conn2, p]}}]
        expect: {deadlock: always}
        """
    )
    assert trace.end == "deadlock"


def test_conditions_share_a_declared_lock(run, method):
    trace = run(
        """
        primitives:
          guard: lock
          full: {type: condition, lock: guard}
          empty: {type: condition, lock: guard}
          held: {type: value, lock: guard}
        processes:
          giver:
            actions:
              - repeat:
                  times: 5
                  do:
                    - acquire: full
                    - let: {n: 1}
                    - wait: {for: empty, timeout: 0.001}
                    - notify: full
                    - release: guard
          taker:
            actions:
              - repeat:
                  times: 5
                  do:
                    - with:
                        lock: guard
                        do: [{wait: {for: full, timeout: 0.001}}, {notify: empty}]
                    - store: {value: 1, to: held}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    assert not [e for e in trace.events if "suspect" in e.extra]
