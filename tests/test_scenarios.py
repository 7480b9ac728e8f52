"""The tutorial's scenarios on real processes, their traces judged by rules written down here.

The checker below shares nothing with mpflow: it reads the YAML file and the JSON lines alone. The
gallery in scenarios/'s folders is held to it, too (test_gallery.py).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "scenarios"
FILES = sorted(FOLDER.rglob("*.yaml"))
TOP = [path for path in FILES if path.parent == FOLDER]
METHODS = ("fork", "spawn", "forkserver")
TUTORIAL = {
    "process", "workers", "clock_class", "daemon_off", "daemon_on", "daemon_join", "lock",
    "semaphore", "event", "queue", "pipe", "pipe_two_receivers", "pipe_forever",
}  # fmt: skip
PARAMS = {"clock_class": {"interval": 0.2}}  # Python code sleeps in its own time
PATIENCE = 50  # seconds for one command
TRIES = 5  # runs in which what a file says to happen sometimes has to happen

HEADER = {
    "mpflow_trace", "scenario", "mode", "start_method", "python", "platform", "seed", "started",
}  # fmt: skip
FOOTER = {"end", "duration", "exitcodes", "outcome", "verdict", "failures"}

Data = Mapping[str, Any]


def mpflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    command = [sys.executable, "-m", "mpflow", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_every_program_of_the_tutorial_is_there() -> None:
    assert {path.stem for path in TOP} == TUTORIAL


def test_all_scenarios_are_valid() -> None:
    done = mpflow("validate", "scenarios", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert f"{len(FILES)} files: no problems" in done.stdout


def test_scenarios_lists_each_with_its_description(tmp_path: Path) -> None:
    done = mpflow("scenarios", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    listed = {each["name"]: each["description"] for each in json.loads(done.stdout)}
    names = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FILES}
    assert set(listed) == set(names)  # the paths may be those of an installed package
    for name, path in names.items():
        said = yaml.safe_load(path.read_text("utf-8"))["description"].strip()
        assert len(said) > 20
        assert listed[name] == said
    shown = mpflow("scenarios", cwd=tmp_path)
    assert shown.returncode == 0
    assert set(names) <= set(shown.stdout.split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_file_knows_its_schema(path: Path) -> None:
    modeline, *_ = path.read_text("utf-8").splitlines()
    before, _, schema = modeline.partition("$schema=")
    assert before == "# yaml-language-server: "
    assert (path.parent / schema).resolve() == ROOT / "schema" / "scenario.schema.json"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", TOP, ids=lambda path: path.name)
def test_scenario_passes_and_leaves_a_legal_trace(path: Path, method: str, tmp_path: Path) -> None:
    data = yaml.safe_load(path.read_text("utf-8"))
    undecided = "sometimes" in data.get("expect", {})
    for attempt in range(TRIES):
        file = tmp_path / f"{attempt}.jsonl"
        params = [f"-p{name}={value}" for name, value in PARAMS.get(path.stem, {}).items()]
        options = ["--start-method", method, "--time-scale", "0.1", "--format", "json"]
        done = mpflow("run", str(path), *params, *options, "--trace", str(file), cwd=tmp_path)
        told = done.stdout + done.stderr
        traces = list(runs(file.read_text("utf-8")))
        assert traces, told
        for trace in traces:
            assert complaints(trace, path, method) == []
            assert trace[-1]["failures"] == []
        verdicts = {trace[-1]["verdict"] for trace in traces}
        if verdicts == {"passed"}:
            assert done.returncode == 0, told
            return
        assert undecided, told
        assert (done.returncode, verdicts <= {"passed", "unknown"}) == (4, True), told
    pytest.fail(f"{TRIES} runs did not show what `sometimes` says: {trace[-1]['undecided']}")


# What a trace must be


def runs(text: str) -> Iterator[list[dict[str, Any]]]:
    """The lines of a file, cut into runs: a file with a matrix makes several."""
    lines: list[dict[str, Any]] = []
    for line in text.splitlines():
        data = json.loads(line)
        assert ("mpflow_trace" in data) == (not lines)
        lines.append(data)
        if "end" in data:
            yield lines
            lines = []
    assert lines == [], "a run without a footer"


def complaints(trace: list[dict[str, Any]], path: Path, method: str) -> list[str]:
    """All that is wrong with the trace of one run."""
    header, *events, footer = trace
    source = path.read_bytes()
    return [
        *_frame(header, footer, source, method),
        *_form(events, footer, len(source.splitlines())),
        *_lives(events, footer),
        *_replay(events, _primitives(yaml.safe_load(source), header["scenario"]["params"])),
    ]


def _frame(header: Data, footer: Data, source: bytes, method: str) -> Iterator[str]:
    if not header.keys() >= HEADER or not header["scenario"].keys() >= {"name", "path", "params"}:
        yield f"header: {header}"
        return
    if (header["mpflow_trace"], header["mode"], header["start_method"]) != (1, "run", method):
        yield f"header: {header}"
    if header["scenario"]["sha256"] != hashlib.sha256(source).hexdigest():
        yield "header: another file's sha256"
    if not footer.keys() >= FOOTER:
        yield f"footer: {footer}"
    if footer["end"] not in ("completed", "deadlock", "timeout"):
        yield f"footer: {footer['end']}"


def _form(events: list[dict[str, Any]], footer: Data, lines: int) -> Iterator[str]:
    """Numbers, times, and what every event has."""
    if [e["seq"] for e in events] != list(range(1, len(events) + 1)):
        yield "seq is not 1, 2, 3 …"
    before: dict[str, float] = {}
    now = 0.0
    # what a run that is stopped still does while it is being stopped comes after its duration
    latest = footer["duration"] + 1e-6 if footer["end"] == "completed" else float("inf")
    for e in events:
        if not e["began"] <= e["t"] <= latest or e["t"] < now:
            yield f"times: {e}"
        if e["began"] < before.get(e["process"], 0.0):
            yield f"begun before the process's last event took effect: {e}"
        now = before[e["process"]] = e["t"]
        if e["status"] not in ("ok", "error", "timeout", "blocked"):
            yield f"status: {e}"
        if e["status"] == "error" and e.get("error", {}).keys() != {"type", "message"}:
            yield f"error: {e}"
        if e["action"] not in ("begin", "end") and not (
            "code" in e or 1 <= e.get("line", 0) <= lines
        ):
            yield f"neither line nor code: {e}"


def _lives(events: list[dict[str, Any]], footer: Data) -> Iterator[str]:
    """Each process begins once, first, after its start; ends once, last, before its joins."""
    told: dict[str, list[dict[str, Any]]] = {}
    started: set[str] = {"main"}
    ended: set[str] = set()
    for e in events:
        told.setdefault(e["process"], []).append(e)
        if e["action"] == "start" and e["status"] == "ok":
            started.add(e["on"])
        if e["action"] == "begin" and e["process"] not in started:
            yield f"begin before start: {e}"
        if e["action"] == "end":
            ended.add(e["process"])
        if e["action"] == "join" and e.get("result") is True and e["on"] not in ended:
            begins = [b for b in events if b["process"] == e["on"]]
            if begins or footer["exitcodes"].get(e["on"]) is None:
                yield f"join before end: {e}"
    if events[0]["process"] != "main":
        yield "main is not the first"
    for process, own in told.items():
        actions = [e["action"] for e in own]
        if actions[0] != "begin" or actions.count("begin") != 1:
            yield f"{process}: begin is not first"
        if actions[-1] != "end" or actions.count("end") != 1:
            yield f"{process}: end is not last"
        elif own[-1].get("exitcode") != footer["exitcodes"][process]:
            yield f"{process}: exit codes differ"
        if any(e["status"] == "blocked" for e in own[:-2]):
            yield f"{process}: went on from what it was blocked in"


def _primitives(data: Data, params: Data) -> dict[str, dict[str, Any]]:
    """The declared primitives with their options, params filled in."""
    found = {}
    for name, declared in (data.get("primitives") or {}).items():
        options = {"type": declared} if isinstance(declared, str) else dict(declared)
        for key, value in options.items():
            if isinstance(value, str) and value.startswith("$"):
                options[key] = params.get(value[1:])
        found[name] = options
    given = {options.get("lock") for options in found.values()}  # given up within other actions
    return {name: options for name, options in found.items() if name not in given}


def _replay(events: list[dict[str, Any]], primitives: Data) -> Iterator[str]:
    """The events one by one against the primitives' rules; what has no rule here is let pass."""
    states: dict[str, Any] = {}
    for e in events:
        name = str(e.get("on") or "").partition(".")[0]
        options = primitives.get(name.partition("[")[0])
        if options is None:
            continue
        if name not in states:
            rule = RULES.get(options["type"])
            states[name] = rule and rule(options, _most_readers(events, name))
        if states[name] is not None and not states[name].step(e):
            yield f"illegal: {e}"


def _most_readers(events: list[dict[str, Any]], pipe: str) -> int:
    """How many processes receive on one end of a pipe."""
    received = [e for e in events if e["action"] == "recv" and e["on"].startswith(f"{pipe}.")]
    pairs = {(e["on"], e["process"]) for e in received}
    return max(Counter(end for end, _ in pairs).values(), default=0)


class Permits:
    """Locks and semaphores: never below zero, and a lock never above one."""

    def __init__(self, options: Data, readers: int) -> None:
        self.permits = 1 if options["type"] == "lock" else options.get("value", 1)
        self.most = float("inf") if options["type"] == "semaphore" else self.permits

    def step(self, e: Data) -> bool:
        if e["action"] == "release" and e["status"] == "ok":
            self.permits += 1
        if e["action"] == "acquire" and e["status"] in ("ok", "timeout"):
            if not e["result"]:
                return bool(self.permits == 0)
            self.permits -= 1
        return bool(0 <= self.permits <= self.most)


class Flag:
    """Events: wait and is_set tell what set and clear have made of it."""

    def __init__(self, options: Data, readers: int) -> None:
        self.flag = False

    def step(self, e: Data) -> bool:
        if e["action"] in ("set", "clear") and e["status"] != "error":
            self.flag = e["action"] == "set"
        told = e["action"] in ("wait", "is_set") and e["status"] in ("ok", "timeout")
        return not told or e["result"] is self.flag


class Transfer:
    """Queues and pipes: what comes out went in before, once, and in each sender's order.

    Several readers of one pipe end may tear messages; then only the first two are asked for.
    """

    def __init__(self, options: Data, readers: int) -> None:
        self.torn = options["type"] == "pipe" and readers > 1
        self.slots = options.get("maxsize", 0)
        self.inside: dict[tuple[str, str], list[str]] = {}

    def step(self, e: Data) -> bool:
        if {"value", "result"} & set(e.get("shortened", ())):
            return True  # of what is no JSON nobody can say whether it is the same, or arrives
        if e["action"] in ("put", "send") and e["status"] in ("ok", "blocked"):
            sender = (e["process"], e["on"])
            self.inside.setdefault(sender, []).append(json.dumps(e["value"]))
            inside = sum(map(len, self.inside.values()))
            return e["status"] == "blocked" or self.slots <= 0 or inside <= self.slots
        if e["action"] not in ("get", "recv") or e["status"] != "ok":
            return True
        item = json.dumps(e["result"])
        for (_, end), items in self.inside.items():
            other_end = e["action"] == "get" or end != e["on"]
            if other_end and item in (items if self.torn else items[:1]):
                items.remove(item)
                return True
        return False


RULES: Mapping[str, Any] = {
    "lock": Permits,
    "semaphore": Permits,
    "bounded_semaphore": Permits,
    "event": Flag,
    "queue": Transfer,
    "joinable_queue": Transfer,
    "simple_queue": Transfer,
    "pipe": Transfer,
}


# The checker itself: a rule that never complains would prove nothing

PRIMITIVES = {
    "l": {"type": "lock"},
    "s": {"type": "semaphore", "value": 2},
    "e": {"type": "event"},
    "q": {"type": "queue"},
    "p": {"type": "pipe"},
}


def told(line: str, process: str = "a") -> dict[str, Any]:
    """`put q 1` as an event: action, on, value or result; `b put q 1` as another process's."""
    if line.startswith("b "):
        process, line = "b", line[2:]
    action, on, given = [*line.split(), "null", "null"][:3]
    key = "value" if action in ("put", "send") else "result"
    return {"process": process, "action": action, "on": on, key: json.loads(given), "status": "ok"}


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["acquire l true", "release l", "acquire l true"], 0),
        (["acquire l true", "acquire l true", "release l"], 1),
        (["acquire l true", "release l", "release l"], 1),
        (["acquire l false"], 1),
        (["acquire s true"] * 2, 0),
        (["acquire s true"] * 3, 1),
        (["set e", "wait e true", "is_set e true"], 0),
        (["wait e true", "set e"], 1),
        (["set e", "is_set e false"], 1),
        (["put q 1", "put q 2", "get q 1", "get q 2"], 0),
        (["get q 1", "put q 1"], 1),
        (["put q 1", "get q 1", "get q 1"], 1),
        (["put q 1", "put q 2", "get q 2"], 1),
        (["send p.conn1 1", "send p.conn2 1", "recv p.conn2 1", "recv p.conn1 1"], 0),
        (["send p.conn1 1", "recv p.conn1 1"], 1),
        (["recv p.conn2 1", "send p.conn1 1"], 1),
        (["send p.conn1 1", "send p.conn1 2", "recv p.conn2 2"], 1),
        (["send p.conn1 1", "send p.conn1 2", "recv p.conn2 2", "b recv p.conn2 1"], 0),
        (["send p.conn1 1", "recv p.conn2 1", "b recv p.conn2 1"], 1),
    ],
)
def test_checker_replays(lines: list[str], wrong: int) -> None:
    assert len(list(_replay([told(line) for line in lines], PRIMITIVES))) == wrong


LIFE = ("main begin", "main start a", "a begin", "a end", "main join a true", "main end")


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ((0, 1, 2, 3, 4, 5), ""),
        ((0, 2, 1, 3, 4, 5), "begin before start"),
        ((0, 1, 2, 4, 3, 5), "join before end"),
        ((0, 1, 3, 2, 4, 5), "begin is not first"),
        ((0, 1, 2, 3, 5, 4), "end is not last"),
        ((0, 1, 2, 4, 5), "end is not last"),
    ],
)
def test_checker_follows_lives(order: tuple[int, ...], wrong: str) -> None:
    events = []
    for each in order:
        process, _, rest = LIFE[each].partition(" ")
        events.append({**told(rest, process), "exitcode": 0})
    found = list(_lives(events, {"exitcodes": {"main": 0, "a": 0}}))
    assert any(wrong in each for each in found) if wrong else found == []


def test_checker_looks_at_numbers_and_times() -> None:
    good = {"process": "a", "action": "begin", "status": "ok", "seq": 1, "t": 0.2, "began": 0.1}
    more = {**good, "action": "print", "line": 3, "seq": 2, "t": 0.4, "began": 0.3}
    footer = {"end": "completed", "duration": 1}
    assert list(_form([good, more], footer, 9)) == []
    for change in ({"seq": 3}, {"t": 0.1}, {"t": 2}, {"began": 0.1}, {"line": 10}, {"status": "?"}):
        assert list(_form([good, {**more, **change}], footer, 9)), change
