"""Traces verified: what a run has written is accepted, what was changed by hand is refused, and
the first event that is wrong is named."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mpflow import api
from mpflow.scenario import Choice
from mpflow.verify import Finding, NoTrace

SCENARIOS = sorted((Path(__file__).resolve().parent.parent / "scenarios").glob("*.yaml"))
OWN_TIME = {"clock_class": {"interval": 0.1}}  # Python code sleeps in its own time

WORK = """\
mpflow: 1
params: {items: 3}
primitives: {jobs: queue, printer: lock, link: pipe, go: event}
processes:
  producer:
    actions:
      - wait: {for: go, into: ready}
      - repeat: {times: $items, as: i, do: [{put: {value: "$([i, (i, 2)])", to: jobs}}]}
      - with: {lock: printer, do: [{print: made $items}]}
      - send: {value: over, to: link.conn1}
  consumer:
    vars: {seen: 0}
    actions:
      - repeat:
          times: $items
          do:
            - get: {from: jobs, into: x}
            - let: {seen: "$(seen + x[0])"}
            - print: got $x
      - choose: {from: [red, green, blue], into: colour}
      - section: {name: quiet, do: [{mark: $colour}]}
      - try: {do: [{raise: {error: KeyError, message: gone}}], except: {KeyError: [pass]}}
      - acquire: {lock: printer, timeout: 5, into: got}
      - release: printer
      - recv: {from: link.conn2, into: last}
      - sleep: 0.02
      - exit: 3
main:
  - start: [producer, consumer]
  - set: go
  - join: {process: [producer, consumer]}
  - exitcode: {process: consumer, into: code}
outcome: {seen: consumer.seen, code: main.code}
expect: {exitcode: {consumer: 3}}
"""

FORK = """\
mpflow: 1
primitives: {left: lock, right: lock}
processes:
  ann: {actions: [{acquire: left}, {sleep: 0.1}, {acquire: right}, {print: ann eats}]}
  bob: {actions: [{acquire: right}, {sleep: 0.1}, {acquire: left}, {print: bob eats}]}
expect: {deadlock: always}
"""

MADE = """\
mpflow: 1
primitives:
  c: condition
  door: {type: barrier, parties: 1}
  j: joinable_queue
  s: simple_queue
  v: {type: value, typecode: b, initial: 200}
  a: {type: array, size: 2}
  ml: manager_list
  md: manager_dict
  link: pipe
processes:
  p:
    actions:
      - with: {lock: c, do: [{wait: {for: c, timeout: 0.01}}, {notify: {condition: c, n: 2}}]}
      - wait: door
      - try: {do: [{task_done: j}], except: {ValueError: [pass]}}
      - put: {value: 1, to: j}
      - task_done: j
      - join: j
      - put: {value: one, to: s}
      - get: s
      - load: v
      - store: {value: 5, to: v}
      - load: v
      - store: {value: 7, to: a, at: 1}
      - load: {from: a, at: -1}
      - append: {value: 3, to: ml}
      - load: {from: ml, at: 0}
      - store: {value: 4, to: md, at: four}
      - pop: {from: md, at: four}
      - send_bytes: {value: text, to: link.conn1}
      - recv_bytes: link.conn2
      - crash
expect: {exitcode: {p: -9}}
"""

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lines]:
    """Two runs that complete and one that ends in a deadlock, as lines of JSON."""
    folder = tmp_path_factory.mktemp("traces")
    found = {}
    for name, text in (("work", WORK), ("fork", FORK), ("made", MADE)):
        (folder / f"{name}.yaml").write_text(text)
        loaded = api.load(str(folder / f"{name}.yaml"), Choice(start_method="fork"))
        assert loaded.problems == []
        trace = api.run(loaded.scenarios[0], quiet=True, seed=1)
        assert trace.verdict.word == "passed"
        found[name] = [json.loads(line) for line in trace.lines()]
    return found


def written(lines: Lines, path: Path, *, digest: bool = True) -> str:
    """A trace's file; the digest is that of the lines as they are now, if it is to be."""
    texts = [json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines]
    if digest and "sha256" in lines[-1]:
        above = "".join(text + "\n" for text in texts[:-1])
        last = {key: each for key, each in lines[-1].items() if key != "sha256"}
        above += json.dumps(last, separators=(",", ":"), ensure_ascii=False)
        last["sha256"] = hashlib.sha256(above.encode()).hexdigest()
        texts[-1] = json.dumps(last, separators=(",", ":"), ensure_ascii=False)
    path.write_text("".join(text + "\n" for text in texts))
    return str(path)


def one(path: str) -> Finding:
    (finding,) = api.verify(path)
    return finding


def place(lines: Lines, **wanted: Any) -> int:
    """Which event is the first one like this; events count from 1, as lines do behind a header."""
    return next(i for i, e in enumerate(lines) if i and wanted.items() <= e.items())


def renumber(lines: Lines) -> None:
    for number, event in enumerate(lines[1:-1], 1):
        event["seq"] = number


def changed(wanted: dict[str, Any], **change: Any) -> Callable[[Lines], int]:
    """Some keys of an event are others."""

    def damage(lines: Lines) -> int:
        at = place(lines, **wanted)
        lines[at].update(change)
        return at

    return damage


def without(wanted: dict[str, Any], *names: str) -> Callable[[Lines], int]:
    def damage(lines: Lines) -> int:
        at = place(lines, **wanted)
        for name in names:
            del lines[at][name]
        return at

    return damage


def dropped(wanted: dict[str, Any], then: dict[str, Any] | None) -> Callable[[Lines], int]:
    """An event is missing; which one is wrong then (None: the gap is seen in the numbers)."""

    def damage(lines: Lines) -> int:
        at = place(lines, **wanted)
        del lines[at]
        if then is None:
            return at
        renumber(lines)
        return place(lines, **then)

    return damage


def swapped(keep_t: bool, numbers: bool) -> Callable[[Lines], int]:
    """Two events of one process change places; which is wrong is the first of the two."""

    def damage(lines: Lines) -> int:
        own = [i for i, e in enumerate(lines) if e.get("process") == "consumer"]
        at = next(i for i, j in pairwise(own[2:]) if j == i + 1)
        first, second = lines[at], lines[at + 1]
        lines[at : at + 2] = [second, first]
        if keep_t:
            for key in ("t", "began"):
                first[key], second[key] = second[key], first[key]
        if numbers:
            renumber(lines)
        return at

    return damage


def doubled(lines: Lines) -> int:
    at = place(lines, process="consumer", action="get")
    lines.insert(at + 1, deepcopy(lines[at]))
    return at + 1


def doubled_and_numbered(lines: Lines) -> int:
    at = doubled(lines)
    lines[at]["began"] = lines[at]["t"]
    renumber(lines)
    return at


def early(lines: Lines) -> int:
    at = place(lines, process="producer", action="begin")
    event = {**lines[place(lines, action="mark")], "process": "producer"}
    lines.insert(at, {**event, "t": lines[at]["t"], "began": lines[at]["t"]})
    renumber(lines)
    return at


def late(lines: Lines) -> int:
    at = place(lines, process="producer", action="end")
    event = {**lines[place(lines, process="producer", action="print")], "t": lines[at]["t"]}
    lines.insert(at + 1, event)
    renumber(lines)
    return at + 1


def back(lines: Lines) -> int:
    at = place(lines, action="mark")
    lines[at]["t"] = lines[at - 1]["t"] - 0.001
    lines[at]["began"] = 0.001
    return at


def joined_early(lines: Lines) -> int:
    """A join stands before the end that it has seen, with its time."""
    end = place(lines, process="consumer", action="end")
    join = place(lines, action="join", on="consumer")
    lines.insert(end, {**lines.pop(join), "t": lines[end]["began"], "began": lines[end]["began"]})
    lines[end]["t"] = lines[end + 1]["began"]
    renumber(lines)
    for event in lines[end : len(lines) - 1]:
        event["t"] = max(event["t"], lines[end - 1]["t"])
    lines[end]["began"] = 0.0 + lines[place(lines, action="join")]["began"]
    return end


def stuck(lines: Lines) -> int:
    at = place(lines, process="consumer", action="mark")
    lines[at]["status"] = "blocked"
    del lines[at]["result"]
    return at + 1 + next(i for i, e in enumerate(lines[at + 1 :]) if e.get("process") == "consumer")


GET = {"process": "consumer", "action": "get"}
PUT = {"process": "producer", "action": "put"}
PRINT = {"process": "producer", "action": "print"}
END = {"process": "consumer", "action": "end"}
MARK = {"process": "consumer", "action": "mark"}

EVENTS: dict[str, tuple[str, Callable[[Lines], int]]] = {
    "swapped": ("work", swapped(False, False)),
    "swapped, renumbered": ("work", swapped(False, True)),
    "swapped, times exchanged": ("work", swapped(True, False)),
    "swapped, times exchanged, renumbered": ("work", swapped(True, True)),
    "dropped": ("work", dropped(PUT, None)),
    "dropped a get, renumbered": ("work", dropped(GET, {"process": "consumer", "action": "print"})),
    "dropped a begin": ("work", dropped({**GET, "action": "begin"}, {"process": "consumer"})),
    "doubled": ("work", doubled),
    "doubled, renumbered": ("work", doubled_and_numbered),
    "a value": ("work", changed(PUT, value=[7, [7, 2]])),
    "a text": ("work", changed(PRINT, value="made 4")),
    "a value of another type": ("work", changed(PRINT, value=["made 3"])),
    "a value that was not there": ("work", changed(MARK, value=1)),
    "a result": ("work", changed(GET, result=[0, [0, 3]])),
    "a result, as if not got": ("work", changed(GET, result=None)),
    "a lock not got": ("work", changed({"action": "acquire", "process": "consumer"}, result=False)),
    "an event not set": ("work", changed({"action": "wait"}, result="yes")),
    "a result of what has none": ("work", changed({"action": "release"}, result=True)),
    "a choice that was not offered": ("work", changed({"action": "choose"}, result="black")),
    "an exit code seen": ("work", changed({"action": "exitcode"}, result=0)),
    "status": ("work", changed(MARK, status="timeout")),
    "status blocked": ("work", stuck),
    "status unknown": ("work", changed(MARK, status="fine")),
    "an error's type": (
        "work",
        changed({"action": "raise"}, error={"type": "ValueError", "message": "'gone'"}),
    ),
    "an error's message": (
        "work",
        changed({"action": "raise"}, error={"type": "KeyError", "message": "'here'"}),
    ),
    "no error": ("work", without({"action": "raise"}, "error")),
    "line": ("work", changed(GET, line=20)),
    "no line": ("work", without(GET, "line")),
    "code": ("work", changed(GET, code="module:3")),
    "on": ("work", changed(GET, on="link.conn1")),
    "on an unknown primitive": ("work", changed(PUT, on="tasks")),
    "on missing": ("work", without(PUT, "on")),
    "process": ("work", changed(PRINT, process="consumer")),
    "an unknown process": ("work", changed(PRINT, process="nobody")),
    "action": ("work", changed(GET, action="recv")),
    "an unknown action": ("work", changed(MARK, action="dance")),
    "phase": ("work", changed({"action": "section"}, phase="leave")),
    "began after t": ("work", changed(MARK, began=1e3)),
    "began below zero": ("work", changed(MARK, began=-1.0)),
    "began before the event above was over": ("work", changed(MARK, began=0.0)),
    "t goes back": ("work", back),
    "t is no number": ("work", changed(MARK, t="soon")),
    "an unknown key": ("work", changed(MARK, colour="red")),
    "before its begin": ("work", early),
    "behind its end": ("work", late),
    "exit code": ("work", changed(END, exitcode=0)),
    "the error at an end": ("work", changed(END, error={"type": "KeyError", "message": "x"})),
    "ended before its steps": (
        "work",
        dropped({"process": "consumer", "action": "exit"}, END),
    ),
    "suspect": ("work", changed(MARK, suspect="no order allows this")),
    "joined before its end": ("work", joined_early),
    "a deadlock's wait that came back": (
        "fork",
        changed({"status": "blocked", "action": "acquire"}, status="ok", result=True),
    ),
    "a wait that nobody ended": (
        "made",
        changed({"action": "wait", "on": "c"}, result=True, status="ok"),
    ),
    "how many were notified": ("made", changed({"action": "notify"}, value=1)),
    "a place at a barrier": ("made", changed({"action": "wait", "on": "door"}, result=True)),
    "a task that could be done": (
        "made",
        dropped({"action": "put", "on": "j"}, {"action": "task_done", "status": "ok"}),
    ),
    "a loaded value": ("made", changed({"action": "load", "on": "v"}, result=200)),
    "a stored value": ("made", changed({"action": "store", "on": "v"}, value=6)),
    "where something was stored": ("made", changed({"action": "store", "on": "a"}, at=0)),
    "where something was loaded": ("made", changed({"action": "load", "on": "a"}, at=0)),
    "a loaded item": ("made", changed({"action": "load", "on": "a"}, result=8)),
    "an item of a list": ("made", changed({"action": "load", "on": "ml"}, result=4)),
    "an item of a dict": ("made", changed({"action": "pop"}, result=5)),
    "another's line": ("made", changed({"action": "get", "on": "s"}, result="two")),
    "bytes": ("made", changed({"action": "recv_bytes"}, result="b'next'")),
    "false for a place at a barrier": (
        "made",
        changed({"action": "wait", "on": "door"}, result=False),
    ),
    "a place beyond a barrier": ("made", changed({"action": "wait", "on": "door"}, result=7)),
    "a limit where none belongs": ("made", changed({"action": "crash"}, limited=True)),
    "stopped by another end": ("fork", changed({"action": "end"}, stopped="sometimes")),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_changed_event_is_refused_and_named(
    name: str, traces: dict[str, Lines], tmp_path: Path
) -> None:
    source, damage = EVENTS[name]
    lines = deepcopy(traces[source])
    wrong = damage(lines)
    finding = one(written(lines, tmp_path / "t.jsonl"))
    assert (finding.accepted, finding.event) == (False, wrong), finding
    assert finding.place.startswith(f"event {wrong} (")


def header(**change: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[0].update(change)


def scenario(**change: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[0]["scenario"].update(change)


def footer(**change: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[-1].update(change)


OTHERS: dict[str, tuple[str, str, Callable[[Lines], Any]]] = {
    "version": ("work", "header", header(mpflow_trace=2)),
    "mode": ("work", "header", header(mode="walk")),
    "start method": ("work", "header", header(start_method="thread")),
    "another key": ("work", "header", header(colour=1)),
    "params": ("work", "header", scenario(params={"items": 3, "more": 1})),
    "a param's value": ("work", "event", scenario(params={"items": 2})),
    "sha256": ("work", "header", scenario(sha256="0" * 64)),
    "a param of the wrong type": ("work", "event", scenario(params={"items": "many"})),
    "name": ("work", "header", scenario(name="play")),
    "case": ("work", "header", scenario(case="items=3")),
    "seed": ("work", "event", header(seed=5)),
    "no header": ("work", "header", lambda lines: lines.pop(0)),
    "a key is missing": ("work", "header", lambda lines: lines[0].pop("seed")),
    "no footer": ("work", "the end", lambda lines: lines.pop()),
    "end": ("work", "footer", footer(end="deadlock")),
    "an unknown end": ("work", "footer", footer(end="bored")),
    "duration": ("work", "footer", footer(duration=0.001)),
    "exit codes": ("work", "footer", footer(exitcodes={"main": 0, "producer": 0, "consumer": 0})),
    "an exit code too few": ("work", "footer", footer(exitcodes={"main": 0, "producer": 0})),
    "outcome": ("work", "footer", footer(outcome={"seen": 4, "code": 3})),
    "verdict": ("work", "footer", footer(verdict="failed")),
    "failures": ("work", "footer", footer(failures=["it failed"])),
    "completed": ("fork", "footer", footer(end="completed")),
    "the deadlock is not told": ("fork", "footer", lambda lines: lines[-1].pop("deadlock")),
    "no end of a process": (
        "work",
        "footer",
        lambda lines: (lines.pop(place(lines, process="main", action="end")), renumber(lines)),
    ),
    "a second header": ("work", "event", lambda lines: lines.insert(5, lines[0])),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_changed_header_or_footer_is_refused(
    name: str, traces: dict[str, Lines], tmp_path: Path
) -> None:
    source, where, damage = OTHERS[name]
    lines = deepcopy(traces[source])
    damage(lines)
    finding = api.verify(written(lines, tmp_path / "t.jsonl"))[0]
    assert not finding.accepted
    assert finding.place.startswith(where), finding


def test_what_no_rule_sees_the_digest_does(traces: dict[str, Lines], tmp_path: Path) -> None:
    """A pid may be any: only the digest tells that it was another."""
    lines = deepcopy(traces["work"])
    lines[place(lines, action="begin")]["pid"] += 1
    finding = one(written(lines, tmp_path / "t.jsonl", digest=False))
    assert finding.reason == "something in this trace was changed that no rule sees"
    lines = deepcopy(traces["work"])
    del lines[-1]["sha256"]
    assert one(written(lines, tmp_path / "t.jsonl")).accepted


RAW: dict[str, Callable[[list[bytes]], Any]] = {
    "a line cut off": lambda raw: raw.__setitem__(4, raw[4][:40] + b"\n"),
    "the last line cut off": lambda raw: raw.__setitem__(-1, raw[-1][:40]),
    "cut off in the middle": lambda raw: raw.__delitem__(slice(6, None)),
    "garbage": lambda raw: raw.insert(4, b"\xff\xfe\x00 garbage\n"),
    "an empty line": lambda raw: raw.insert(4, b"\n"),
    "no object": lambda raw: raw.insert(4, b"[1, 2]\n"),
    "NaN": lambda raw: raw.__setitem__(4, raw[4].replace(b'"seq":4', b'"seq":NaN')),
    "no finite number": lambda raw: raw.__setitem__(4, raw[4].replace(b'"t":', b'"t":1e999,"x":')),
    "a huge integer": lambda raw: raw.__setitem__(
        4, raw[4].replace(b'"seq":4', b'"seq":' + b"9" * 5000)
    ),
    "too deep": lambda raw: raw.insert(4, b'{"a":' * 100_000 + b"\n"),
    "a long line": lambda raw: raw.insert(4, b"x" * 1_000_000 + b"\n"),
    "half a surrogate": lambda raw: raw.__setitem__(
        4, raw[4].replace(b'"action":"', b'"action":"\\ud800')
    ),
    "behind the footer": lambda raw: raw.append(b"more\n"),
}


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_line_of_a_trace_is_refused(
    name: str, traces: dict[str, Lines], tmp_path: Path
) -> None:
    path = Path(written(traces["work"], tmp_path / "t.jsonl"))
    raw = path.read_bytes().splitlines(keepends=True)
    RAW[name](raw)
    path.write_bytes(b"".join(raw))
    findings = api.verify(str(path))
    assert not all(finding.accepted for finding in findings)
    assert all(finding.reason.isprintable() for finding in findings)


def test_several_traces_in_a_file_are_checked_each(
    traces: dict[str, Lines], tmp_path: Path
) -> None:
    bad = deepcopy(traces["work"])
    at = EVENTS["on"][1](bad)
    whole = [written(each, tmp_path / "t") for each in (traces["fork"], bad, traces["work"])]
    texts = [
        Path(written(each, tmp_path / "t")).read_bytes()
        for each in (traces["fork"], bad, traces["work"])
    ]
    assert whole
    path = tmp_path / "all.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(texts)))
    findings = api.verify(str(path))
    assert [(f.name, f.accepted, f.event) for f in findings] == [
        ("fork", True, None),
        ("work", False, at),
        ("work", True, None),
    ]


def test_without_its_scenario_a_trace_is_still_checked(
    traces: dict[str, Lines], tmp_path: Path
) -> None:
    lines = deepcopy(traces["work"])
    lines[0]["scenario"]["path"] = "nowhere.yaml"
    finding = one(written(lines, tmp_path / "t.jsonl"))
    assert finding.accepted
    assert finding.notes == ("without its scenario: nowhere.yaml was not found",)
    at = place(lines, **GET)
    lines[at]["result"] = [8, 8]
    assert one(written(lines, tmp_path / "t.jsonl")).event == at


def test_a_scenario_is_found_beside_its_trace(traces: dict[str, Lines], tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text(WORK)
    lines = deepcopy(traces["work"])
    lines[0]["scenario"]["path"] = "work.yaml"
    finding = one(written(lines, tmp_path / "t.jsonl"))
    assert (finding.accepted, finding.notes) == (True, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"a: 1\n", "it holds no trace: the first line is no header")],
)
def test_a_file_that_holds_no_trace(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(NoTrace, match=reason):
        api.verify(str(path))


HOSTILE = """\
mpflow: 1
primitives: {go: event}
processes:
  p:
    actions:
      - set: go
      - repeat: {times: forever, do: [{try: {do: [pass], finally: [continue]}}]}
      - call: {function: "trap:spring"}
      - write: {file: written.txt, text: x}
main: [{start: p}, {wait: {for: go}}, {sleep: 0.2}, {kill: p}, {join: p}]
expect: {exitcode: {p: -9}}
"""


def ran(text: str, folder: Path, method: str = "fork") -> Path:
    """The file of the trace of a scenario's run."""
    (folder / "s.yaml").write_text(text)
    loaded = api.load(str(folder / "s.yaml"), Choice(start_method=method))
    assert loaded.problems == [], "\n".join(p.render() for p in loaded.problems)
    trace = api.run(loaded.scenarios[0], quiet=True, seed=1)
    path = folder / "t.jsonl"
    path.write_text("".join(trace.lines()))
    return path


def test_a_stranger_s_scenario_is_neither_run_nor_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpflow.verify.program.TURNS", 1000)
    (tmp_path / "trap.py").write_text("raise SystemExit(9)")
    finding = one(str(ran(HOSTILE, tmp_path)))
    assert finding.accepted, finding
    assert finding.notes[0].endswith("it goes round and round without an action")
    assert not (tmp_path / "written.txt").exists()


VALUES = """\
mpflow: 1
primitives:
  q: queue
  r: rlock
  s: {type: semaphore, value: 2}
processes:
  w:
    count: 3
    vars: {n: 0, word: no number}
    actions:
      - let: {pair: "$((index, 'a', 1.5))", text: "$('x' * 2000)"}
      - put: {value: "$([pair, {1, 2}, text, None])", to: q}
      - close: q
      - join_thread: q  # os_exit leaves no time for it
      - with: {lock: s, do: [{with: {lock: r, do: [{print: "$pair"}]}}]}
      - print: "$({'a', 'b', 'c'})"
      - print: $text
      - while:
          condition: n < 3
          do:
            - let: {n: "$(n + 1)"}
            - if: {condition: n == 2, then: [continue]}
            - mark: "m$n"
      - try:
          do: [{let: {x: "$(1 // 0)"}}]
          except: {ZeroDivisionError: [{print: "$(error.type): $(error.message)"}]}
      - if: {condition: index == 7, then: [{let: {later: 1}}]}
      - try: {do: [{print: $later}], except: {NameError: [{print: $(error.message)}]}}
      - try: {do: [{sleep: $word}], except: {TypeError: [pass]}}
      - if: {condition: index == 1, then: [{raise: {error: LookupError, message: no}}]}
      - if: {condition: index == 2, then: [{os_exit: 4}], else: [return]}
main:
  - start: all
  - print: $(w[0].pid) $(self.pid) $(time())
  - repeat: {times: 3, as: i, do: [{get: {from: q, into: got}}, {print: "$(got[0])"}]}
  - join: all
  - is_alive: {process: "w[1]", into: alive}
outcome: {n: "[w[0].n, w[2].n]", pair: "w[1].pair", got: "len(main.got)"}
expect: {exitcode: {"w[1]": 1, "w[2]": 4}}
"""

CODE = """\
mpflow: 1
primitives: {q: queue}
processes:
  target: {target: "code_of_verify:work", args: [$q]}
  caller:
    actions:
      - call: {function: "code_of_verify:pair", args: [1, 2], into: r}
      - print: got $r of $(r[0] + r[1])
      - for: {each: one, in: $r, do: [{print: $one}]}
      - call: {function: "code_of_verify:thing", into: thing}
      - print: $thing
      - try: {do: [{call: "code_of_verify:fail"}], except: {Odd: [{print: $(error.message)}]}}
      - if: {condition: "r == [1, 2]", then: [{print: a list}], else: [{print: a tuple}]}
      - call: "code_of_verify:leave"
main: [{start: all}, {get: {from: q, into: x}}, {join: all}]
expect: {exitcode: {caller: 4}}
"""

OWN = """\
mpflow: 1
primitives: {l: lock, q: queue, items: queue, done: event, whole: manager_list,
  row: {type: array, size: 600}, text: {type: array, typecode: u, initial: [a, b]}}
processes:
  starts: {target: "code_of_verify:own", args: [$l]}
  slices: {target: "code_of_verify:slices", args: [$whole, $row, $text]}
  odd:
    actions:
      - call: {function: "code_of_verify:odd", into: odd}
      - put: {value: "$(odd[0])", to: q}
      - put: {value: "$(odd[1])", to: q}
      - put: {value: 2, to: q}
      - wait: done
  gets: {actions: [{get: {from: q}}, {get: {from: q, into: x}}, {set: done}]}
outcome: {x: gets.x}
expect: {always: ["x == 2"]}
"""

MODULE = """\
import multiprocessing, threading
class Odd(ValueError): pass
def inside(l):
    with l: pass
def own(l):
    child = multiprocessing.Process(target=inside, args=(l,))
    child.start()
    child.join()
def slices(whole, row, text):
    whole[:] = [1, 2, 3]
    assert whole[:] == [1, 2, 3] and whole[-2::1] == [2, 3]
    whole[1:] = list(range(600))
    assert whole[5] == 4
    assert len(row[:]) == 600
    row[:] = list(range(600))
    assert row[1] == 1 and row[1:3] == [1, 2]
    text[:] = "cd"
    assert text[:] == "cd" and text[0] == "c"
def odd():
    itself = []
    itself.append(itself)
    return [threading.Lock(), itself]
def work(q): print("at work"); q.put((1, 2))
def pair(a, b): return a, b
def thing(): print("a thing"); return object()
def fail(): raise Odd("odd")
def leave(): raise SystemExit(4)
"""

KILLED = """\
mpflow: 1
primitives: {q: queue, l: lock, go: event, ready: event}
processes:
  k:
    vars: {n: 0}
    actions:
      - set: go
      - while: {condition: "True", do: [{let: {n: "$(n + 1)"}}, {with: {lock: l, do: [pass]}}]}
  stuck: {actions: [{set: ready}, {get: {from: q}}]}
main:
  - start: all
  - wait: {for: go}
  - wait: {for: ready}
  - sleep: 0.02
  - kill: [k, stuck]
  - join: all
outcome: {some: "k.n >= 0"}
expect: {exitcode: {k: -9, stuck: -9}}
"""

TIMEOUT = """\
mpflow: 1
timeout: 1
processes: {p: {actions: [{repeat: {times: forever, as: i, do: [{sleep: 0.1}]}}]}}
expect: {timeout: always}
"""


@pytest.mark.parametrize(
    "text",
    [VALUES, CODE, KILLED, TIMEOUT, OWN],
    ids=["values", "code", "killed", "timeout", "own processes and odd values"],
)
def test_what_a_run_has_written_is_accepted(text: str, method: str, tmp_path: Path) -> None:
    (tmp_path / "code_of_verify.py").write_text(MODULE)
    path = ran(text, tmp_path, method)
    assert '"verdict":"passed"' in path.read_text()
    assert '"suspect"' not in path.read_text()
    finding = one(str(path))
    assert finding.accepted, finding


def test_what_python_code_was_handed_is_replayed_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "code_of_verify.py").write_text("def idle(q): pass\n")
    text = """\
mpflow: 1
primitives: {q: queue}
processes:
  code: {target: "code_of_verify:idle", args: [$q]}
  a: {actions: [{put: {value: 1, to: q}}]}
  b: {actions: [{get: q}]}
"""
    path = ran(text, tmp_path)
    assert one(str(path)).accepted
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    at = place(lines, process="b", action="get")
    lines[at]["result"] = 9
    finding = one(written(lines, tmp_path / "t.jsonl"))
    assert (finding.accepted, finding.event) == (False, at)


def test_a_trace_without_its_digest_is_told(traces: dict[str, Lines], tmp_path: Path) -> None:
    lines = deepcopy(traces["work"])
    del lines[-1]["sha256"]
    finding = one(written(lines, tmp_path / "t.jsonl"))
    assert finding.accepted
    assert finding.notes == ("it has no digest: what no rule sees may have been changed",)


def test_the_digest_is_of_the_footer_as_well(traces: dict[str, Lines], tmp_path: Path) -> None:
    lines = deepcopy(traces["work"])
    lines[-1]["duration"] += 1
    finding = one(written(lines, tmp_path / "t.jsonl", digest=False))
    assert not finding.accepted
    assert "no rule sees" in finding.reason


def test_how_far_a_process_was_followed_is_told(tmp_path: Path) -> None:
    (tmp_path / "code_of_verify.py").write_text(MODULE)
    notes = "\n".join(one(str(ran(CODE, tmp_path))).notes)
    assert "process caller could be followed up to event" in notes
    assert "it depends on whether something is a list or a tuple" in notes


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_s_trace_is_accepted(path: Path, method: str, tmp_path: Path) -> None:
    choice = Choice(OWN_TIME.get(path.stem, {}), method)
    for case in api.load(str(path), choice).scenarios:
        trace = api.run(case, quiet=True, time_scale=0.05)
        file = tmp_path / "t.jsonl"
        file.write_text("".join(trace.lines()))
        assert one(str(file)).accepted, one(str(file))


def test_the_command(traces: dict[str, Lines], tmp_path: Path) -> None:
    good = written(traces["work"], tmp_path / "good.jsonl")
    lines = deepcopy(traces["work"])
    at = EVENTS["on"][1](lines)
    bad = written(lines, tmp_path / "bad.jsonl")

    def command(*paths: str, given: str = "") -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "mpflow", "verify", *paths],
            input=given,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    count = len(lines) - 2
    assert command(good) == (0, f"verified: work ({good}): {count} events\n", "")
    code, out, _ = command(good, bad)
    assert code == 1
    assert f"refused: event {at} (consumer get link.conn1, line 17): " in out
    assert command("-", given=Path(good).read_text())[0] == 0
    assert command(str(tmp_path / "none.jsonl")) == (
        2,
        "",
        f"mpflow: {tmp_path / 'none.jsonl'}: No such file or directory\n",
    )


CHANGED = """\
mpflow: 1
primitives: {q: queue}
processes:
  p:
    actions:
      - let: {mine: [1], other: [2]}
      - call: {function: "operator:iadd", args: [[5], [6]]}
      - put: {value: $mine, to: q}
      - call: {function: "operator:iadd", args: [$mine, [2]]}
      - put: {value: $mine, to: q}
main: [{start: p}, {get: {from: q}}, {get: {from: q}}, {join: p}]
expect: {exitcode: {p: [0, 1]}}
"""


def test_what_a_call_has_changed_is_not_held_against_a_trace(tmp_path: Path) -> None:
    """A list that Python code was handed may be another one behind the call."""
    finding = one(str(ran(CHANGED, tmp_path)))
    assert (finding.accepted, finding.reason) == (True, "")
    (note,) = finding.notes
    assert note.endswith("what `call` did to what it was handed")
    assert "up to event" in note


HONEST = {
    "no number": "{d: {type: value, typecode: d}}"
    " | [{store: {value: $(float('nan')), to: d}}, {load: d}]",
    "letters": "{d: {type: array, typecode: c, size: 1}}"
    " | [{store: {value: $(b'q'), to: d, at: 0}}, {load: {from: d, at: 0}}]",
    "keys too long to be shown, which begin alike": "{md: manager_dict}"
    " | [{store: {value: 1, to: md, at: $('k' * 1200)}}, {load: {from: md, at: $('k' * 1200)}},"
    " {store: {value: 2, to: md, at: $('k' * 1201)}}, {length: {of: md}},"
    " {pop: {from: md, at: $('k' * 1200)}}]",
    "bytes as a key": "{md: manager_dict}"
    " | [{store: {value: 1, to: md, at: $(b'k')}}, {load: {from: md, at: $(b'k')}}]",
    "tuples as keys": "{md: manager_dict}"
    " | [{store: {value: 1, to: md, at: '$((1, (2, 3)))'}}, {length: {of: md}},"
    " {pop: {from: md, at: '$((1, (2, 3)))'}},"
    " {try: {do: [{load: {from: md, at: '$((1, (2, 3)))'}}], except: {KeyError: [pass]}}},"
    " {try: {do: [{load: {from: md, at: [1]}}], except: {TypeError: [pass]}}}]",
    "a key that looks like a slice": "{md: manager_dict}"
    " | [{store: {value: 1, to: md, at: '1:2:3'}}, {load: {from: md, at: '1:2:3'}}]",
    "a text that looks like a slice": "{ml: manager_list}"
    " | [{try: {do: [{load: {from: ml, at: '1:2:3'}}], except: {TypeError: [pass]}}}]",
    "a value on a condition's lock": "{m: lock, c: {type: condition, lock: m},"
    " v: {type: value, lock: m}}"
    " | [{with: {lock: m, do: [{wait: {for: c, timeout: 0.01}}]}}, {load: v}]",
    "a pool's missing function": "{p: {type: pool, workers: 1}}"
    " | [{try: {do: [{apply: {pool: p, function: 'math:no'}}], except: {AttributeError: [pass]}}}]",
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_trace_is_accepted(name: str, tmp_path: Path) -> None:
    primitives, main = HONEST[name].split(" | ")
    text = f"mpflow: 1\nprimitives: {primitives}\nprocesses: {{}}\nmain: {main}\n"
    finding = one(str(ran(text, tmp_path)))
    assert (finding.accepted, finding.reason) == (True, "")


def test_an_end_that_no_pipe_has_is_refused(traces: dict[str, Lines], tmp_path: Path) -> None:
    lines = deepcopy(traces["made"])
    at = place(lines, action="recv_bytes")
    lines[at]["on"] = "link.conn3"
    assert one(written(lines, tmp_path / "t.jsonl")).event == at
