"""What Python code is handed behaves as the real object does, and what is done to it is traced."""

from __future__ import annotations

import multiprocessing
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import standing
from conftest import event, told

from mpflow import registry
from mpflow.engine.lanes import lanes
from mpflow.engine.standin import standin

ALL = """
    primitives: {l: lock, e: event, q: queue, c: pipe}
    processes: {p: {%s: "standing:%s", args: [$l, $e, $q, $(c.conn1), $(c.conn2)]}}
"""


@pytest.fixture(autouse=True)
def find_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


# What stands in the trace


def _by_code(trace, process):
    found = [e for e in trace.events if e.process == process and "code" in e.extra]
    assert all(e.line is None for e in found)
    return [(e.extra["code"], e.action, e.on, e.value, e.result, e.status) for e in found]


EXPECTED = [(f"standing:{line}", *rest) for line, *rest in standing.LINES]


def test_each_action_of_a_target_stands_in_the_trace_with_its_place(run, method):
    trace = run(ALL % ("target", "use_all"), method)
    assert (trace.verdict.word, _by_code(trace, "p")) == ("passed", EXPECTED)


def test_each_action_of_a_call_stands_in_the_trace_with_its_place(run):
    trace = run(
        """
        primitives: {l: lock, e: event, q: queue, c: pipe}
        processes:
          p:
            actions:
              - call: {function: "standing:use_all", args: [$l, $e, $q, $c.conn1, $c.conn2]}
              - acquire: l
        """.replace("$c.conn1, $c.conn2", '"$(c.conn1)", "$(c.conn2)"')
    )
    assert (trace.verdict.word, _by_code(trace, "p")) == ("passed", EXPECTED)
    assert told(trace, "p")[-2] == ("acquire", "l", "ok")


def test_a_process_subclass_keeps_stand_ins_in_its_attributes(run, method):
    trace = run(
        """
        primitives: {q: queue, l: lock}
        processes: {w: {class: "standing:Worker", args: [$q], kwargs: {lock: $l}}}
        main: [{start: w}, {get: {from: q, into: name}}, {join: w}]
        expect: {always: [main.name == 'w']}
        """,
        method,
    )
    assert trace.verdict.word == "passed"
    assert [e[1:3] for e in _by_code(trace, "w")] == [
        ("acquire", "l"),
        ("put", "q"),
        ("release", "l"),
    ]


def test_threads_have_their_own_order_and_the_process_ends_behind_them(run):
    trace = run(
        """
        primitives: {l: lock}
        processes: {p: {target: "standing:count_in_threads", args: [$l, 20]}}
        """
    )
    own = [e[0] for e in told(trace, "p")]
    assert trace.verdict.word == "passed"
    assert (own.count("acquire"), own.count("release"), own[-1]) == (40, 40, "end")


def test_a_process_that_python_code_starts_is_in_the_trace(run, method):
    trace = run(
        """
        primitives: {q: queue, l: lock}
        processes: {p: {target: "standing:with_own_process", args: [$q, $l]}}
        """,
        method,
    )
    assert trace.verdict.word == "passed"
    assert told(trace, "own") == [
        ("begin", None, "ok"),
        ("acquire", "l", "ok"),
        ("put", "q", "ok"),
        ("release", "l", "ok"),
    ]
    assert trace.exitcodes == {"main": 0, "p": 0}


def test_a_bare_fork_is_told_apart_from_its_parent(run):
    trace = run(
        """
        primitives: {l: lock}
        processes: {p: {target: "standing:with_fork", args: [$l]}}
        """
    )
    (child,) = {e.process for e in trace.events} - {"main", "p"}
    assert trace.verdict.word == "passed"
    assert child.startswith("p (")
    assert [e[0] for e in told(trace, child)] == ["begin", "acquire", "release"]
    assert [e[0] for e in told(trace, "p")] == ["begin", "end"]


def test_an_end_that_is_sent_through_a_pipe_is_still_traced(run, method):
    trace = run(
        """
        primitives: {c: pipe, d: pipe}
        processes:
          s: {target: "standing:send_an_end", args: [$(c.conn1), $(d.conn1)]}
          r: {target: "standing:receive_an_end", args: [$(c.conn2), $(d.conn2)]}
        """,
        method,
    )
    assert trace.verdict.word == "passed"
    assert ("send", "d.conn1", "ok") in told(trace, "r")


def test_a_handler_acts_within_an_action(run):
    trace = run(
        """
        primitives: {l: lock, q: queue}
        processes: {p: {target: "standing:handle_alarm", args: [$l, $q]}}
        """
    )
    own = told(trace, "p")
    assert (trace.end, trace.verdict.word) == ("completed", "passed")
    assert sorted(own[1:-1]) == [
        ("acquire", "l", "ok"),
        ("acquire", "l", "ok"),
        ("get", "q", "ok"),
        ("put", "q", "ok"),
        ("release", "l", "ok"),
    ]


# What is a deadlock, and what is none


def test_a_deadlock_of_python_code_is_found(run, method):
    trace = run(
        """
        primitives: {a: lock, b: lock, x: event, y: event}
        processes:
          p: {target: "standing:cross", args: [$a, $b, $x, $y]}
          q: {target: "standing:cross", args: [$b, $a, $y, $x]}
        expect: {deadlock: always}
        """,
        method,
    )
    assert (trace.end, trace.verdict.word) == ("deadlock", "passed")
    assert sorted(trace.report["cycle"]) == ["p", "q"]
    assert [w["reason"] for w in trace.report["waits"] if w["process"] == "p"] == [
        "`q` holds it since standing:54"
    ]


def test_a_feeder_does_not_hide_a_deadlock(run):
    trace = run(
        """
        primitives: {q: queue, l: lock}
        processes: {p: {target: "standing:put_then_wait", args: [$q, $l]}}
        """
    )
    assert trace.end == "deadlock"


def test_a_timer_or_a_thread_can_end_a_wait(run, method):
    ends = {}
    for function in ("die_of_alarm", "released_by_thread"):
        text = f"""
        primitives: {{l: lock}}
        processes: {{p: {{target: "standing:{function}", args: [$l]}}}}
        """
        trace = run(text, method)
        ends[function] = trace.end, trace.exitcodes["p"]
    assert ends == {"die_of_alarm": ("completed", -14), "released_by_thread": ("completed", 0)}


def test_what_a_killed_process_was_at_is_done_where_others_saw_its_effect(run, method):
    text = """
        primitives: {v: value, w: value}
        processes: {p: {count: 2, target: "standing:die_behind_store", args: [$v]}}
        main: [{start: "p[0]"}, {join: "p[0]"}, %s]
        expect: {exitcode: {p: [-9, null]}}
        """
    seen = run(text % "{load: v}", method)
    store = event(seen, "p[0]", "store")
    assert (store.status, store.value, store.t) == ("ok", 7, max(store.t, store.began))
    assert event(seen, "main", "load").result == 7
    assert not [e for e in seen.events if "suspect" in e.extra]
    unseen = run(text % "{load: w}", method)
    assert event(unseen, "p[0]", "store").status == "blocked"


# Real and stand-in, side by side

OPTIONS = {
    "barrier": {"parties": 1},
    "array": {"size": 3},
    "bare value": {"lock": False},
    "bare array": {"lock": False, "size": 3},
    "pool": {"workers": 1},
}


@pytest.fixture
def both(tmp_path) -> Iterator[Callable[[str], tuple[Any, Any]]]:
    """A function: a type -> a real object (of a pipe: both ends), and a stand-in of another."""
    pools: list[Any] = []

    def make(type_name: str) -> tuple[Any, Any]:
        kind = type_name.replace("bare ", "")
        declared = registry.primitive(kind)
        options = {each.name: each.default for each in declared.options}
        options.update(OPTIONS.get(type_name, {}))
        bare, hidden = (tuple(declared.make(options, {}).values()) for _ in range(2))
        own = lanes(str(tmp_path))
        traced = tuple(standin(each, "x", kind, own) for each in hidden)
        pools.extend((*bare, *hidden) if kind == "pool" else ())
        return (bare, traced) if len(bare) == 2 else (bare[0], traced[0])

    yield make
    for pool in pools:
        pool.terminate()
        pool.join()


def _outcome(function, subject):
    """What a call comes to, in a form that can be compared."""
    try:
        found = repr(function(subject))
    except BaseException as error:
        found = f"{type(error)}: {error}"
    return re.sub("0x[0-9a-f]+", "0x…", found)


def _then(*calls):
    """Call one method after the other; the results."""

    def do(subject):
        return [getattr(subject, name)(*args) for name, *args in calls]

    return do


def _add(subject):
    subject.value += 2


def _with(subject):
    with subject as entered:
        return entered, subject.acquire(False)


LOCK_CALLS = {
    "acquire and release": _then(["acquire"], ["release"]),
    "acquire twice": _then(["acquire"], ["acquire", False], ["acquire", True, 0.001]),
    "by keyword": lambda s: (s.acquire(block=False, timeout=None), s.acquire(timeout=0)),
    "with": _with,
    "release of nothing": _then(["release"]),
    "too many arguments": lambda s: _outcome(lambda s: s.acquire(1, 2, 3), s)[:18],
    "repr": repr,
    "attributes": lambda s: (s._is_fork_ctx, s._semlock.kind, s._semlock.maxvalue),
    "pickle": pickle.dumps,
}
TABLE = {
    "lock": LOCK_CALLS,
    "rlock": LOCK_CALLS,
    "semaphore": {**LOCK_CALLS, "get_value": lambda s: s.get_value()},
    "bounded_semaphore": {**LOCK_CALLS, "get_value": lambda s: s.get_value()},
    "event": {
        "a life": _then(["is_set"], ["set"], ["is_set"], ["wait"], ["clear"], ["wait", 0]),
        "by keyword": lambda s: s.wait(timeout=0.001),
        "repr": repr,
        "pickle": pickle.dumps,
        "wrong argument": lambda s: _outcome(lambda s: s.wait(limit=1), s)[:18],
    },
    "queue": {
        "a life": _then(["put", 1], ["get"], ["put_nowait", [2]], ["get", True, 5]),
        "by keyword": lambda s: (s.put(obj=1, block=True, timeout=1), s.get(timeout=5)),
        "empty": _then(["get", False]),
        "empty by name": _then(["get_nowait"]),
        "empty after a time": _then(["get", True, 0.001]),
        "state": _then(["empty"], ["full"], ["qsize"]),
        "closed": _then(["close"], ["join_thread"], ["put", 1]),
        "join before close": lambda s: _outcome(_then(["join_thread"]), s),
        "cancel": _then(["cancel_join_thread"]),
        "attributes": lambda s: (sorted(vars(s)), s._maxsize, s._closed),
        "own attributes": lambda s: (setattr(s, "mine", 1), s.mine),
        "pickle": pickle.dumps,
        "signature": lambda s: str(__import__("inspect").signature(s.put)),
    },
    "joinable_queue": {
        "a life": _then(["put", 1], ["get"], ["task_done"], ["join"]),
        "done too often": _then(["task_done"]),
        "pickle": pickle.dumps,
    },
    "simple_queue": {
        "a life": _then(["put", 1], ["empty"], ["get"], ["empty"], ["close"]),
        "closed": _then(["close"], ["put", 1]),
        "no time limit": lambda s: _outcome(lambda s: s.get(timeout=1), s)[:18],
    },
    "condition": {
        "a life": _then(["acquire"], ["wait", 0.001], ["notify"], ["notify_all"], ["release"]),
        "with": lambda s: (s.__enter__(), s.notify(n=2), s.__exit__(None, None, None)),
        "wait_for": lambda s: (s.acquire(), s.wait_for(lambda: False, 0.001), s.release()),
        "not held": _then(["wait", 0]),
        "notify not held": _then(["notify"]),
        "repr": lambda s: repr(s)[:30],
    },
    "barrier": {
        "a life": _then(["wait"], ["wait", 1], ["abort"], ["reset"], ["wait"]),
        "broken": _then(["abort"], ["wait"]),
        "attributes": lambda s: (s.parties, s.n_waiting, s.broken),
    },
    "value": {
        "a life": lambda s: (s.value, setattr(s, "value", 7), s.value, s.get_obj()),
        "augmented": lambda s: (_add(s), s.value),
        "with": lambda s: (s.__enter__(), s.value, s.__exit__(None, None, None)),
        "get_lock": lambda s: (s.get_lock().acquire(), s.value, s.get_lock().release()),
        "of another type": lambda s: setattr(s, "value", "text"),
        "release of nothing": _then(["release"]),
        "repr": repr,
    },
    "array": {
        "a life": lambda s: (s[0], s.__setitem__(1, 5), s[:], s[-2], len(s), list(s)),
        "slices": lambda s: (s.__setitem__(slice(0, 2), [8, 9]), s[1:], s[::-1]),
        "no such index": lambda s: s[9],
        "with": lambda s: (s.__enter__(), s[0], s.__exit__(None, None, None)),
    },
    "bare value": {
        "a life": lambda s: (s.value, setattr(s, "value", 7), s.value),
        "no lock": lambda s: s.get_lock(),
        "nothing to acquire": lambda s: s.acquire(),
    },
    "bare array": {
        "a life": lambda s: (s[0], s.__setitem__(1, 5), s[:], s[-2], len(s), list(s)),
    },
    "manager_value": {"a life": lambda s: (s.value, setattr(s, "value", 7), s.value, s.get())},
    "manager_list": {
        "a life": lambda s: (s.append(1), s[0], s.__setitem__(0, 2), s[:], len(s), s.pop()),
        "others": lambda s: (s.extend([3, 1]), s.sort(), s.count(1), list(s), str(s), 3 in s),
        "no such index": lambda s: s[9],
        "nothing to pop": lambda s: s.pop(),
    },
    "manager_dict": {
        "a life": lambda s: (s.__setitem__("a", 1), s["a"], len(s), s.keys(), s.copy(), s.pop("a")),
        "others": lambda s: (s.update({1: 2}), s.items(), s.get(5), s.setdefault(6, 7), 6 in s),
        "no such key": lambda s: s["no"],
        "nothing to delete": lambda s: s.__delitem__(1),
    },
    "pool": {
        "a life": lambda s: (s.apply(abs, (-1,)), s.map(abs, [-2, 3]), list(s.imap(abs, [-4]))),
        "async": lambda s: s.apply_async(abs, (-5,), {}, None, None).get(),
        "closed": lambda s: (s.close(), s.join(), s.apply(abs, [1])),
        "pickle": pickle.dumps,
    },
    "pipe": {
        "a life": lambda s: (s[0].send({"a": 1}), s[1].poll(), s[1].poll(1), s[1].recv()),
        "bytes": lambda s: (s[0].send_bytes(b"ab"), s[1].recv_bytes()),
        "by keyword": lambda s: (s[0].send(obj=3), s[1].poll(timeout=1), s[1].recv()),
        "the other has gone": lambda s: (s[0].close(), s[1].recv()),
        "closed": lambda s: (s[0].close(), s[0].closed, s[0].send(1)),
        "cannot be pickled": lambda s: s[0].send(lambda: None),
        "with": lambda s: (s[0].__enter__() is s[0], s[0].__exit__(None, None, None), s[0].closed),
        "attributes": lambda s: (sorted(vars(s[0])), s[0].readable, s[0].writable, s[0].closed),
        "wait": lambda s: (s[0].send(1), multiprocessing.connection.wait([s[1]]) == [s[1]]),
        "fileno": lambda s: s[0].fileno() == s[0]._handle,
    },
}
ROWS = [(type_name, name) for type_name, calls in TABLE.items() for name in calls]


@pytest.mark.parametrize(("type_name", "name"), ROWS)
def test_a_stand_in_behaves_as_the_real_object(both, type_name, name):
    bare, traced = both(type_name)
    call = TABLE[type_name][name]
    assert _outcome(call, traced) == _outcome(call, bare)


@pytest.mark.parametrize("type_name", TABLE)
def test_a_stand_in_is_an_instance_of_the_real_class(both, type_name):
    bare, traced = both(type_name)
    if type_name == "pipe":
        bare, traced = bare[0], traced[0]
    assert isinstance(traced, type(bare))
    assert traced.__class__ is bare.__class__
    assert type(traced).__name__ == type(bare).__name__
    assert type(traced).__module__ == type(bare).__module__
    assert {*dir(traced)} - {*dir(bare)} <= {"_actions", "_origin", "acquire", "release"}


def test_a_condition_of_a_stand_in_releases_and_takes_it_again(both):
    _, lock = both("rlock")
    condition = multiprocessing.Condition(lock)
    with condition:
        assert condition.wait(0.001) is False
        condition.notify()
    assert condition._lock is lock


def test_an_end_stays_open_while_the_real_one_lives(tmp_path):
    one, other = multiprocessing.Pipe()
    traced = standin(one, "c.conn1", "pipe", lanes(str(tmp_path)))
    del traced
    one.send(1)
    assert other.recv() == 1


def test_a_stand_in_that_nobody_has_is_gone_at_once(tmp_path):
    """Then what came over a pipe closes its end, and the other side sees it."""
    one, other = multiprocessing.Pipe()
    traced = standin(one, "c.conn1", "pipe", lanes(str(tmp_path)))
    traced.send(1)
    del one, traced
    assert other.recv() == 1
    with pytest.raises(EOFError):
        other.recv()
