"""simulate: one run in virtual time; its traces are accepted, its clock is exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpflow import api
from mpflow.model.check import Options
from mpflow.model.explore import Limits
from mpflow.model.schedule import DivergedError
from mpflow.model.simulate import from_token, schedule_token, simulate
from mpflow.model.story import story
from mpflow.model.values import Uncheckable
from mpflow.scenario import Choice, Scenario
from mpflow.trace import Trace, plain

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(SCENARIOS.rglob("*.yaml"))


# What two readers of one end get are pieces of messages; verify knows whole ones only.
TORN = ("pipe_two_receivers", "readers_mixed")


def loaded(text: str) -> Scenario:
    found = api.loads(text)
    assert not found.problems, found.problems[0].render()
    return found.scenarios[0]


def accepted(trace: Trace, folder: Path) -> None:
    """verify must accept it."""
    path = folder / "trace.jsonl"
    path.write_text("".join(trace.lines()), encoding="utf-8")
    for finding in api.verify(str(path)):
        assert finding.accepted, f"{finding.place}: {finding.reason}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_is_simulated_as_it_expects(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that need no Python code and no file, with two seeds: the verdict is not failed, and the
    trace is one that verify accepts."""
    monkeypatch.chdir(SCENARIOS.parent)
    for scenario in api.load(str(path), Choice()).scenarios:
        for seed in (0, 1):
            try:
                trace = simulate(scenario, seed)
            except Uncheckable:
                return  # test_gallery_checked.py has the table of these
            assert trace.verdict.word != "failed", trace.verdict.failures
            if path.stem not in TORN:
                accepted(trace, tmp_path)


def test_the_clock_of_fifteen_seconds_takes_none() -> None:
    """The tutorial's process tells the time five times, every three seconds."""
    (scenario,) = api.load(str(SCENARIOS / "process.yaml")).scenarios
    trace = simulate(scenario)
    told = [line for line in trace.output if line.startswith("The time is")]
    assert [line[-13:-5] for line in told] == [f"00:00:{s:02}" for s in (0, 3, 6, 9, 12)]
    assert trace.duration == 15


def test_a_seed_gives_the_same_trace_again_and_another_seed_another() -> None:
    text = """\
mpflow: 1
processes: {p: {count: 4, actions: [print: $index]}}
"""
    scenario = loaded(text)
    traces = ["".join(simulate(scenario, seed).lines()) for seed in (1, 1, 2, 3, 4, 5)]
    assert traces[0] == traces[1]
    assert len({tuple(simulate(scenario, seed).output) for seed in range(20)}) > 3


def test_sleeps_and_limits_last_exactly() -> None:
    text = """\
mpflow: 1
primitives: {held: lock, e: event}
processes:
  holds: {actions: [{with: {lock: held, do: [{sleep: 2}]}}, {sleep: 1.5}, {set: e}]}
  gives_up:
    actions:
      - {sleep: 0.25}
      - acquire: {lock: held, timeout: 1, into: early}
      - acquire: {lock: held, timeout: 1, into: late}
      - wait: {for: e, timeout: 10, into: told}
outcome: {found: "[gives_up.early, gives_up.late, gives_up.told]"}
expect: {outcomes: [{found: [false, true, true]}]}
"""
    trace = simulate(loaded(text))
    assert trace.verdict.word == "passed", trace.verdict.failures
    times = [(e.action, e.t) for e in trace.events if e.process == "gives_up"]
    assert times == [
        ("begin", 0.0),
        ("sleep", 0.25),
        ("acquire", 1.25),
        ("acquire", 2.0),
        ("wait", 3.5),
        ("end", 3.5),
    ]


def test_a_loop_that_waits_for_time_lets_it_go_by() -> None:
    text = """\
mpflow: 1
primitives: {e: event}
processes:
  turns:
    vars: {ready: false}
    actions: [{while: {condition: not ready, do: [{is_set: {event: e, into: ready}}]}}]
  sets: {actions: [{sleep: 5}, {set: e}]}
"""
    trace = simulate(loaded(text))
    assert (trace.end, trace.duration) == ("completed", 5.0)


def test_a_run_over_its_limit_ends_by_timeout() -> None:
    trace = simulate(loaded("mpflow: 1\ntimeout: 3\nprocesses: {p: {actions: [sleep: 100]}}\n"))
    assert (trace.end, trace.verdict.word) == ("timeout", "failed")


def test_choose_draws_as_a_run_does() -> None:
    text = """\
mpflow: 1
processes:
  p:
    count: 3
    actions: [{choose: {from: [1, 2, 2, 5], into: x}}, {choose: {from: [a, b], into: y}}]
outcome: {all: "[p[0].x, p[1].x, p[2].x, p[0].y, p[1].y, p[2].y]"}
"""
    scenario = loaded(text)
    for seed in (3, 4, 5):
        assert simulate(scenario, seed).outcome == api.run(scenario, seed=seed).outcome


LOCK_ORDER = """\
mpflow: 1
primitives: {a: lock, b: lock}
processes:
  one: {actions: [{acquire: a}, {acquire: b}, {release: b}, {release: a}]}
  two: {actions: [{acquire: b}, {acquire: a}, {release: a}, {release: b}]}
"""


@pytest.mark.parametrize("timing", ["any", "exact"])
def test_a_token_shows_the_same_run_again(timing: str, tmp_path: Path) -> None:
    scenario = loaded(LOCK_ORDER)
    report = api.check(scenario, Options(timing=timing))
    assert {str(plain(each.value)) for each in report.outcomes} == {"{}", "deadlock"}
    for each in report.outcomes:
        token = schedule_token(scenario, each.schedule, report.world)
        assert "\n" not in token
        trace = from_token(scenario, token)
        assert plain(trace.outcome) == each.value
        accepted(trace, tmp_path)


def test_a_token_is_bound_to_its_scenario() -> None:
    scenario = loaded(LOCK_ORDER)
    report = api.check(scenario)
    assert report.deadlock is not None
    token = schedule_token(scenario, report.deadlock.schedule, report.world)
    other = loaded(LOCK_ORDER + "# changed\n")
    with pytest.raises(DivergedError, match="another scenario"):
        from_token(other, token)
    with pytest.raises(DivergedError, match="checksum"):
        from_token(scenario, token[:-2] + "00")


@pytest.mark.parametrize(
    "name", ["event_pulse", "holder_dies", "cancel_join_thread", "lost_update"]
)
def test_schedules_of_a_check_are_traces_that_verify_accepts(name: str, tmp_path: Path) -> None:
    (scenario,) = api.load(str(SCENARIOS / "bugs" / f"{name}.yaml")).scenarios
    report = api.check(scenario, Options(Limits(seconds=60)))
    for each in report.outcomes:
        trace = from_token(scenario, schedule_token(scenario, each.schedule, report.world))
        assert plain(trace.outcome) == each.value
        accepted(trace, tmp_path)


def test_a_loop_that_may_be_left_is_left() -> None:
    """Two who try for the other's lock and give way: some orders come round, none has to."""
    text = """\
mpflow: 1
primitives: {l: lock, r: lock}
processes:
  p:
    count: 2
    vars: {done: false}
    actions:
      - while:
          condition: not done
          do:
            - acquire: $('l' if index else 'r')
            - acquire: {lock: $('r' if index else 'l'), block: false, into: both}
            - if:
                condition: both
                then: [{release: $('r' if index else 'l')}, {let: {done: true}}]
            - release: $('l' if index else 'r')
"""
    scenario = loaded(text)
    assert {simulate(scenario, seed).end for seed in range(12)} == {"completed"}


@pytest.mark.parametrize(
    "text",
    [
        "processes: {w: {actions: [sleep: 5]}}\n"
        "main: [{start: w}, {suspend: w}, {terminate: w}, {join: w}]\n",
        "processes: {w: {actions: [{choose: {from: [a, b, c], into: x}}, {print: $x}]}}\n"
        "outcome: {x: w.x}\n",
        "processes: {w: {actions: [{sleep: 1}, {print: late}]}}\n"
        "main: [{start: w}, {join: {process: w, timeout: 0.5, into: ended}}]\n"
        "outcome: {ended: main.ended}\n",
        "processes: {w: {vars: {s: a}, actions:"
        " [{try: {do: [return], finally: [{let: {s: c}}]}}]}}\n"
        "outcome: {s: w.s}\n",
        "processes: {w: {actions: [{try: {do: [{let: {x: $(1 // 0)}}],"
        " except: {ZeroDivisionError: [pass]}}}]}}\n",
        "processes: {w: {count: 2, actions: [{section: {name: s, do: [{print: x}]}}]}}\n"
        "expect: {exclusive: {s: 1}}\n",
    ],
    ids=["suspended", "chosen", "slept", "returned", "failed let", "two inside"],
)
def test_schedules_are_shown_as_runs_that_verify_accepts(text: str, tmp_path: Path) -> None:
    scenario = loaded(f"mpflow: 1\n{text}")
    report = api.check(scenario)
    for schedule in [each.schedule for each in (*report.outcomes, *report.violations)]:
        trace = from_token(scenario, schedule_token(scenario, schedule, report.world))
        assert trace.end in ("completed", "deadlock")
        accepted(trace, tmp_path)
    for seed in range(4):
        accepted(simulate(scenario, seed), tmp_path)


def test_a_choice_that_nobody_remembers_is_drawn_all_the_same() -> None:
    text = """\
mpflow: 1
processes: {p: {actions: [{choose: {from: [1, 2, 3], into: x}}, {let: {x: 0}}, {print: $x}]}}
"""
    drawn = set()
    for seed in range(12):
        trace = simulate(loaded(text), seed)
        drawn.add(next(event.result for event in trace.events if event.action == "choose"))
    assert drawn == {1, 2, 3}


# Why a simulated run is stuck: the words of check

STUCK = {
    "a put without a bound": (
        """\
mpflow: 1
primitives: {q: joinable_queue}
processes:
  a: {actions: [{get: q}, {task_done: q}]}
main: [{put: {value: 1, to: q}}, {start: a}, {kill: a}, {join: a}, {put: {value: 2, to: q}}]
expect: {exitcode: {a: [0, -9]}}
""",
        {
            "main": "it needs the own lock of `q`: `a` took it in its `task_done` (line 4) and was"
            " killed without giving it back"
        },
    ),
    "a task that cannot be done": (
        """\
mpflow: 1
primitives: {q: joinable_queue}
processes:
  a: {actions: [{put: {value: 1, to: q}}]}
  b: {actions: [{try: {do: [{task_done: q}], except: {ValueError: [pass]}}}]}
main: [{start: [a, b]}, {kill: a}, {join: [a, b]}]
expect: {exitcode: {a: [0, -9]}}
""",
        {
            "main": "`b` has not ended",
            "b": "it needs the own lock of `q`: `a` took it in its `put` (line 4) and was killed"
            " without giving it back",
        },
    ),
}


@pytest.mark.parametrize("name", STUCK)
def test_a_schedule_is_explained_as_check_explains_it(name: str) -> None:
    text, reasons = STUCK[name]
    scenario = loaded(text)
    report = api.check(scenario)
    assert report.deadlock is not None
    schedule = report.deadlock.schedule
    trace = from_token(scenario, schedule_token(scenario, schedule, report.world))
    assert why(trace) == reasons
    assert trace.report == story(scenario, report.world, schedule, "deadlock").report


def test_a_simulation_without_a_schedule_is_explained_in_the_same_words() -> None:
    text = """\
mpflow: 1
primitives: {q: queue}
processes:
  a: {actions: [{get: q}]}
main: [{start: a}, {sleep: 1}, {kill: a}, {join: a}, {put: {value: 1, to: q}}, {get: q}]
expect: {exitcode: {a: -9}}
"""
    assert why(simulate(loaded(text))) == {
        "main": "it needs the lock that a `get` from `q` holds: `a` took it in its `get` (line 4)"
        " and was killed without giving it back"
    }


def why(trace: Trace) -> dict[str, str]:
    """The reasons why processes cannot go on."""
    assert trace.report is not None
    return {each["process"]: each["reason"] for each in trace.report["waits"]}
