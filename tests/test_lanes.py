"""Counterexamples for people: lanes, the margin of the file, who waits for what. Whole outputs."""

from __future__ import annotations

from typing import Any

import pytest

from mpflow import api
from mpflow.model.check import check
from mpflow.model.story import PREEMPTION, SWITCH, Story, story
from mpflow.trace import Event
from mpflow.views import lanes, source_margin, style, summary
from mpflow.views.style import Style

PLAIN = Style(False)


def told(text: str, number: int = 0) -> tuple[Story, str, str]:
    """The story of a counterexample, its end, and the whole text of the scenario."""
    whole = "mpflow: 1\nstart_method: fork\n" + text
    loaded = api.loads(whole)
    assert loaded.problems == [], "\n".join(p.render() for p in loaded.problems)
    report = check(loaded.scenarios[0])
    violation = report.violations[number]
    found = story(loaded.scenarios[0], report.world, violation.schedule, violation.end)
    return found, violation.end, whole


def shown(text: str, columns: int | None = None, number: int = 0) -> str:
    """All that is shown of a counterexample."""
    found, end, _ = told(text, number)
    lines = [*lanes.lines(found, PLAIN, columns)]
    if end == "deadlock":
        lines += summary.deadlock(found.report, PLAIN, "f.yaml")
    elif end == "timeout":
        lines += summary.livelock(found.going, found.report, PLAIN, "f.yaml")
    return "\n" + "\n".join(lines) + "\n"


CROSS = """\
primitives: {left: lock, right: lock}
processes:
  ann:
    actions:
      - acquire: left
      - acquire: right
  bob:
    actions:
      - acquire: right
      - acquire: left
"""


def test_two_locks_in_opposite_order():
    assert (
        shown(CROSS)
        == """
     line  main       ann            bob
  1     5  start ann
  2     9  start bob
> 3     7             acquire left
! 4    11                            acquire right
x       5  join ann
x       8             acquire right
x      12                            acquire left
>   the one before cannot go on
!   a preemption: the one before could go on
x   never comes back
deadlock: nobody can go on
  main waits in join ann (f.yaml:5)
      `ann` has not ended
  ann waits in acquire right (f.yaml:8)
      `bob` holds it since line 11
  bob waits in acquire left (f.yaml:12)
      `ann` holds it since line 7
  the cycle: ann -> bob -> ann
"""
    )


def test_a_holder_that_dies():
    text = """\
primitives: {guard: lock}
processes:
  holder:
    actions:
      - acquire: guard
      - os_exit: 1
  waiter:
    actions:
      - acquire: guard
expect: {exitcode: {holder: 1}}
"""
    assert (
        shown(text)
        == """
     line  main          holder         waiter
  1     5  start holder
  2     9  start waiter
> 3    11                               acquire guard
  4                                     ends
x       5  join holder
x       7                acquire guard
>   the one before cannot go on
x   never comes back
deadlock: nobody can go on
  main waits in join holder (f.yaml:5)
      `holder` has not ended
  holder waits in acquire guard (f.yaml:7)
      `waiter` took it at line 11 and ended without release
"""
    )


PULSE = """\
primitives: {go: event}
processes:
  waiter:
    actions:
      - wait: {for: go, into: told}
  setter:
    actions:
      - set: go
      - clear: go
outcome: {told: waiter.told}
expect:
  outcomes: [{told: true}]
"""


def test_a_pulse_that_nobody_sees():
    assert (
        shown(PULSE)
        == """
     line  main          waiter   setter
  1     5  start waiter
  2     8  start setter
> 3    10                         set go
  4    11                         clear go
  5                               ends
x       5  join waiter
x       7                wait go
>   the one before cannot go on
x   never comes back
deadlock: nobody can go on
  main waits in join waiter (f.yaml:5)
      `waiter` has not ended
  waiter waits in wait go (f.yaml:7)
      nobody is left who will `set`; `setter` did it earlier (line 10)
"""
    )


def test_an_action_that_others_come_in_between_of_is_told_with_its_begin():
    assert (
        shown(PULSE, number=2)
        == """
      line  main          waiter          setter
   1     5  start waiter
   2     8  start setter
>        7                wait go …
>  3    10                                set go
   4    11                                clear go
   5                                      ends
>  6     7                wait go: False
   7                      ends
>  8     5  join waiter
   9     8  join setter
  10        ends
>   the one before cannot go on
…   begun; others come in between
"""
    )


KILLED = """\
primitives: {q: queue}
processes:
  reader:
    actions:
      - get: q
main:
  - start: reader
  - terminate: reader
  - join: reader
  - put: {value: 1, to: q}
  - get: q
expect: {exitcode: {reader: [0, -15]}}
"""


def test_feeder_threads_and_signals_are_in_the_lane_of_their_process_and_hidden():
    assert (
        shown(KILLED)
        == """
     line  main                    reader
  1     9  start reader
  2    10  terminate reader
> 3     7                          get q: cut short
  4                                (ends by SIGTERM)
> 5    11  join reader
  6    12  put q: 1
> 7        (1 into the pipe of q)
x      13  get q
>   the one before cannot go on
x   never comes back
( ) hidden: a feeder thread or a signal does it
deadlock: nobody can go on
  main waits in get q (f.yaml:13)
      it needs the lock that a `get` from `q` holds: `reader` took it in its `get` (line 7) and was killed without giving it back
"""  # noqa: E501
    )


PART = """\
primitives: {q: queue}
processes:
  p: {actions: [{cancel_join_thread: q}, {put: {value: "$('x' * 70000)", to: q}}]}
main:
  - start: p
  - join: p
  - try: {do: [{get: {from: q, timeout: 1}}], except: {Empty: [pass]}}
"""


def test_part_of_a_message_has_a_row_where_its_rest_never_comes():
    assert (
        shown(PART)
        == """
     line  main     p
  1     7  start p
> 2     5           cancel_join_thread q
  3     5           put q: xxxxxxxxxxxxxxxxxxxxxxxx…
! 4                 (part of xxxxxxxxxxxxxxxxxxxxxxxx… into
                    the pipe of q)
! 5                 ends
> 6     8  join p
x       9  get q
>   the one before cannot go on
!   a preemption: the one before could go on
x   never comes back
( ) hidden: a feeder thread or a signal does it
deadlock: nobody can go on
  main waits in get q (f.yaml:9)
      `p` ended with half of its message in the pipe of `q`: the rest never comes
"""
    )
    found, _, _ = told(PART)
    assert found.report["waits"][0]["holders"] == [{"process": "p", "line": None}]


def test_part_of_a_message_has_a_row_where_others_come_in_between():
    text = """\
primitives: {q: queue}
processes:
  p: {actions: [{put: {value: "$('x' * 20000)", to: q}}, {put: {value: "$('y' * 100000)", to: q}}]}
main: [{start: p}, {get: q}, {get: q}, {get: q}]
"""
    assert (
        shown(text, 110)
        == """
     line  main                              p
  1     6  start p
        6  get q …
> 2     5                                    put q: xxxxxxxxxxxxxxxxxxxxxxxx…
  3     5                                    put q: yyyyyyyyyyyyyyyyyyyyyyyy…
> 4                                          (xxxxxxxxxxxxxxxxxxxxxxxx… into the pipe
                                             of q)
  5                                          (part of yyyyyyyyyyyyyyyyyyyyyyyy… into
                                             the pipe of q)
> 6     6  get q: xxxxxxxxxxxxxxxxxxxxxxxx…
        6  get q …
> 7                                          (yyyyyyyyyyyyyyyyyyyyyyyy… into the pipe
                                             of q)
> 8     6  get q: yyyyyyyyyyyyyyyyyyyyyyyy…
        6  get q …
> 9                                          ends
x       6  get q
>   the one before cannot go on
x   never comes back
…   begun; others come in between
( ) hidden: a feeder thread or a signal does it
deadlock: nobody can go on
  main waits in get q (f.yaml:6)
      nobody is left who will `put`
"""
    )


SPIN = """\
primitives: {flag: value, done: event}
processes:
  spinner:
    actions:
      - load: {from: flag, into: x}
      - while:
          condition: x == 0
          do: [{load: {from: flag, into: x}}]
  sleeper:
    actions:
      - wait: done
"""


def test_a_livelock_is_a_loop_at_the_end_of_a_way():
    assert (
        shown(SPIN)
        == """
     line  main           spinner       sleeper
  1     5  start spinner
  2    11  start sleeper
>      13                               wait done …
> 3     7                 load flag: 0
   from here on, again and again:
  4    10                 load flag: 0
x       5  join spinner
x      13                               wait done
>   the one before cannot go on
x   never comes back
…   begun; others come in between
livelock: `spinner` goes round and round, and no way leads out of it
  main waits in join spinner (f.yaml:5)
      `spinner` has not ended
  sleeper waits in wait done (f.yaml:13)
      nobody is left who will `set`
"""
    )


def test_a_loop_without_any_action_has_a_row_for_who_goes_round():
    text = """\
processes:
  a: {actions: [{print: hi}, {repeat: {times: forever, do: [{let: {x: 1}}]}}]}
"""
    assert (
        shown(text)
        == """
     line  main     a
  1     4  start a
> 2     4           print: hi
   from here on, again and again:
  3     4           repeat
x       4  join a
>   the one before cannot go on
x   never comes back
livelock: `a` goes round and round, and no way leads out of it
  main waits in join a (f.yaml:4)
      `a` has not ended
"""
    )
    found, _, whole = told(text)
    *_, last = source_margin.lines(found, whole, PLAIN)
    assert last == "from 3 on, again and again"


def test_a_loop_of_two_shows_both_of_them_go_round():
    text = """\
primitives: {turn: value}
processes:
  a:
    actions:
      - while: {condition: "True", do: [{load: {from: turn, into: x}}]}
  b:
    actions:
      - while: {condition: "True", do: [{load: {from: turn, into: y}}]}
"""
    found, end, _ = told(text)
    assert (end, found.going) == ("timeout", ("a", "b"))
    assert found.loop is not None
    assert {row.event.process for row in found.rows[found.loop :] if row.number} == {"a", "b"}


def test_an_error_that_ends_a_process():
    text = """\
primitives: {q: queue}
processes:
  child:
    actions:
      - put: {value: one, to: q}
      - get: {from: q, block: false, into: x}
"""
    assert (
        shown(text)
        == """
     line  main         child
  1     5  start child
> 2     7               put q: one
  3     8               get q: Empty
> 4                     (one into the pipe of q)
> 5                     ends by Empty
> 6     5  join child
  7        ends
>   the one before cannot go on
( ) hidden: a feeder thread or a signal does it
"""
    )


PHILOSOPHERS = """\
params: {n: 3}
primitives: {forks: {type: lock, count: $n}}
processes:
  philosopher:
    count: $n
    actions:
      - acquire: forks[$index]
      - acquire: forks[$((index + 1) % n)]
"""


def test_lanes_that_are_too_wide_have_cells_of_several_lines_and_names_without_their_middle():
    found, _, _ = told(PHILOSOPHERS)
    lines = [*lanes.lines(found, PLAIN, 72)]
    assert (
        "\n" + "\n".join(lines) + "\n"
        == """
     line  main           philosopher[0]  philosopher[1]  philosopher[2]
  1     6  start
           philos…her[0]
  2     6  start
           philos…her[1]
  3     6  start
           philos…her[2]
> 4     9                 acquire
                          forks[0]
! 5     9                                                 acquire
                                                          forks[2]
> 6     9                                 acquire
                                          forks[1]
x       6  join
           philos…her[0]
x      10                 acquire
                          forks[1]
x      10                                 acquire
                                          forks[2]
x      10                                                 acquire
                                                          forks[0]
>   the one before cannot go on
!   a preemption: the one before could go on
x   never comes back
"""
    )


def test_where_lanes_would_be_too_narrow_there_is_a_list():
    found, _, _ = told(PHILOSOPHERS)
    lines = [*lanes.lines(found, PLAIN, 50)]
    assert (
        "\n" + "\n".join(lines) + "\n"
        == """
     line  process
  1     6  main            start philosopher[0]
  2     6  main            start philosopher[1]
  3     6  main            start philosopher[2]
> 4     9  philosopher[0]  acquire forks[0]
! 5     9  philosopher[2]  acquire forks[2]
> 6     9  philosopher[1]  acquire forks[1]
x       6  main            join philosopher[0]
x      10  philosopher[0]  acquire forks[1]
x      10  philosopher[1]  acquire forks[2]
x      10  philosopher[2]  acquire forks[0]
>   the one before cannot go on
!   a preemption: the one before could go on
x   never comes back
"""
    )


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(columns):
    for text in (CROSS, PULSE, KILLED, SPIN, PHILOSOPHERS):
        found, _, _ = told(text)
        assert max(map(style.width, lanes.lines(found, PLAIN, columns))) <= columns


def test_a_preemption_is_marked_otherwise_than_a_switch_that_had_to_be():
    found, _, _ = told(CROSS)
    switches = [(row.event.process, row.switch) for row in found.rows if row.switch]
    assert switches == [("ann", SWITCH), ("bob", PREEMPTION)]


def test_colours_say_the_same_again():
    found, _, _ = told(CROSS)
    coloured = list(lanes.lines(found, Style(True)))
    assert any(line.startswith("\033[31;1m!\033[0m 4") for line in coloured)
    assert any("\033[33macquire right\033[0m" in line for line in coloured)


def test_the_file_with_the_order_of_execution_in_its_margin():
    found, _, text = told(CROSS)
    lines = source_margin.lines(found, text, PLAIN)
    assert (
        "\n" + "\n".join(lines) + "\n"
        == """
           1 | mpflow: 1
           2 | start_method: fork
           3 | primitives: {left: lock, right: lock}
           4 | processes:
1 blocked  5 |   ann:
           6 |     actions:
3          7 |       - acquire: left
blocked    8 |       - acquire: right
2          9 |   bob:
          10 |     actions:
4         11 |       - acquire: right
blocked   12 |       - acquire: left
"""
    )


def test_a_line_that_several_processes_run_has_their_names_in_the_margin():
    found, _, text = told(PHILOSOPHERS)
    lines = list(source_margin.lines(found, text, PLAIN, 100))
    assert lines[8].split(" 9 |")[0].strip() == "philosopher[0] 4, philosopher[2] 5, phi…"


def test_the_margin_tells_where_a_loop_begins():
    found, _, text = told(SPIN)
    *_, last = source_margin.lines(found, text, PLAIN)
    assert last == "from 4 on, again and again"


def test_a_process_that_terminates_its_daemons_does_so_hidden():
    text = """\
processes:
  server: {daemon: true, actions: [{sleep: 100}]}
main: [{start: server}]
"""
    found, _, _ = told(text)
    hidden = [(row.event.process, lanes.told(row.event)) for row in found.rows if row.hidden]
    assert hidden == [("main", "terminate server"), ("server", "ends by SIGTERM")]


def event(action: str, **more: Any) -> Event:
    """An event of which little matters."""
    return Event(1, 0.0, "p", action, None, 1, None, None, "ok", None, 0.0)._replace(**more)


CELLS = {
    "acquire l": event("acquire", on="l", result=True),
    "acquire l: False": event("acquire", on="l", result=False),
    "wait e: True": event("wait", on="e", result=True),
    "put q: one": event("put", on="q", value="one"),
    "load a[2]: 7": event("load", on="a", result=7, extra={"at": 2}),
    "enter section cs": event("section", on="cs", extra={"phase": "enter"}),
    "get q: Empty": event("get", on="q", status="error", error=("Empty", "")),
    "ends": event("end", extra={"exitcode": 0}),
    "ends with exit code 3": event("end", extra={"exitcode": 3}),
    "ends by ValueError": event("end", extra={"exitcode": 1}, error=("ValueError", "x")),
    "ends by SIGKILL": event("end", extra={"exitcode": -9}),
    "7 into the pipe of q": event("feed", on="q", value=7),
    "part of 7 into the pipe of q": event("feed", on="q", value=7, extra={"part": True}),
    f"put q: {'x' * 24}…": event("put", on="q", value="x" * 1000),
}


@pytest.mark.parametrize("text", CELLS, ids=lambda text: text[:30])
def test_what_a_process_did_in_a_few_words(text):
    assert lanes.told(CELLS[text]) == text


# Why nobody goes on: what only the model knows


def why(text: str, process: str) -> str:
    """The reason why a process waits."""
    found, _, _ = told(text)
    return next(w["reason"] for w in found.report["waits"] if w["process"] == process)


WAITS = {
    "the lock inside a queue": (
        KILLED,
        "main",
        "it needs the lock that a `get` from `q` holds: `reader` took it in its `get` (line 7) and"
        " was killed without giving it back",
    ),
    "a pipe's end that is still open": (
        """\
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
processes:
  reader:
    actions: [{recv: link.r}]
main:
  - start: reader
  - close: link.w
  - join: reader
""",
        "reader",
        "nobody is left who will `send`; no end of file comes while `reader` has `link.w` open",
    ),
    "what a feeder thread cannot hand on": (
        """\
primitives: {q: queue}
processes:
  child:
    actions: [{put: {value: "$('x' * 100000)", to: q}}]
main:
  - start: child
  - join: child
  - get: q
""",
        "child",
        "it is at its end, but not all of what it put into `q` fits into the pipe, and only `main`"
        " could `get`, and cannot go on either",
    ),
    "half of a sender's message": (
        """\
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
processes:
  p: {actions: [{send: {value: "$('x' * 100000)", to: link.w}}]}
main:
  - start: p
  - poll: {from: link.r, timeout: null}
  - kill: p
  - join: p
  - recv: link.r
expect: {exitcode: {p: [0, -9]}}
""",
        "main",
        "`p` was killed in its `send` (line 5) with half of its message in the pipe `link`: the"
        " rest never comes; no end of file comes while `main` has `link.w` open",
    ),
    "half of a message, where others send on the same way": (
        """\
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}, e: event}
processes:
  p: {actions: [{send: {value: "$('x' * 100000)", to: link.w}}]}
  other: {actions: [{wait: e}, {send: {value: "$('x' * 20000)", to: link.w}}]}
main:
  - start: [p, other]
  - poll: {from: link.r, timeout: null}
  - suspend: p
  - recv: link.r
  - set: e
""",
        "main",
        "`p` was suspended in its `send` (line 5) with half of its message in the pipe `link`: the"
        " rest never comes; no end of file comes while `main` and `other` and `p` have `link.w`"
        " open",
    ),
    "half of a message in front of an item that cannot be written": (
        """\
primitives: {q: queue}
processes:
  p: {actions: [{put: {value: "$('x' * 100000)", to: q}}]}
main:
  - start: p
  - kill: p
  - join: p
  - put: {value: 1, to: q}
  - try: {do: [{get: {from: q, timeout: 1}}], except: {Empty: [pass]}}
expect: {exitcode: {p: -9}}
""",
        "main",
        "`p` was killed with half of its message in the pipe of `q`: the rest never comes; the"
        " feeder thread of `main` has an item for `q` and needs the lock for writing into the pipe"
        " of `q`: `p` took it as it fed the pipe and was killed without giving it back",
    ),
    "one that was suspended": (
        """\
primitives: {q: {type: queue, maxsize: 1}}
processes:
  p: {actions: [{put: {value: 1, to: q}}, {put: {value: 2, to: q}}]}
main: [{start: p}, {suspend: p}, {join: p}]
""",
        "p",
        "`main` suspended it at line 6, and nobody resumed it",
    ),
    "queues that are full": (
        """\
primitives: {one: {type: queue, maxsize: 1}, other: {type: queue, maxsize: 1}}
processes:
  a: {actions: [{put: {value: 1, to: one}}, {put: {value: 2, to: one}}, {get: other}]}
  b: {actions: [{put: {value: 1, to: other}}, {put: {value: 2, to: other}}, {get: one}]}
""",
        "a",
        "there is no room, and only `b` could `get`, and cannot go on either",
    ),
    "who is asleep at a pipe that has room again": (
        """\
primitives: {link: pipe, full: event, went_on: event}
processes:
  sender:
    actions:
      - repeat: {times: 13, do: [{send_bytes: {value: "$('x' * 16384)", to: link.conn2}}]}
      - set: full
      - send_bytes: {value: "$('x' * 16384)", to: link.conn2}
      - set: went_on
main:
  - start: sender
  - wait: full
  - repeat: {times: 9, do: [{recv_bytes: link.conn1}]}
  - wait: went_on
  - recv_bytes: link.conn1
""",
        "sender",
        "there is no room until three quarters of the pipe are free, and only `main` could"
        " `recv_bytes`, and cannot go on either",
    ),
    "a barrier": (
        """\
primitives: {b: {type: barrier, parties: 3}}
processes:
  p: {count: 2, actions: [{wait: b}]}
""",
        "p[0]",
        "2 of 3 have come, and nobody is left who will `wait`",
    ),
    "a semaphore that is a signal": (
        """\
primitives: {s: {type: semaphore, value: 0}}
processes:
  a: {actions: [{acquire: s}]}
""",
        "a",
        "nobody is left who will `release`",
    ),
    "items that are not done": (
        """\
primitives: {q: joinable_queue}
processes: {}
main: [{put: {value: 1, to: q}}, {get: q}, {join: q}]
""",
        "main",
        "nobody is left who will `task_done`",
    ),
    "one that was killed in its wait": (
        """\
primitives: {e: event}
processes:
  a: {actions: [{wait: e}]}
main: [{start: a}, {kill: a}, {join: a}, {set: e}]
expect: {exitcode: {a: -9}}
""",
        "main",
        "it needs the own lock of `e`: `a` took it in its `wait` (line 5) and was killed without"
        " giving it back",
    ),
}


@pytest.mark.parametrize("name", WAITS)
def test_the_reason_says_who_or_that_nobody(name):
    text, process, reason = WAITS[name]
    assert why(text, process) == reason
