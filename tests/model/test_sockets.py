"""A pipe with two directions is a socket: how much fits into it, and when a sender who has found no
room goes on. Each number was seen on real processes (Linux 6.18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.test_models import outcomes, same
from model.test_simulate import accepted
from mpflow import api
from mpflow.model.simulate import from_token, schedule_token, simulate

SCENARIO = Path(__file__).parents[2] / "scenarios/bugs/full_pipe_asleep.yaml"

FILLED = """
primitives: {{link: pipe}}
processes: {{}}
main:
  - repeat:
      times: {times}
      do: [{{send_bytes: {{value: "$('x' * {size})", to: link.conn2}}}}]
outcome: {{o: main.exitcode}}
"""


@pytest.mark.parametrize(
    ("size", "fit"),
    [
        *[(1, 278), (188, 278), (189, 167), (700, 167), (1000, 93), (4092, 44), (8000, 24)],
        *[(16384, 13), (16385, 12), (17000, 12), (18000, 11), (20000, 10), (22000, 10)],
        *[(30000, 7), (36544, 6), (36545, 5), (70000, 3), (100000, 2), (219264, 1), (219265, 0)],
    ],
)
def test_so_many_messages_fit(size: int, fit: int) -> None:
    """A long one is written apart from its header, which is a chunk of its own."""
    assert outcomes(FILLED.format(size=size, times=fit)) == ["0"]
    assert outcomes(FILLED.format(size=size, times=fit + 1)) == ["deadlock"]


FULL = """
primitives: {link: pipe, full: event, went_on: event}
processes:
  sender:
    actions:
      - repeat: {times: FIT, do: [{send_bytes: {value: "$('x' * SIZE)", to: link.conn2}}]}
      - set: full
      - send_bytes: {value: "$('x' * SIZE)", to: link.conn2}
      - set: went_on
main:
  - start: sender
  - wait: full
  - repeat: {times: DRAINED, do: [{recv_bytes: link.conn1}]}
THEN
  - wait: went_on
  - join: sender
outcome: {o: sender.exitcode}
"""


def full(fit: int, size: int, drained: int, then: str = "") -> str:
    """Somebody sends one more than there is room for; somebody else takes some of it, and then
    waits until he has gone on."""
    text = FULL.replace("FIT", str(fit)).replace("SIZE", str(size))
    return text.replace("DRAINED", str(drained)).replace("THEN\n", then)


@pytest.mark.parametrize(
    ("fit", "size", "woken"),
    [
        *[(278, 1, 209), (167, 200, 126), (93, 1000, 70), (44, 4092, 34), (24, 8000, 19)],
        *[(13, 16384, 10), (12, 16385, 10), (10, 20000, 8), (7, 30000, 6), (4, 50000, 4)],
    ],
)
def test_a_sender_who_is_asleep_is_woken_where_less_than_a_quarter_is_left(fit, size, woken):
    """He finds room as soon as there is any if he comes only then."""
    assert outcomes(full(fit, size, woken)) == ["0"]
    for drained in {1, woken - 1}:
        assert outcomes(full(fit, size, drained)) == ["0", "deadlock"]


def test_to_the_very_quarter_is_not_enough():
    """sock_wfree counts one byte as long as it wakes, and a socket has one of its own."""
    small = "send_bytes: {value: x, to: link.conn2}"
    before = f"      - repeat: {{times: 208, do: [{small}]}}\n"
    text = full(41, 200, 208).replace("      - repeat", before + "      - repeat", 1)
    text = text.replace("      - set: full", f"      - {small}\n      - set: full")
    assert outcomes(text) == ["0", "deadlock"]
    assert outcomes(text.replace("times: 208, do: [{recv", "times: 209, do: [{recv")) == ["0"]


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("", [0, "deadlock"]),
        ("  - send: {value: 1, to: link.conn1}\n", [0]),
        ("  - suspend: sender\n  - resume: sender\n", [0]),
        ("  - resume: sender\n", [0, "deadlock"]),
    ],
)
def test_what_comes_to_a_sleeper_wakes_him(then, expected):
    """Something to receive at his end; a signal that stops him and lets him go on."""
    same(full(13, 16384, 5, then), expected)


def test_a_sleeper_can_be_killed():
    text = full(13, 16384, 5, "  - terminate: sender\n").replace("  - wait: went_on\n", "")
    same(text, [-15, 0])


TWO = """
primitives: {link: pipe, full: {type: semaphore, value: 0}, sent: {type: semaphore, value: 0}}
processes:
  sender:
    count: 2
    actions:
      - acquire: full
      - send_bytes: {value: "$('x' * 16000)", to: link.conn2}
      - release: sent
main:
  - start: sender
  - repeat: {times: FIT, do: [{send_bytes: {value: "$('x' * 16000)", to: link.conn2}}]}
  - release: full
  - release: full
  - repeat: {times: DRAINED, do: [{recv_bytes: link.conn1}]}
  - acquire: sent
  - acquire: sent
  - join: sender
outcome: {o: main.exitcode}
"""


@pytest.mark.parametrize(("fit", "size", "woken"), [(13, 16000, 10), (10, 20000, 8)])
def test_all_who_sleep_are_woken_at_once(fit, size, woken):
    """Where one comes late and finds room, the other may sleep on, with one message more in the
    pipe. Long messages are told byte by byte."""
    text = TWO.replace("FIT", str(fit)).replace("16000", str(size))
    same(text.replace("DRAINED", str(woken)), [0, "deadlock"])
    same(text.replace("DRAINED", str(woken + 1)), [0])


GONE = """
primitives: {link: pipe, full: event}
processes:
  sender:
    vars: {o: []}
    actions:
      - close: link.conn1
      - repeat: {times: FIT, do: [{send_bytes: {value: "$('x' * SIZE)", to: link.conn2}}]}
      - set: full
      - try:
          do: [{send_bytes: {value: "$('x' * MORE)", to: link.conn2}}]
          except: {OSError: [{let: {o: "$(o + [error.type])"}}]}
      - try:
          do: [{recv: {from: link.conn2}}]
          except: {Exception: [{let: {o: "$(o + [error.type])"}}]}
main:
  - start: sender
  - close: link.conn2
  - wait: full
  - close: link.conn1
  - join: sender
outcome: {o: sender.o}
"""


@pytest.mark.parametrize(
    ("fit", "size", "more", "asleep"),
    [
        (13, 16384, 1, ["ConnectionResetError", "EOFError"]),
        (10, 20000, 20000, ["ConnectionResetError", "EOFError"]),
        (0, 1, 300_000, ["BrokenPipeError", "EOFError"]),
    ],
)
def test_who_sleeps_is_told_that_something_was_left_unread(fit, size, more, asleep):
    """Not if he has written some of his message: then it is a broken pipe, and nobody is told. Who
    comes later finds a broken pipe, and is told when he receives."""
    text = GONE.replace("FIT", str(fit)).replace("SIZE", str(size)).replace("MORE", str(more))
    same(text, [["BrokenPipeError", "ConnectionResetError"], asleep])


def test_its_schedules_are_runs_that_verify_accepts(tmp_path):
    scenario = api.load(str(SCENARIO)).scenarios[0]
    report = api.check(scenario)
    ends = []
    for outcome in report.outcomes:
        trace = from_token(scenario, schedule_token(scenario, outcome.schedule, report.world))
        accepted(trace, tmp_path)
        ends.append(trace.end)
    assert sorted(ends) == ["completed", "deadlock"]


def test_simulated_it_sleeps_for_ever():
    trace = simulate(api.load(str(SCENARIO)).scenarios[0])
    assert trace.end == "deadlock"
    assert [event.on for event in trace.events if event.status == "blocked"][:1] == ["link.conn2"]
