"""Python code in a scenario: what it is handed, and what it leaves behind."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def find_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_call_may_be_handed_primitives(run, method):
    trace = run(
        """
        primitives: {locks: {type: lock, count: 2}, q: queue}
        processes:
          p:
            actions:
              - call: {function: "inside:use", args: ["$(locks[1])", $q, 7]}
              - get: {from: q, into: x}
        """,
        method,
    )
    assert (trace.verdict.word, trace.variables["p"]["x"]) == ("passed", 7)


def test_a_timer_that_python_code_has_set_can_end_a_wait(run, method):
    trace = run(
        """
        primitives: {l: lock}
        processes:
          p:
            actions:
              - acquire: l
              - call: {function: "inside:alarm", args: [0.6]}
              - try: {do: [{acquire: l}], except: {TimeoutError: [{let: {x: 1}}]}}
        expect: {always: [p.x == 1]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.word) == ("completed", "passed")


def test_a_feeder_that_takes_its_time_is_no_deadlock(run, method):
    trace = run(
        """
        primitives: {q: queue}
        processes:
          puts: {actions: [{call: {function: "inside:Slow", into: x}}, {put: {value: $x, to: q}}]}
          gets: {actions: [{get: {from: q, into: x}}]}
        expect: {always: [gets.x == 7]}
        """,
        method,
    )
    assert (trace.end, trace.verdict.failures) == ("completed", ())


def test_a_process_killed_before_it_began_still_has_a_begin_and_an_end_in_order(run, method):
    trace = run(
        """
        processes: {w: {actions: [{sleep: 60}]}}
        main: [{start: w}, {kill: w}, {join: w}]
        expect: {exitcode: {w: -9}}
        """,
        method,
    )
    order = [(e.process, e.action) for e in trace.events if "w" in (e.process, e.on)]
    assert trace.verdict.word == "passed"
    assert order.index(("main", "start")) < order.index(("w", "begin"))
    assert order.index(("w", "end")) < order.index(("main", "join"))


def test_an_item_that_cannot_be_pickled_is_lost_and_the_next_one_is_got(run, method):
    trace = run(
        """
        primitives: {q: queue, got: event}
        processes:
          p:
            actions:
              - call: {function: "threading:Lock", into: lock}
              - put: {value: $lock, to: q}
              - put: {value: 1, to: q}
              - wait: got  # a feeder that meets an error while its process exits drops all
          c: {actions: [{get: {from: q, into: x}}, {set: got}]}
        outcome: {x: c.x}
        """,
        method,
    )
    assert (trace.end, trace.outcome) == ("completed", {"x": 1})
    assert [e for e in trace.events if "suspect" in e.extra] == []


# Where it is found

_WORK = """
import multiprocessing

class Clock(multiprocessing.Process):
    def __init__(self, done):
        super().__init__()
        self.done = done

    def run(self):
        self.done.put(__file__)

def run(done):
    done.put(__file__)

def square(x):
    return x * x

def squares(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(square, [1, 2, 3])
"""


def write(folder: Path, **files: str) -> None:
    """Files of Python code, by their stems."""
    folder.mkdir(exist_ok=True)
    for stem, text in files.items():
        (folder / f"{stem}.py").write_text(textwrap.dedent(text))


@pytest.mark.parametrize("stem", ["queue", "mpflow", "my worker", "a.b"])
def test_a_file_beside_the_scenario_may_have_any_name(run, method, tmp_path, stem):
    write(tmp_path, **{stem: _WORK}, random="raise ImportError")
    trace = run(
        f"""
        primitives: {{done: queue}}
        processes:
          target: {{target: "./{stem}.py:run", args: [$done]}}
          class: {{class: "./{stem}.py:Clock", args: [$done]}}
          call:
            actions:
              - choose: {{from: [1, 2], into: drawn}}  # by the module random of Python's own
              - call: {{function: "./{stem}.py:squares", args: [{method}], into: x}}
              - get: {{from: done, into: one}}
              - get: {{from: done, into: other}}
        """,
        method,
    )
    assert (trace.verdict.failures, trace.variables["call"]["x"]) == ((), [1, 4, 9])
    assert {trace.variables["call"][each] for each in ("one", "other")} == {
        str(tmp_path / f"{stem}.py")
    }


def test_files_of_one_name_in_two_folders_are_two_modules(run, method, tmp_path, monkeypatch):
    write(tmp_path / "lib", jobs=_WORK)
    write(tmp_path / "other", jobs=_WORK)
    monkeypatch.chdir(tmp_path / "other")  # it is the scenario's folder that counts
    trace = run(
        f"""
        params: {{folder: other}}
        primitives: {{done: queue}}
        processes:
          one: {{class: ./lib/jobs.py:Clock, args: [$done]}}
          other: {{class: {tmp_path}/other/jobs.py:Clock, args: [$done]}}
        main:
          - start: one
          - get: {{from: done, into: one}}
          - start: other
          - get: {{from: done, into: other}}
          - join: all
          - call: {{function: lib/jobs.py:squares, args: [{method}], into: x}}
          - call: {{function: ./$folder/jobs.py:squares, args: [{method}], into: y}}
        expect: {{always: ["main.x == main.y == [1, 4, 9]"]}}
        """,
        method,
    )
    assert trace.verdict.failures == ()
    assert trace.variables["main"]["one"] == str(tmp_path / "lib" / "jobs.py")
    assert trace.variables["main"]["other"] == str(tmp_path / "other" / "jobs.py")


def test_a_file_and_the_module_of_its_name_are_one(run, method, tmp_path):
    write(tmp_path, worker="kept = []\ndef keep(x):\n    kept.append(x)\n    return kept\n")
    trace = run(
        """
        processes:
          p:
            actions:
              - call: {function: "./worker.py:keep", args: [1]}
              - call: {function: "worker:keep", args: [2], into: x}
        """,
        method,
    )
    assert trace.variables["p"]["x"] == [1, 2]


def test_what_is_beside_a_file_in_another_folder_is_found_there(run, method, tmp_path):
    write(tmp_path / "lib", jobs="from helper import run\n", helper="def run():\n    return 7\n")
    trace = run("processes: {p: {actions: [{call: {function: ./lib/jobs.py:run, into: x}}]}}")
    assert trace.variables["p"]["x"] == 7


_JOB = """
class Job:
    def __init__(self):
        self.n = 7

def n(job):
    return job.n
"""


def test_a_file_that_only_the_run_names_can_be_pickled_to_others(run, method, tmp_path):
    write(tmp_path / "lib", jobs=_JOB)
    trace = run(
        """
        primitives: {q: queue, text: queue}
        processes:
          p:
            actions:
              - get: {from: text, into: f}
              - call: {function: $f, into: x}
              - put: {value: $x, to: q}
          c:
            actions:
              - put: {value: "./lib/jobs.py:Job", to: text}
              - get: {from: q, into: x}
              - let: {f: "./lib/jobs.py:n"}
              - call: {function: $f, args: [$x], into: n}
        """,
        method,
    )
    assert (trace.verdict.failures, trace.variables["c"]["n"]) == ((), 7)


NOT_THERE = {
    "./jops.py:run": (
        "FileNotFoundError",
        "there is no file ./jops.py, seen from {folder}; did you mean jobs.py?",
    ),
    "lib.py:run": ("IsADirectoryError", "lib.py is a folder, not a file of Python code"),
    "./jobs.py:rum": ("AttributeError", "./jobs.py has no rum; did you mean run?"),
    "./jobs.py:Clock.tock": ("AttributeError", "Clock has no tock; did you mean tick?"),
    "./jobs.py:clock": ("AttributeError", "./jobs.py has no clock; did you mean Clock?"),
    "./jobs.py:limit": ("TypeError", "./jobs.py:limit cannot be called: it is int"),
    "./jobs.py": ("ValueError", "'./jobs.py' names no function"),
    "jops:run": ("ModuleNotFoundError", "No module named 'jops': it is neither in {folder} nor"),
    "os.pat:join": ("ModuleNotFoundError", "No module named 'os.pat'"),
    "asks:run": ("ModuleNotFoundError", "No module named 'nobody_has_this'"),
    "queue:run": ("AttributeError", "queue is Python's own module, the file beside the scenario"),
    "./part.py:run": ("ImportError", "a module of a package is named package.module:function"),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_what_is_not_there_is_an_exception_for_people(run, tmp_path, name):
    jobs = "limit = 3\ndef run():\n    pass\n\nclass Clock:\n    def tick(self):\n        pass\n"
    ask = "import nobody_has_this\n"
    write(tmp_path, jobs=jobs, queue=jobs, asks=ask, part="from . import jobs\n")
    (tmp_path / "lib.py").mkdir()
    trace = run(
        f"""
        processes:
          p:
            actions:
              - let: {{f: "{name}"}}
              - try: {{do: [call: $f], except: {{Exception: [let: {{x: $(error.message)}}]}}}}
        """
    )
    (call,) = [each for each in trace.events if each.action == "call"]
    kind, message = NOT_THERE[name]
    assert (call.status, call.error[0]) == ("error", kind)
    assert message.format(folder=tmp_path) in trace.variables["p"]["x"]


def test_a_function_may_be_of_an_installed_package(run, method):
    trace = run(
        """
        processes:
          p:
            actions:
              - call: {function: "os.path:basename", args: [a/b], into: x}
              - call: {function: "pytest:Item.listchain", args: [1], into: y}
        expect: {error: {p: AttributeError}}
        """,
        method,
    )
    assert (trace.verdict.failures, trace.variables["p"]["x"]) == ((), "b")


# What it is handed, and gives back

_KEPT = """
import threading

class Odd:
    asked = 0

    def __repr__(self):
        Odd.asked += 1
        raise SystemExit(3)

    def __eq__(self, other):
        return [other]

    __hash__ = None

    def __bool__(self):
        raise ValueError("neither")

class Long:
    asked = 0

    def __repr__(self):
        Long.asked += 1
        return "x" * 10_000_000

    def __str__(self):
        return "short"

class Text(str):
    def __len__(self):
        return 10**9

    def __getitem__(self, at):
        raise KeyError

class Shows:
    def __repr__(self):
        return Text("shows")

class Meta(type):
    @property
    def __name__(cls):
        raise ValueError

class Nameless(metaclass=Meta):
    __slots__ = ()

def two():
    yield 1
    yield 2

def asked(what):
    return type(what).asked

def same(one, other):
    return one is other

def numbers():
    return list(range(1_000_000))

def locks():
    return [threading.Lock()]
"""


def test_what_a_call_returns_stays_the_very_object(run, method, tmp_path):
    write(tmp_path, kept=_KEPT)
    trace = run(
        """
        primitives: {link: pipe}
        processes:
          p:
            vars: {total: 0}
            actions:
              - call: {function: "kept:two", into: gen}
              - for: {each: i, in: $gen, do: [let: {total: $(total + i)}]}
              - call: {function: "kept:numbers", into: numbers}
              - call: {function: "kept:same", args: [$numbers, $numbers], into: same}
              - call: {function: "threading:Lock", into: lock}
              - try:
                  do: [send: {value: $lock, to: link.conn1}]
                  except: {TypeError: [let: {why: $(error.message)}]}
              - call: {function: "kept:locks", into: locks}
              - call: {function: "kept:same", args: ["$(locks[0])", "$(locks[-1])"], into: first}
              - call: {function: "kept:Odd", into: odd}
              - let: {compared: $(odd == 3)}
              - try:
                  do: [if: {condition: $odd, then: [pass]}]
                  except: {ValueError: [let: {truth: $(error.message)}]}
        """,
        method,
    )
    found = trace.variables["p"]
    assert trace.verdict.failures == ()
    assert (found["total"], found["same"], found["first"]) == (3, True, True)
    assert (found["compared"], found["truth"]) == ([3], "neither")
    assert found["why"] == "cannot pickle '_thread.lock' object"


def test_a_repr_is_asked_for_once_to_be_shown_and_once_at_the_end(run, method, tmp_path):
    write(tmp_path, kept=_KEPT)
    trace = run(
        """
        processes:
          p:
            actions:
              - call: {function: "kept:Odd", into: odd}
              - call: {function: "kept:Long", into: long}
              - call: {function: "kept:Shows", into: shows}
              - call: {function: "kept:Nameless", into: nameless}
              - repeat:
                  times: 10
                  do:
                    - let: {again: $odd, more: $long}
                    - mark: here
              - call: {function: "kept:asked", args: [$odd], into: odds}
              - call: {function: "kept:asked", args: [$long], into: longs}
              - print: $long
        """,
        method,
    )
    found = trace.variables["p"]
    assert trace.verdict.failures == ()
    assert (found["odds"], found["longs"], trace.output) == (1, 1, ["short"])
    assert found["odd"].text == "<Odd: repr failed with SystemExit>"
    assert found["long"].text == "x" * 399 + "…"
    assert found["shows"].text == "shows"
    assert found["nameless"].foreign_type == "Nameless"
    assert [e.extra.get("suspect") for e in trace.events if "suspect" in e.extra] == []


def test_objects_of_a_killed_process_are_there_as_they_were_shown(run, method, tmp_path):
    write(tmp_path, kept=_KEPT)
    trace = run(
        """
        primitives: {said: event}
        processes:
          p:
            actions:
              - call: {function: "kept:Long", into: x}
              - call: {function: "kept:locks", into: y}
              - set: said
              - sleep: 60
        main: [{start: p}, {wait: said}, {kill: p}, {join: p}]
        expect: {exitcode: {p: -9}}
        """,
        method,
    )
    assert trace.variables["p"]["x"].text == "x" * 399 + "…"
    assert trace.variables["p"]["y"].text.startswith("[<unlocked _thread.lock object")


_USE = """
import multiprocessing

class User(multiprocessing.Process):
    def __init__(self, *args, **kwargs):
        super().__init__()
        self.args, self.kwargs = args, kwargs

    def run(self):
        use(*self.args, **self.kwargs)

def use(locks, rlock, semaphore, bounded, queues, link, links, end, said):
    assert type(locks) is list and len(locks) == 2
    for each in (*locks, rlock, semaphore, bounded):
        with each:
            pass
    queues[1].put("x")
    assert queues[1].get() == "x"
    for one, other in (link, *links):
        other.send(1)
        assert one.recv() == 1
    end.send(2)
    assert links[0][1].recv() == 2
    said.set()
"""


def test_whole_pipes_and_all_replicas_may_be_handed_over(run, method, tmp_path):
    write(tmp_path, use=_USE)
    trace = run(
        """
        primitives:
          locks: {type: lock, count: 2}
          rlock: rlock
          semaphore: semaphore
          bounded: bounded_semaphore
          queues: {type: queue, count: 2}
          link: {type: pipe, ends: [left, right]}
          links: {type: pipe, count: 2}
          said: {type: event, count: 3}
        processes:
          a:
            target: ./use.py:use
            args: &all
              [$locks, $rlock, $semaphore, $bounded, $queues, $link, $links, "$(links[0].conn1)"]
            kwargs: {said: "$(said[0])"}
          b: {class: ./use.py:User, args: *all, kwargs: {said: "$(said[1])"}}
          c: {actions: [call: {function: "use:use", args: *all, kwargs: {said: "$(said[2])"}}]}
        main:
          - for: {each: i, in: [a, b, c], do: [{start: $i}, {join: $i}]}
        """,
        method,
    )
    assert trace.verdict.failures == ()
    assert [e for e in trace.events if "suspect" in e.extra] == []
    taken = [e.on for e in trace.events if e.process == "b" and e.action == "send"]
    assert taken == ["link.right", "links[0].conn2", "links[1].conn2", "links[0].conn1"]
