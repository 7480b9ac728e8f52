"""Many processes at once on every primitive: the trace is legal, judged by other code."""

from __future__ import annotations

from itertools import pairwise

import pytest
from crowd import DECLARED, crowd
from legal import first_fault
from throng import DECLARED as THRONG
from throng import TOGETHER, throng

from mpflow import api
from mpflow.trace import Event, Trace


def test_the_order_of_a_crowd_is_legal(run, method):
    trace = run(crowd(turns=100, deaths=4), method, delays=True)
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    assert first_fault(trace, DECLARED) is None
    assert len(trace.events) > 20_000


def test_the_order_of_a_throng_is_legal(run, method, tmp_path):
    trace = run(throng(turns=60), method, delays=True)
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    assert first_fault(trace, THRONG, TOGETHER) is None
    assert len(trace.events) > 12_000
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(trace.lines()), encoding="utf-8")
    (found,) = api.verify(str(path))
    assert (found.accepted, found.reason) == (True, "")


def test_the_judge_finds_a_damaged_trace(run):
    """The other code can fail: any two neighbours on one lock, swapped, are an impossible order."""
    trace = run(
        """
        primitives: {l: lock}
        processes: {w: {count: 2, actions: [{with: {lock: l, do: [pass]}}]}}
        """
    )
    declared = {"l": ("lock", 1)}
    on_lock = [i for i, e in enumerate(trace.events) if e.on == "l"]
    assert first_fault(trace, declared) is None
    for one, other in pairwise(on_lock):
        events = list(trace.events)
        events[one], events[other] = events[other], events[one]
        assert first_fault(_numbered(trace, events), declared) is not None


def _numbered(trace: Trace, events: list[Event]) -> Trace:
    damaged = (e._replace(seq=i, t=0.0, began=0.0) for i, e in enumerate(events, 1))
    return trace._replace(events=tuple(damaged))


# What is declared as x, and what was done to it, by whom: the last thing cannot be. An action is
# followed by what was handed over or came back; `!` stands for an error, `?` for no end.
IMPOSSIBLE = {
    "a lock with two holders": ("lock 1", "a acquire True", "b acquire True"),
    "a failed try of a free lock": ("lock 1", "a acquire True", "a release", "b acquire False"),
    "a held lock, whose release is refused": ("lock 1", "a acquire True", "a release !"),
    "a semaphore below zero": ("semaphore 1", "a acquire True", "b acquire True"),
    "a permit that one dead process took twice": (
        *("semaphore 1", "a acquire ?", "b acquire False", "b release"),
        *("b acquire True", "b release", "b acquire False"),
    ),
    "one that is not full, whose release is refused": (
        "bounded_semaphore 2",
        "a acquire True",
        "a release !",
    ),
    "another's recursive lock": ("rlock 1", "a acquire True", "a acquire True", "b acquire True"),
    "a release by another": ("rlock 1", "a acquire True", "b release"),
    "one release of two": (
        *("rlock 1", "a acquire True", "a acquire True", "a release", "b acquire True"),
    ),
    "a flag read before it is set": ("event 0", "a is_set True"),
    "a flag that is up, waited for in vain": ("event 0", "a set", "b wait False"),
    "an item before it was put": ("queue 0", "a get 1"),
    "an item got twice": ("queue 0", "a put 1", "b get 1", "c get 1"),
    "items out of their producer's order": ("queue 0", "a put 1", "a put 2", "b get 2"),
    "a queue above its size": ("queue 1", "a put 1", "b put 2"),
    "two items lost with one dead getter": (
        *("queue 1", "a put 1", "b get ?", "a put 2", "a put 3"),
    ),
    "a message before it was sent": ("pipe 0", "a recv.conn1 1"),
    "a message to oneself": ("pipe 0", "a send.conn1 1", "a recv.conn1 1"),
    "a message on the way and none to be seen": ("pipe 0", "a send.conn1 1", "b poll.conn2 False"),
    "none on the way, and one to be seen": ("pipe 0", "b poll.conn2 True"),
    "a lock of two, with no wait between": (
        *("condition 0", "a acquire True", "b acquire True", "b release", "a release"),
    ),
    "woken by nobody": ("condition 0", "a acquire True", "a wait True"),
    "a place given twice": ("barrier 2", "a wait 0", "b wait 0"),
    "a task done that was never put": ("joinable_queue 0", "a put 1", "a task_done", "a task_done"),
    "all done, with one left": ("joinable_queue 0", "a put 1", "a join"),
    "the second first": ("simple_queue 0", "a put 1", "b put 2", "a get 2"),
    "what was never stored": ("value 0", "a store 3", "b load 4"),
    "a value that another one holds": ("value 0", "a acquire True", "b load 0"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_judge_knows_what_cannot_be(name, run):
    declared, *done = IMPOSSIBLE[name]
    type_name, size = declared.split()
    start = [_event(f"main start.{who}") for who in "abc"] + [_event(f"{w} begin") for w in "abc"]
    events = [_event("main begin"), *start, *(_event(each) for each in done)]
    trace = _numbered(Trace({}, (), "completed", 0.0, {}, {}, {}), events)
    known = {"x": (type_name, int(size))}
    assert first_fault(trace._replace(events=trace.events[:-1]), known) is None
    fault = first_fault(trace, known)
    assert fault is not None
    assert fault.startswith(f"event {len(events)}: ")


def _event(text: str) -> Event:
    who, action, *told = text.split()
    action, _, part = action.partition(".")
    on = {"begin": None, "start": part}.get(action, f"x.{part}" if part else "x")
    word = told[0] if told else ""
    what = {"True": True, "False": False}.get(word, int(word) if word.isdigit() else word)
    status = {"!": "error", "?": "blocked"}.get(word, "ok")
    handed = action in ("put", "send", "store")
    value, result = (what, None) if handed else (None, what)
    return Event(0, 0.0, who, action, on, 1, value, result, status, None, 0.0)
