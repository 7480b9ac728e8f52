"""The command line: what it prints, where, and its exit codes. Most tests call main() here; those
where the process matters (its streams, its signals, its imports) start one."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mpflow import __version__, cli
from mpflow.cli import main
from mpflow.engine.merge import Merge

HELLO = """\
mpflow: 1
start_method: fork
params: {items: 2, other: null}
processes:
  w: {actions: [{print: hello $items}]}
"""
WRONG = HELLO.replace("print", "pront")
FAILS = HELLO + "expect: {output: [hi]}\n"
UNKNOWN = HELLO + "expect: {sometimes: ['False']}\n"
STUCK = """\
mpflow: 1
start_method: fork
primitives: {q: queue}
processes: {}
main:
  - get: q
"""
CASES = HELLO + "matrix: {items: [2, 3]}\nexpect: {output: [hello 2]}\n"


TWICE = "matrix: {start_method: [fork, spawn]}"


class Said(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of scenarios, which is the working directory."""
    texts = {"hello": HELLO, "wrong": WRONG, "fails": FAILS, "unknown": UNKNOWN, "stuck": STUCK}
    for name, text in {**texts, "cases": CASES}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def say(here, capfd):
    """A function: runs main() with these arguments here."""

    def call(*arguments: str) -> Said:
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse's own way
            code = left.code
        return Said(code, *map(_steady, capfd.readouterr()))

    return call


def _steady(text: str) -> str:
    """A text without what differs from run to run: times, pids and the seed."""
    text = re.sub(r"after \d+\.\d{3} s", "after T s", text)
    text = re.sub(r"^\d+\.\d{6} ", "T        ", text, flags=re.MULTILINE)
    return re.sub(r"pid \d+", "pid P", text)


def command(*arguments: str, **more: Any) -> Said:
    """The same in a process of its own."""
    options: dict[str, Any] = {"capture_output": True, "timeout": 50, "input": b"", **more}
    if "stdout" in options or "stderr" in options:
        del options["capture_output"]
    done = subprocess.run([sys.executable, "-m", "mpflow", *arguments], **options)
    return Said(
        done.returncode, *(_steady((s or b"").decode()) for s in (done.stdout, done.stderr))
    )


PASSED = "passed: hello (fork): completed after T s, 7 events\n"
TABLE = """\
time      process  action  on  result       line
T         main     begin       pid P
T         main     start   w                5
T         w        begin       pid P
T         w        print       hello 2      5
T         w        end         exit code 0
T         main     join    w   True         5
T         main     end         exit code 0
"""


# What is shown


def test_a_run_shows_the_scenario_s_output_then_the_table_then_the_verdict(say):
    assert say("run", "hello.yaml") == (0, f"hello 2\n\n{TABLE}\n{PASSED}", "")


def test_quiet_shows_the_verdict_alone(say):
    assert say("run", "-q", "hello.yaml") == (0, PASSED, "")


def test_verbose_shows_more_about_the_run(say):
    code, out, err = say("run", "-v", "--seed", "7", "hello.yaml")
    python = sys.version.split()[0]
    assert (code, err) == (0, "")
    assert out == (
        f"hello 2\n\n{TABLE}\nseed 7, Python {python} on {sys.platform}\n"
        "params {'items': 2, 'other': None}\nexit codes {'main': 0, 'w': 0}\n\n" + PASSED
    )


def test_a_failure_is_told_and_the_exit_code_is_1(say):
    code, out, err = say("run", "fails.yaml")
    assert (code, err) == (1, "")
    assert out.endswith(
        "\n  failed: output: line 1 is 'hello 2', not 'hi' (line 6)\n"
        "failed: fails (fork): completed after T s, 7 events\n"
    )


def test_what_one_run_does_not_decide_is_told_and_the_exit_code_is_4(say):
    code, out, err = say("run", "unknown.yaml")
    assert (code, err) == (4, "")
    assert out.endswith(
        "\n  unknown: sometimes: `False` is false (line 6)\n"
        "unknown: unknown (fork): completed after T s, 7 events\n"
    )


def test_a_deadlock_is_explained_and_the_exit_code_is_1(say):
    code, out, err = say("run", "stuck.yaml")
    assert (code, err) == (1, "")
    assert out.partition("\n\ndeadlock")[2] == (
        ": nobody can go on\n"
        "  main waits in get q (stuck.yaml:6)\n"
        "      nobody who could `put` can go on\n"
        "  failed: the run ended by deadlock\n"
        "failed: stuck (fork): deadlock after T s, 3 events\n"
    )


def test_a_timeout_is_told_and_the_exit_code_is_1(say):
    (Path("late.yaml")).write_text(STUCK.replace("get: q", "sleep: 100"))
    code, out, _ = say("run", "--timeout", "0.3", "late.yaml")
    assert code == 1
    assert out.endswith("failed: late (fork): timeout after T s, 3 events\n")


# The trace as JSON Lines


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("options", [("--format", "json"), ("--trace", "-")])
def test_json_is_the_trace_and_nothing_else(say, options):
    code, out, err = say("run", "fails.yaml", *options)
    header, *events, footer = _lines(out)
    assert (code, err) == (1, "")
    assert (header["mpflow_trace"], len(events), footer["verdict"]) == (1, 7, "failed")


def test_a_trace_file_holds_each_case_and_the_screen_is_as_without(say):
    Path("t.jsonl").write_text("what stood there before\n" * 100)
    code, out, _ = say("run", "hello.yaml", "-p", "items=2", "--trace", "t.jsonl")
    assert (code, out) == (0, f"hello 2\n\n{TABLE}\n{PASSED}")
    assert len(_lines(Path("t.jsonl").read_text())) == 9
    assert say("run", "-q", "cases.yaml", "--trace", "t.jsonl").code == 1
    found = [each.get("verdict") for each in _lines(Path("t.jsonl").read_text())]
    assert [each for each in found if each] == ["passed", "failed"]


def test_json_and_a_trace_file_give_both(say):
    _, out, _ = say("run", "hello.yaml", "--format", "json", "--trace", "t.jsonl")
    assert out == Path("t.jsonl").read_text()


def test_a_compressed_trace_file_says_the_same(say):
    for name in ("t.jsonl", "t.jsonl.gz"):
        Path(name).write_text("what stood there before")
        assert say("run", "-q", "hello.yaml", "--seed", "1", "--trace", name).code == 0
    plain, packed = (
        _lines(Path("t.jsonl").read_text()),
        _lines(gzip.decompress(Path("t.jsonl.gz").read_bytes()).decode()),
    )
    assert [e.get("action") for e in packed] == [e.get("action") for e in plain]
    assert say("run", "-q", "cases.yaml", "--trace", "t.jsonl.gz").code == 1
    found = _lines(gzip.decompress(Path("t.jsonl.gz").read_bytes()).decode())
    assert [each["verdict"] for each in found if "verdict" in each] == ["passed", "failed"]


def test_a_run_can_be_followed(here):
    """What goes on is told before the run is over: by its own clock, the sleep is not done yet."""
    (here / "slow.yaml").write_text(
        HELLO.replace("[{print: hello $items}]", "[{print: first}, {read: go, into: x}]").replace(
            "read: go, into: x", "read: {file: go, into: x}"
        )
    )
    os.mkfifo(here / "go")  # the process waits until somebody writes
    with subprocess.Popen(
        [sys.executable, "-m", "mpflow", "run", "--follow", "slow.yaml"],
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        seen: list[str] = []
        for line in running.stdout:
            seen.append(line)
            if "print" in line:
                break
        assert running.poll() is None
        (here / "go").write_text("on")
        rest = running.stdout.read()
    assert running.returncode == 0
    assert any(line.split()[:1] == ["time"] for line in seen)
    told = [line.split()[1:3] for line in [*seen, *rest.splitlines()] if line[:1].isdigit()]
    assert told.count(["w", "print"]) == told.count(["w", "read"]) == told.count(["w", "end"]) == 1
    assert "passed: slow" in rest


def test_following_needs_a_place_to_print(say):
    for option in ("-q", "--format=json", "--trace=-"):
        code, out, err = say("run", "hello.yaml", "--follow", option)
        assert (code, out) == (2, "")
        assert err == "mpflow: --follow prints events; leave out -q and JSON on stdout\n"


def test_a_disk_without_room_ends_the_run_with_the_trace_so_far(here):
    (here / "much.yaml").write_text(
        HELLO.replace("[{print: hello $items}]", "[{repeat: {times: forever, do: [{mark: m}]}}]")
    )

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    code, out, err = command("run", "-q", "much.yaml", preexec_fn=little_room)
    assert (code, err) == (
        2,
        "mpflow: no room is left on the disk for the records of the run: it was stopped\n",
    )
    found = re.fullmatch(r"unknown: much \(fork\): interrupted after T s, ([0-9,]+) events\n", out)
    assert found is not None, out
    assert int(found[1].replace(",", "")) > 10_000


@pytest.mark.parametrize(("times", "code", "left"), [(1, 0, {"t.jsonl": 9}), (2, 130, {})])
def test_ctrl_c_when_the_run_is_over_costs_its_trace_only_the_second_time(
    say, monkeypatch, times, code, left
):
    whole = Merge.__iter__

    def interrupted(self: Merge) -> Any:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return whole(self)

    monkeypatch.setattr(Merge, "__iter__", interrupted)
    said = say("run", "-q", "hello.yaml", "--trace", "t.jsonl")
    told = "the run is over, its trace is being made; Ctrl-C once more gives it up"
    assert (said.code, said.err) == (code, f"mpflow: {told}\n")
    assert {p.name: len(_lines(p.read_text())) for p in Path().glob("*.jsonl")} == left


def test_explain_shows_the_source_of_a_process(say):
    code, out, err = say("explain", "--code", "hello.yaml", "w")
    assert (code, err) == (0, "")
    assert out.startswith("# w\ndef body():\n")
    assert "begin(at, 32)  # print, line 5\n" in out
    compile(out, "shown", "exec")
    assert say("explain", "--code", "hello.yaml").out.count("def body():") == 2
    assert say("explain", "--code", "hello.yaml", "v").code == 2
    assert say("explain", "--code", "wrong.yaml").code == 2


def test_a_trace_file_is_left_alone_when_there_is_nothing_to_run(say):
    Path("t.jsonl").write_text("precious")
    assert say("run", "wrong.yaml", "--trace", "t.jsonl").code == 2
    assert Path("t.jsonl").read_text() == "precious"


# What cannot be done


USAGE = {
    "an option's value without a sense": (
        ("hello.yaml", "--timeout", "0"),
        "mpflow run: error: argument --timeout: '0' is not a number above 0",
    ),
    "a time scale that is no number": (
        ("hello.yaml", "--time-scale", "nan"),
        "mpflow run: error: argument --time-scale: 'nan' is not a number above 0",
    ),
    "a param without a value": (
        ("hello.yaml", "-p", "items"),
        "mpflow run: error: argument -p: 'items' is not NAME=VALUE",
    ),
    "quiet and verbose": (
        ("hello.yaml", "-q", "-v"),
        "mpflow run: error: argument -v/--verbose: not allowed with argument -q/--quiet",
    ),
    "a param that is near to one": (
        ("hello.yaml", "-p", "itmes=3"),
        "mpflow: hello.yaml has no param `itmes`; did you mean `items`?",
    ),
    "a param that is near to none": (
        ("hello.yaml", "-p", "x=3", "-p", "y=3"),
        "mpflow: hello.yaml has no param `x`; known: items, other\n"
        "mpflow: hello.yaml has no param `y`; known: items, other",
    ),
    "a param of a file without": (
        ("stuck.yaml", "-p", "items=3"),
        "mpflow: stuck.yaml has no param `items`; it declares none",
    ),
    "a trace file in no folder": (
        ("hello.yaml", "--trace", "no/t.jsonl"),
        "mpflow: cannot write the trace to no/t.jsonl: No such file or directory",
    ),
    "a trace file that is a folder": (
        ("hello.yaml", "--trace", "."),
        "mpflow: cannot write the trace to .: Is a directory",
    ),
    "a trace file that is the scenario": (
        ("wrong.yaml", "hello.yaml", "--trace", "./hello.yaml"),
        "mpflow: --trace ./hello.yaml would overwrite the scenario",
    ),
    "standard input twice": (
        ("-", "-"),
        "mpflow: standard input (-) can be read only once",
    ),
    "a file that is not there": (
        ("no.yaml",),
        "error[no-such-file]: there is no such file\n  --> no.yaml\n\nno.yaml: 1 problem",
    ),
    "a shipped scenario's name with a slip": (
        ("pip",),
        "error[no-such-file]: there is no such file\n  --> pip\n"
        "  help: did you mean the shipped scenario `pipe`?\n\npip: 1 problem",
    ),
    "a folder": (
        (".",),
        "error[is-a-folder]: this is a folder, not a file\n  --> .\n"
        "  help: name its files, as in ./*.yaml\n\n.: 1 problem",
    ),
    "a file with a fault": (
        ("wrong.yaml",),
        "error[unknown-action]: no action is called `pront`\n --> wrong.yaml:5:18\n  |\n"
        "5 |   w: {actions: [{pront: hello $items}]}\n"
        "  |                  ^^^^^ did you mean `print`?\n\nwrong.yaml: 1 problem",
    ),
}


@pytest.mark.parametrize("name", USAGE)
def test_what_cannot_be_done_is_said_in_a_sentence_and_the_exit_code_is_2(say, name):
    arguments, message = USAGE[name]
    code, out, err = say("run", *arguments)
    assert (code, out) == (2, "")
    shown = err.partition("mpflow run: error")
    told = "".join(shown[1:]) if err.startswith("usage: ") else err
    assert re.sub(r"^ +(?=-->|\|)", " ", told, flags=re.M) == re.sub(
        r"^ +(?=-->|\|)", " ", message + "\n", flags=re.M
    )


def test_a_param_that_is_no_yaml_is_shown_with_its_place(say):
    code, out, err = say("run", "hello.yaml", "-p", "items=[1")
    assert (code, out) == (2, "")
    assert "--> -p items:1:1\n" in err
    assert "1 | [1\n" in err


def test_nobody_takes_a_command_that_does_not_exist_or_none(say):
    assert say().code == 2
    assert "invalid choice: 'walk'" in say("walk").err
    assert "the following arguments are required: FILE" in say("run").err


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("processes: {w: {target: 'time:time'}}", 2, "target"),
        ("processes: {w: {class: 'a:B'}}", 2, "class"),
        ("processes: {}\nmain: [{call: 'time:time'}]", 3, "call"),
        ("processes: {}\nmain: [{if: {condition: 'True', then: [{read: f}]}}]", 3, "read"),
        ("processes: {w: {actions: [{write: {text: a, file: f}}]}}\n" + TWICE, 2, "write"),
    ],
)  # fmt: skip
def test_no_code_refuses_what_runs_code_or_touches_files(say, text, line, what):
    Path("code.yaml").write_text(f"mpflow: 1\n{text}\n")
    code, out, err = say("run", "--no-code", "code.yaml", "-q")
    told = f"line {line}: `{what}` runs code or touches files; --no-code refuses it\n"
    assert (code, out, err) == (2, "", f"mpflow: code.yaml: {told}")


# Params, cases, several files


@pytest.mark.parametrize(
    ("text", "shown"),
    [("7", "7"), ("'7'", "7"), ("[1, {a: b}]", "[1, {'a': 'b'}]"), ("", "None"), ("# no", "None"),
     (" x y ", "x y"), ("a=b", "a=b"), ("no", "no"), ("中", "中")],
)  # fmt: skip
def test_a_param_is_read_as_yaml(say, text, shown):
    code, out, _ = say("run", "hello.yaml", "-p", f"items={text}")
    assert (code, out.splitlines()[0]) == (0, f"hello {shown}")


def test_the_last_of_two_values_for_a_param_counts(say):
    assert say("run", "hello.yaml", "-p", "items=3", "-p", "items=4").out.startswith("hello 4\n")


def test_cases_run_one_after_another_with_a_summary_line(say):
    assert say("run", "-q", "cases.yaml") == (
        1,
        "passed: cases [items=2] (fork): completed after T s, 7 events\n"
        "failed: cases [items=3] (fork): completed after T s, 7 events\n"
        "2 runs: 1 passed, 1 failed\n",
        "",
    )


def test_a_param_on_the_command_line_wins_over_the_matrix(say):
    code, out, _ = say("run", "-q", "cases.yaml", "-p", "items=2")
    assert (code, out) == (0, "passed: cases (fork): completed after T s, 7 events\n")


def test_a_start_method_on_the_command_line_wins_over_the_file(say):
    code, out, _ = say("run", "-q", "hello.yaml", "--start-method", "spawn")
    assert (code, out) == (0, PASSED.replace("fork", "spawn"))


def test_a_broken_file_does_not_keep_the_others_from_running(say):
    code, out, err = say("run", "wrong.yaml", "hello.yaml", "unknown.yaml", "hello.yaml")
    assert (code, err.splitlines()[-1]) == (2, "wrong.yaml: 1 problem")
    assert out.endswith(
        f"\nnot run: wrong.yaml\n{PASSED}"
        "unknown: unknown (fork): completed after T s, 7 events\n"
        f"{PASSED}4 runs: 2 passed, 1 unknown, 1 not run\n"
    )


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (("hello", "unknown"), 4),
        (("unknown", "fails", "hello"), 1),
        (("fails", "wrong", "unknown"), 2),
    ],
)
def test_the_exit_code_is_the_worst(say, files, code):
    assert say("run", "-q", *(f"{name}.yaml" for name in files)).code == code


def test_a_shipped_scenario_runs_by_its_name_unless_a_file_has_it(say):
    Path("lock").mkdir()  # a folder is no file
    code, out, _ = say("run", "-q", "lock", "--start-method", "fork")
    assert (code, out.partition(" (")[0]) == (0, "passed: lock")
    Path("lock").rmdir()
    Path("lock").write_text(HELLO)
    assert say("run", "-q", "lock").out == PASSED.replace("hello", "lock")


def test_scenarios_lists_what_is_shipped(say):
    code, out, err = say("scenarios")
    head, *rest = out.splitlines()
    assert (code, err, head.split()) == (0, "", ["name", "description"])
    told = json.loads(say("scenarios", "--format", "json").out)
    assert [line.split()[0] for line in rest] == [each["name"] for each in told]
    assert all(os.path.isfile(each["path"]) and each["description"] for each in told)


def test_scenarios_on_a_terminal_keeps_descriptions_in_their_column(say, monkeypatch):
    from mpflow.cli import scenarios

    monkeypatch.setattr(scenarios, "columns", lambda stream: 50)
    lines = say("scenarios", "--color", "always").out.splitlines()
    assert lines[0].startswith("\033[1mname ")
    assert max(map(len, lines[1:])) <= 50
    start = lines[0].index("description") - len("\033[1m")
    assert all(" " not in line or line[start - 2 : start] == "  " for line in lines[1:])


def test_scenarios_of_one_folder(say):
    told = json.loads(say("scenarios", "puzzles", "pipe", "--format", "json").out)
    names = [each["name"] for each in told]
    assert "pipe" in names
    assert {name.split("/")[0] for name in names} == {"pipe", "puzzles"}
    code, out, err = say("scenarios", "puzles")
    assert (code, out) == (2, "")
    assert err.endswith("is called 'puzles'; did you mean `puzzles`?\n")


def test_the_version(say):
    assert say("--version") == (0, f"mpflow {__version__}\n", "")


# A bug


def test_a_bug_exits_3_and_says_how_to_report_it(say, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("mpflow.cli.run.load", broken)
    code, out, err = say("run", "hello.yaml")
    assert (code, out) == (3, "")
    assert err.startswith("Traceback")
    assert err.endswith(
        f"mpflow {__version__} has a bug: ZeroDivisionError. Please report it, with the\n"
        "scenario file, the command line and the lines above, where you got mpflow from.\n"
    )


def test_main_leaves_the_signal_handlers_as_they_were(say):
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    say("run", "-q", "hello.yaml")
    after = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    assert after == before


# The process


def test_standard_input_is_a_scenario(here):
    code, out, err = command("run", "-", "-q", input=STUCK.encode())
    assert (code, err) == (1, "")
    assert out.endswith("(fork): deadlock after T s, 3 events\n")
    code, out, err = command("run", "-")
    assert (code, out, err.splitlines()[-1]) == (2, "", "<stdin>: 1 problem")
    assert err.startswith("error[empty-file]: the file is empty\n")


def test_a_reader_that_leaves_early_hears_no_complaint(here):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        assert command("run", "-q", "hello.yaml", stdout=closed, stderr=subprocess.PIPE) == (
            0,
            "",
            "",
        )
        # what was not run is not known to pass
        files = ("-q", "hello.yaml", "hello.yaml")
        assert command("run", *files, stdout=closed, stderr=subprocess.PIPE) == (4, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_and_the_exit_code_is_2(here):
    with open("/dev/full", "wb") as full:
        said = command("run", "-q", "hello.yaml", stdout=full, stderr=subprocess.PIPE)
    assert said == (2, "", "mpflow: cannot write: No space left on device\n")
    code, out, err = command("run", "-q", "hello.yaml", "--trace", "/dev/full")
    assert (code, out) == (2, PASSED)
    assert err == "mpflow: cannot write the trace to /dev/full: No space left on device\n"


def test_closed_streams_are_no_trouble(here):
    """What would be descriptor 1 of the command must not become a pipe of its own."""
    shell = f"exec {sys.executable} -m mpflow run hello.yaml --trace t.jsonl <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], timeout=50).returncode == 0
    assert len(_lines(Path("t.jsonl").read_text())) == 9


def test_a_terminal_that_knows_ascii_only_gets_ascii(here):
    Path("odd.yaml").write_text(HELLO.replace("hello", "中🎉"), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code, out, err = command("run", "odd.yaml", env=environment)
    assert (code, err, out.splitlines()[0]) == (0, "", "中🎉 2")  # the scenario's own bytes
    assert r"print       \u4e2d\U0001f389 2" in out
    code, out, err = command("run", "odd.yaml", "--format", "json", env=environment)
    assert (code, err, out.isascii()) == (0, "", True)
    assert "中🎉 2" in [each.get("value") for each in _lines(out)]


def test_a_file_name_that_is_no_utf_8(here):
    name = os.fsencode("hello.yaml").replace(b"h", b"\xff")
    os.rename(b"hello.yaml", name)
    code, out, err = command("run", os.fsdecode(name), "-q")
    assert (code, out, err) == (0, PASSED.replace("h", r"\udcff", 1), "")


def test_without_home_and_the_rest_of_the_environment(here):
    # The mark of conftest.py stays: it finds what a test leaves behind.
    kept = {
        name: os.environ[name]
        for name in ("MPFLOW_TEST_SESSION", "PYTHONPATH")
        if name in os.environ
    }
    assert command("run", "-q", "hello.yaml", env=kept) == (0, PASSED, "")


def test_ctrl_c_in_the_middle_of_several_files_ends_them_all_with_130(here):
    (here / "sleeps.yaml").write_text(HELLO.replace("}]}", "}, {sleep: 100}]}"))
    files = ["hello.yaml", "sleeps.yaml", "fails.yaml", "hello.yaml"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mpflow", "run", *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    seen = [process.stdout.readline()]
    while len([line for line in seen if line == b"hello 2\n"]) < 2:
        assert seen[-1], "it ended before the second run began"
        seen.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    last = _steady(out.decode()).splitlines()[-6:]
    assert re.sub(r"\d+ events", "N events", "\n".join(last)) == (
        "\npassed: hello (fork): completed after T s, N events\n"
        "unknown: sleeps (fork): interrupted after T s, N events\n"
        "not run: fails.yaml\nnot run: hello.yaml\n"
        "4 runs: 1 passed, 2 not run, 1 interrupted"
    )


HEAVY = ("yaml", "jsonschema", "rich", "multiprocessing")


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], HEAVY),
        (["run", "--help"], HEAVY),
        (["--version"], HEAVY),
        (["run", "-q", "hello.yaml"], ("jsonschema", "rich", "multiprocessing")),
        (["scenarios"], ("jsonschema", "rich", "multiprocessing")),
    ],
)
def test_a_command_imports_only_what_it_needs(here, arguments, never):
    code = (
        "import sys\n"
        "from mpflow.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print([each for each in {never!r} if each in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, text=True)
    assert done.stderr == "[]\n"


def test_all_exit_codes_differ():
    codes = [cli.PASSED, cli.FAILED, cli.USAGE, cli.BUG, cli.UNKNOWN, cli.INTERRUPTED]
    assert codes == [0, 1, 2, 3, 4, 130]
