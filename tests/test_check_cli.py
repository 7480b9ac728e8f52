"""mpflow check on the command line: what it prints, exit codes, limits, how it is stopped."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import pytest

from mpflow import api
from mpflow.cli import check as command
from mpflow.cli import main
from mpflow.model.check import Options
from mpflow.model.moves import Move
from mpflow.model.schedule import replay
from mpflow.model.simulate import from_token
from mpflow.model.space import Space
from mpflow.model.values import Uncheckable
from mpflow.views import checked

HEAD = "mpflow: 1\nstart_method: fork\n"
CROSS = f"""{HEAD}\
primitives: {{left: lock, right: lock}}
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
ORDERED = f"""{HEAD}\
params: {{n: 1}}
primitives: {{left: lock, right: lock}}
processes:
  w:
    count: 2
    actions:
      - with: {{lock: left, do: [{{with: {{lock: right, do: [{{let: {{x: $(index + n)}}}}]}}}}]}}
outcome: {{x: "[w[0].x, w[1].x]"}}
"""
OUTCOMES = f"""{HEAD}\
primitives: {{v: value}}
processes:
  w:
    count: 2
    actions:
      - load: {{from: v, into: x}}
      - store: {{value: $(x + 1), to: v}}
main:
  - start: w
  - join: w
  - load: {{from: v, into: total}}
outcome: {{total: main.total}}
expect:
  outcomes: [{{total: 2}}, {{total: 3}}]
"""
IDLE = f"""{HEAD}\
processes:
  w:
    actions:
      - let: {{x: 1}}
      - if: {{condition: x == 2, then: [{{mark: two}}]}}
      - mark: one
outcome: {{x: w.x}}
expect:
  order: [[one, two]]
  always: [x == 1]
"""
CODE = f"""{HEAD}\
processes:
  w:
    actions:
      - call: {{function: "os:getpid", into: x}}
"""
BIG = f"""{HEAD}\
primitives: {{forks: {{type: lock, count: 9}}, v: value}}
processes:
  p:
    count: 9
    actions:
      - acquire: forks[$index]
      - load: {{from: v, into: x}}
      - store: {{value: $(x + index), to: v}}
      - release: forks[$index]
outcome: {{x: "p[0].x"}}
"""
EITHER = CROSS + "matrix: {start_method: [fork, spawn]}\nexpect: {deadlock: possible}\n"
FILES = {
    "cross": CROSS,
    "ordered": ORDERED,
    "outcomes": OUTCOMES,
    "idle": IDLE,
    "code": CODE,
    "big": BIG,
    "either": EITHER.replace("start_method: fork\n", ""),
    "wrong": CROSS.replace("acquire", "aquire"),
}


class Said(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of scenarios, which is the working directory."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def say(here, capfd):
    """A function: runs `mpflow check` with these arguments here."""

    def call(*arguments: str) -> Said:
        try:
            code = main(("check", *arguments))
        except SystemExit as left:  # argparse's own way
            code = left.code
        return Said(code, *map(_steady, capfd.readouterr()))

    return call


def _steady(text: str) -> str:
    """A text without what differs from run to run, and from one Python to another."""
    text = re.sub(r"\d+\.\d\d s$", "T s", text, flags=re.MULTILINE)
    text = re.sub(r"--schedule \S+", "--schedule TOKEN", text)
    return re.sub(r"Python 3\.\d+", "Python V", text)


# What is shown


VIOLATED = """\
violated: cross (cross.yaml): the run ended by deadlock

the run ended by deadlock
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
  main waits in join ann (cross.yaml:5)
      `ann` has not ended
  ann waits in acquire right (cross.yaml:8)
      `bob` holds it since line 11
  bob waits in acquire left (cross.yaml:12)
      `ann` holds it since line 7
  the cycle: ann -> bob -> ann
again: mpflow simulate cross.yaml --schedule TOKEN

outcomes:
  steps  outcome
      4  deadlock

9 states, 9 transitions, 8 interleavings; reductions: stubborn sets, merged steps; T s
assumed: start method: fork; Python V
"""
PROVED = """\
proved: ordered (ordered.yaml): every run is as expected

outcomes:
  steps  outcome
     17  {x: [1, 2]}

13 states, 13 transitions, 118 interleavings; reductions: stubborn sets, merged steps; T s
assumed: start method: fork; Python V
"""


def test_a_violation_shows_its_counterexample_who_waits_for_what_and_the_account(say):
    assert say("cross.yaml") == (1, VIOLATED, "")


def test_what_is_proved_shows_its_outcomes_and_what_was_assumed(say):
    assert say("ordered.yaml") == (0, PROVED, "")


def test_outcomes_that_are_missing_and_outcomes_that_nobody_expected(say):
    assert say("outcomes.yaml") == (
        1,
        """\
violated: outcomes (outcomes.yaml): outcomes: {'total': 1} is not listed (line 16), and 1 more

outcomes: {'total': 1} is not listed (line 16)
      line  main        w[0]        w[1]
   1    11  start w[0]
   2    11  start w[1]
>  3     8              load v: 0
!  4     8                          load v: 0
   5     9                          store v: 1
   6                                ends
>  7     9              store v: 1
   8                    ends
>  9    12  join w[0]
  10    12  join w[1]
  11    13  load v: 1
  12        ends
>   the one before cannot go on
!   a preemption: the one before could go on
again: mpflow simulate outcomes.yaml --schedule TOKEN

outcomes: {'total': 3} never occurs (line 16)

outcomes:
  expected  steps  outcome
  no           14  {total: 1}
  yes          14  {total: 2}

22 states, 24 transitions, 69 interleavings; reductions: stubborn sets, merged steps; T s
assumed: start method: fork; Python V
""",
        "",
    )


def test_what_was_never_put_to_the_test_is_said(say):
    assert say("idle.yaml") == (
        0,
        """\
proved: idle (idle.yaml): every run is as expected

never put to the test:
  line 7: `mark` of `w` is never reached
  order: no run comes to mark `two` (line 11)

outcomes:
  steps  outcome
      6  {x: 1}

4 states, 3 transitions, 1 interleaving; reductions: stubborn sets, merged steps; T s
assumed: start method: fork; Python V
""",
        "",
    )


def test_actions_of_one_line_are_said_once(here, say, capfd):
    actions = "[{get: q}, {get: q}, {get: q}, {mark: m}]"
    text = f"{HEAD}primitives: {{q: queue}}\nprocesses: {{}}\nmain: {actions}\n"
    (here / "line.yaml").write_text(text)
    idle = ["line 5: `get` of `main` is never reached", "line 5: `mark` of `main` is never reached"]
    main(("check", "--format", "json", "line.yaml"))
    assert json.loads(capfd.readouterr().out)["idle"] == idle
    shown = "".join(f"\n  {each}" for each in idle)
    assert f"never put to the test:{shown}\n\n" in say("line.yaml").out


def test_beside_the_file(say):
    code, out, err = say("cross.yaml", "--as", "source")
    assert (code, err) == (1, "")
    assert "3          7 |       - acquire: left\n" in out
    assert "blocked    8 |       - acquire: right\n" in out


def test_quiet_shows_the_verdict_alone(say):
    line = "violated: cross (cross.yaml): the run ended by deadlock\n"
    assert say("-q", "cross.yaml") == (1, line, "")


def test_all_cases_of_a_matrix_and_a_summary(say):
    assert say("-q", "either.yaml", "cross.yaml", "ordered.yaml") == (
        1,
        "proved: either [start_method=fork] (either.yaml): every run is as expected\n"
        "proved: either [start_method=spawn] (either.yaml): every run is as expected\n"
        "violated: cross (cross.yaml): the run ended by deadlock\n"
        "proved: ordered (ordered.yaml): every run is as expected\n"
        "4 cases: 3 proved, 1 violated\n",
        "",
    )


def test_the_summary_repeats_the_verdicts_below_what_was_shown(say):
    _, out, _ = say("ordered.yaml", "idle.yaml")
    assert out.endswith(
        "\n\nproved: ordered (ordered.yaml): every run is as expected\n"
        "proved: idle (idle.yaml): every run is as expected\n"
        "2 cases: 2 proved\n"
    )


def test_colours_where_they_are_wanted(say):
    _, out, _ = say("-q", "--color", "always", "cross.yaml")
    assert out.startswith("\033[31;1mviolated\033[0m: cross ")


def test_only_the_first_two_counterexamples_are_shown_in_full(here, say):
    text = f"""{HEAD}\
processes:
  a: {{actions: [{{choose: {{from: [1, 2, 3], into: x}}}}]}}
outcome: {{x: a.x}}
expect: {{outcomes: [{{x: 4}}]}}
"""
    (here / "many.yaml").write_text(text)
    code, out, _ = say("many.yaml")
    assert code == 1
    assert out.count("is not listed (line 6)\n") == 3
    assert out.count("choose") == 2


# What goes in


def test_params_and_the_start_method_are_passed_on_and_are_in_the_command_that_shows_it_again(say):
    code, out, _ = say("ordered.yaml", "-p", "n=5", "--start-method", "spawn")
    assert code == 0
    assert "x: [5, 6]" in out
    assert "start method: spawn" in out
    _, out, _ = say("cross.yaml", "--start-method", "spawn")
    again = "again: mpflow simulate cross.yaml --start-method spawn --schedule TOKEN\n"
    assert again in out


def test_the_command_that_shows_it_again_does(here, capfd):
    main(("check", "cross.yaml"))
    words = re.search(r"again: mpflow (.*)", capfd.readouterr().out)[1].split()
    assert main(words) == 1
    assert "the cycle: ann -> bob -> ann" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (("nowhere.yaml",), 2, "error[no-such-file]"),
        (("wrong.yaml",), 2, "wrong.yaml: 4 problems"),
        (("cross.yaml", "-p", "n=1"), 2, "cross.yaml has no param `n`"),
        (("cross.yaml", "--max-states", "0"), 2, "'0' is not a number above 0"),
        (("cross.yaml", "--max-seconds", "x"), 2, "'x' is not a number above 0"),
        (("cross.yaml", "--trace", "cross.yaml"), 2, "would overwrite the scenario"),
        (("cross.yaml", "--trace", "-"), 2, "--trace needs a file"),
        (("cross.yaml", "--trace", "no/folder"), 2, "cannot write the trace to no/folder"),
        (("-", "-"), 2, "standard input (-) can be read only once"),
        ((), 2, "required: FILE"),
    ],
)
def test_what_cannot_be_checked_exits_with_2(say, arguments, code, found):
    said = say(*arguments)
    assert said.code == code
    assert found in said.err + said.out


def test_what_the_model_cannot_say_is_told_with_its_line(say):
    code, out, err = say("code.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("mpflow: code.yaml:")
    assert "`call` of os:getpid runs Python code: say with `returns: [VALUE, …]`" in err
    (scenario,) = api.load("code.yaml").scenarios
    lines = command._uncheckable(Uncheckable("this is Python", 6, "do without"), scenario)
    assert list(lines) == [
        "mpflow: code.yaml:6: this is Python: do without",
        "  |",
        '6 |       - call: {function: "os:getpid", into: x}',
        "  |         " + "^" * 38,
    ]
    assert [*command._uncheckable(Uncheckable("all"), scenario)] == ["mpflow: code.yaml: all"]


def test_the_worst_code_counts_and_what_was_not_checked_is_counted(say):
    code, out, _ = say("-q", "code.yaml", "cross.yaml", "wrong.yaml", "ordered.yaml")
    assert code == 2
    assert out.endswith("4 cases: 1 proved, 1 violated, 2 not checked\n")


# Limits


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (("--max-states", "5000"), "the limit of 5,000 states was reached"),
        (("--max-seconds", "0.01"), "the limit of 0.01 seconds was reached"),
        (("--max-memory", "1"), "the limit of 1 MB of memory was reached"),
    ],
)
def test_a_limit_is_never_a_pass(say, limit, reason):
    line = f"unknown: big (big.yaml): {reason}; nothing wrong so far\n"
    assert say("-q", "big.yaml", *limit) == (4, line, "")


def test_without_reductions_there_are_more_states_and_the_same_outcomes(say):
    _, reduced, _ = say("outcomes.yaml")
    _, whole, _ = say("outcomes.yaml", "--no-reduce")
    assert "reductions: merged steps;" in whole
    assert "reductions: stubborn sets, merged steps;" in reduced
    outcomes = [text[text.index("outcomes:\n  expected") :] for text in (whole, reduced)]
    assert outcomes[0].split("\n\n")[0] == outcomes[1].split("\n\n")[0]


def test_timing_is_passed_on(here, say):
    text = f"""{HEAD}\
primitives: {{e: event}}
processes:
  late: {{actions: [{{sleep: 1}}, {{set: e}}]}}
  w: {{actions: [{{wait: {{for: e, timeout: 2, into: x}}}}]}}
outcome: {{x: w.x}}
"""
    (here / "late.yaml").write_text(text)
    assert "{x: false}" in say("late.yaml").out
    assert "{x: false}" not in say("late.yaml", "--timing", "exact").out
    assert "{x: true}" in say("late.yaml", "--timing", "exact").out


# JSON and traces


def test_json_is_an_object_for_each_case_with_all_of_the_report(here, capfd):
    assert main(("check", "--format", "json", "cross.yaml", "ordered.yaml")) == 1
    cross, ordered = map(json.loads, capfd.readouterr().out.splitlines())
    assert list(cross) == list(ordered) == KEYS
    assert cross["verdict"] == "violated"
    assert cross["interleavings"] == 8
    assert cross["scenario"]["path"] == "cross.yaml"
    (violation,) = cross["violations"]
    assert (violation["text"], violation["end"]) == ("the run ended by deadlock", "deadlock")
    assert violation["schedule"] == [["@main", 0], ["@main", 0], ["@ann", 0], ["@bob", 0]]
    assert [each["outcome"] for each in ordered["outcomes"]] == [{"x": [1, 2]}]
    assert ordered["violations"] == ordered["missing"] == []


KEYS = [
    "mpflow_check",
    "scenario",
    "start_method",
    "python",
    "verdict",
    "violations",
    "missing",
    "outcomes",
    "idle",
    "states",
    "transitions",
    "interleavings",
    "reductions",
    "assumed",
    "seconds",
    "cut",
]


def test_schedules_and_tokens_in_json_can_be_replayed(here, capfd):
    main(("check", "--format", "json", "outcomes.yaml"))
    report = json.loads(capfd.readouterr().out)
    scenario = api.load("outcomes.yaml").scenarios[0]
    world = api.check(scenario).world
    for outcome in report["outcomes"]:
        assert from_token(scenario, outcome["token"]).outcome == outcome["outcome"]
        assert replay(Space(world), [Move(*move) for move in outcome["schedule"]])


def test_json_has_interleavings_to_the_last_digit():
    report = api.check(api.loads(ORDERED, "o.yaml").scenarios[0])
    huge = report._replace(interleavings=10**5000 + 7)
    scenario = api.loads(ORDERED, "o.yaml").scenarios[0]
    assert f'"interleavings":1{"0" * 4999}7,' in command._json(huge, scenario)


def test_the_counterexample_as_a_trace_that_verify_accepts(here, say):
    assert say("-q", "cross.yaml", "--trace", "t.jsonl").code == 1
    (finding,) = api.verify("t.jsonl")
    assert finding.accepted
    *_, footer = (here / "t.jsonl").read_text().splitlines()
    assert json.loads(footer)["end"] == "deadlock"


SPIN = """\
mpflow: 1
primitives: {v: {type: value, lock: false}}
processes:
  a: {vars: {x: 0}, actions: [{while: {condition: x == 0, do: [{load: {from: v, into: x}}]}}]}
  b: {actions: [{choose: {from: [0, 1], into: c}}, {store: {to: v, value: $c}}]}
"""


@pytest.mark.parametrize("timing", ["any", "exact"])
def test_the_token_of_a_loop_that_nobody_leaves_shows_a_run_without_end(here, say, capfd, timing):
    (here / "spin.yaml").write_text(SPIN)
    assert main(("check", "--format", "json", "--timing", timing, "spin.yaml")) == 1
    report = json.loads(capfd.readouterr().out)
    (token,) = (o["token"] for o in report["outcomes"] if o["outcome"] == "timeout")
    assert main(("simulate", "spin.yaml", "--schedule", token, "--trace", "s.jsonl")) == 1
    out = capfd.readouterr().out
    assert "failed: the run ended by timeout" in out
    assert len(out.splitlines()) < 30  # once round is enough
    assert [line.split()[1] for line in out.splitlines() if "blocked" in line] == ["main"]
    assert main(("verify", "s.jsonl")) == 0


def test_a_simulation_goes_round_a_loop_that_nobody_leaves_only_once(here, capfd):
    (here / "spin.yaml").write_text(SPIN.replace("[0, 1]", "[0]"))
    assert main(("simulate", "spin.yaml", "--trace", "s.jsonl")) == 1
    assert len(capfd.readouterr().out.splitlines()) < 30
    assert main(("verify", "s.jsonl")) == 0


def test_a_deadlock_that_is_possible_and_never_is_was_not_put_to_the_test(here, say):
    (here / "never.yaml").write_text(ORDERED + "expect: {deadlock: possible}\n")
    assert "never put to the test:\n  deadlock: possible, and no run ends so\n" in (
        say("never.yaml").out
    )


def test_a_search_cut_short_names_the_variable_that_grows(here, say):
    (here / "grows.yaml").write_text(
        """\
mpflow: 1
primitives: {v: value}
processes:
  a:
    vars: {n: 0, x: 0}
    actions:
      - while: {condition: x == 0, do: [{load: {from: v, into: x}}, {let: {n: $(n + 1)}}]}
  b: {actions: [{store: {to: v, value: 1}}]}
"""
    )
    found = say("--max-states", "20000", "grows.yaml")
    assert found.code == 4
    assert re.search(r"`n` of `a` has had [\d,]+ values: does it ever stop\?", found.out)


MATRIX = f"""{HEAD.replace("start_method: fork", "matrix: {n: [1, 2]}")}\
params: {{n: 1}}
processes: {{p: {{vars: {{x: $n}}, actions: [{{exit: $(x - 1)}}]}}}}
"""


def test_a_schedule_is_simulated_of_the_case_that_it_belongs_to(here, capfd):
    (here / "cases.yaml").write_text(MATRIX)
    assert main(["check", "cases.yaml", "--format", "json"]) == 1
    reports = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (violation,) = reports[1]["violations"]
    assert main(["simulate", "cases.yaml", "-q", "--schedule", violation["token"]]) == 1
    assert capfd.readouterr().err == ""
    assert main(["check", "cases.yaml", "-q", "--trace", "t.jsonl"]) == 1
    assert capfd.readouterr().err == (
        "mpflow: cases [n=1] has no counterexample to write to t.jsonl\n"
    )


def test_a_forged_token_is_not_unpacked_beyond_all_bounds(here, capfd):
    body = base64.urlsafe_b64encode(zlib.compress(bytes(10**8))).decode().rstrip("=")
    (here / "one.yaml").write_text(CROSS)
    assert main(["check", "one.yaml", "--format", "json"]) == 1
    token = json.loads(capfd.readouterr().out)["violations"][0]["token"].split(".")
    forged = ".".join([*token[:2], body])
    forged += f".{zlib.crc32(forged.encode()):08x}"
    assert main(["simulate", "one.yaml", "--schedule", forged]) == 2
    assert "mpflow: one.yaml: " in capfd.readouterr().err


def test_what_a_process_decides_by_its_pid_is_assumed(here, say):
    (here / "pid.yaml").write_text(
        f"{HEAD}processes: {{p: {{actions: [exit: $(self.pid % 2)]}}}}\n"
    )
    assert "assumed: pids: 1000, 1001 and so on; start method: fork" in say("pid.yaml")[1]


def test_what_is_proved_leaves_no_trace_and_says_so(say):
    said = say("-q", "ordered.yaml", "--trace", "t.jsonl")
    assert said.code == 0
    assert said.err == "mpflow: ordered has no counterexample to write to t.jsonl\n"
    assert not Path("t.jsonl").exists()


# Numbers


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (1234, "1,234"),
        (10**15 - 1, "999,999,999,999,999"),
        (10**15, "1.0e15 (16 digits)"),
        (12 * 10**33, "1.2e34 (35 digits)"),
        (10**5000 - 1, "9.9e4999 (5,000 digits)"),
    ],
    ids=["0", "4 digits", "15", "16", "35", "5000"],
)
def test_long_numbers_are_told_by_their_digits(number, shown):
    assert checked.large(number) == shown


# While it works


class Child:
    """`mpflow check` in a process of its own, whose standard error is a terminal."""

    def __init__(self, *arguments: str) -> None:
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mpflow", "check", *arguments],
            stdout=subprocess.PIPE,
            stderr=end,
            stdin=subprocess.DEVNULL,
        )
        os.close(end)
        self.told = ""

    def until(self, text: str) -> None:
        """Wait until this stands on the terminal."""
        deadline = time.monotonic() + 50
        while text not in self.told and time.monotonic() < deadline:
            if not self._more(deadline):
                break
        assert text in self.told

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], deadline - time.monotonic())
        if not ready:
            return False
        try:
            found = os.read(self.terminal, 4096).decode()
        except OSError:  # it has ended
            return False
        self.told += found
        return bool(found)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Its exit code and its output, when it has ended."""
        out, _ = self.process.communicate(timeout=50)
        while self._more(time.monotonic() + 1):
            pass
        os.close(self.terminal)
        return self.process.returncode, out.decode()


@pytest.fixture
def start(here):
    """A function: starts a Child, which does not outlive the test."""
    children: list[Child] = []

    def begin(*arguments: str) -> Child:
        children.append(Child(*arguments))
        return children[-1]

    yield begin
    for child in children:
        child.process.kill()
        child.process.wait()


def test_ctrl_c_during_a_search_gives_what_is_known(start):
    child = start("big.yaml", "--no-reduce", "-q")
    child.until("states/s")
    child.interrupt()
    code, out = child.end()
    assert (code, out) == (
        4,
        "unknown: big (big.yaml): interrupted; nothing wrong so far\n",
    )


def test_progress_stands_on_a_terminal_only_and_is_erased(start):
    child = start("big.yaml", "--no-reduce", "-q")
    child.until("states/s")
    assert re.search(r"\r\x1b\[K[\d,]+ states, depth \d+, [\d,]+ states/s", child.told)
    child.interrupt()
    child.end()
    said = "mpflow: interrupted: what is known will be told; Ctrl-C once more gives it up\r\n"
    assert f"\r\x1b[K{said}" in child.told
    assert child.told.rindex(said) > child.told.rindex("states/s")


def test_what_comes_behind_an_interrupt_is_not_checked(start):
    child = start("big.yaml", "cross.yaml", "--no-reduce", "-q")
    child.until("states/s")
    child.interrupt()
    assert child.end() == (
        130,
        "unknown: big (big.yaml): interrupted; nothing wrong so far\n"
        "2 cases: 1 unknown, 1 interrupted\n",
    )


def test_a_reader_that_has_gone_is_no_fault(here):
    arguments = [sys.executable, "-m", "mpflow", "check", "cross.yaml", "ordered.yaml"]
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(arguments, stdout=theirs, stderr=subprocess.PIPE, timeout=50)
    os.close(theirs)
    assert done.stderr == b""


def test_the_example_of_the_readme_is_what_it_prints(here, capfd):
    text = (Path(__file__).parents[1] / "README.md").read_text()
    (here / "fork.yaml").write_text(re.search(r"```yaml\n(# fork.*?)```", text, re.DOTALL)[1])
    shown = re.search(r"<!-- check-it -->\n```console\n\$ mpflow (.*?)\n(.*?)```", text, re.DOTALL)
    assert main(shown[1].split()) == 1
    found, promised = (_steady(each) for each in (capfd.readouterr().out, shown[2]))
    method = re.compile(r"start method: \w+")
    assert method.sub("", found) == method.sub("", promised)


def test_from_python():
    report = api.check(api.loads(CROSS).scenarios[0], Options(reduce=False))
    assert (report.verdict, report.states) == ("violated", 14)
    assert report.deadlock is not None
