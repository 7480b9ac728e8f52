"""Finer points of what a scenario means: what must not be refused, and what follows from what."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from mpflow import api
from mpflow.scenario import Choice


def codes(text: str, choice: Choice | None = None) -> list[tuple[str, int]]:
    """The code and the line of each problem."""
    found = api.loads(textwrap.dedent(text), "test.yaml", choice)
    return [(each.code, each.span.line if each.span else 0) for each in found.problems]


def acting(actions: str, head: str = "") -> list[tuple[str, int]]:
    """The problems of a process's actions; their first line is line 1."""
    lines = "".join(f"      {line}\n" for line in textwrap.dedent(actions).strip().splitlines())
    above = f"mpflow: 1\nprimitives: {{jobs: queue, printer: lock, link: pipe}}\n{head}"
    above += "processes:\n  worker:\n    actions:\n"
    return [(code, line - above.count("\n")) for code, line in codes(above + lines)]


VALID = {
    "a loop's turn sees what the one before set": """
        - repeat:
            times: 3
            as: i
            do:
              - if: {condition: i > 0, then: [print: $last]}
              - let: {last: $i}
        """,
    "a handler sees what was set before the error": """
        - try:
            do: [{let: {x: 1}}, {raise: ValueError}]
            except: {ValueError: [print: $x]}
        """,
    "a later value of `let` sees an earlier one": "- let: {x: 1, y: $(x + 1)}",
    "one branch may set it": """
        - if: {condition: 1 > 2, then: [let: {x: 1}]}
        - print: $x
        """,
    "a name of a variable that only the run knows may be any": """
        - let: {name: x}
        - get: {from: jobs, into: $name}
        - print: $x
        """,
    "a condition may have a `$` around all of it": """
        - let: {n: 0}
        - while: {condition: $(n < 3), do: [let: {n: $(n + 1)}]}
        """,
    "a misuse whose error is handled is meant": """
        - try: {do: [join: worker], except: {AssertionError: [pass]}}
        """,
    "an exception of user code has any name": """
        - try: {do: [call: "module:function"], except: {MyError: [pass]}}
        """,
    "a comparison of a list variable": "- let: {x: []}\n- assert: x == []",
}


@pytest.mark.parametrize("actions", VALID.values(), ids=VALID.keys())
def test_it_is_valid(actions: str) -> None:
    assert acting(actions) == []


def test_an_index_that_a_condition_guards_is_left_to_the_run() -> None:
    text = """\
        mpflow: 1
        processes:
          worker:
            count: 3
            actions:
              - if: {condition: index < 2, then: [{start: "worker[$(index + 1)]"}]}
        main: [{start: "worker[0]"}]
        """
    assert codes(text) == []


def test_a_variable_that_is_set_only_later_is_refused() -> None:
    assert acting("- print: $x\n- let: {x: 1}") == [("undefined-variable", 1)]


def test_each_case_of_the_matrix_is_checked() -> None:
    text = """\
        mpflow: 1
        params: {n: 2}
        matrix: {n: [2, 1]}
        primitives: {forks: {type: lock, count: $n}}
        processes:
          worker:
            actions:
              - acquire: forks[1]
        """
    assert codes(text) == [("index-out-of-range", 8)]


def test_a_param_of_the_command_line_counts() -> None:
    text = "mpflow: 1\nparams: {n: 2}\nprocesses: {worker: {count: $n, actions: [pass]}}\n"
    assert codes(text) == []
    assert codes(text, Choice(params={"n": 5000})) == [("out-of-range", 3)]


FOLLOWING = {
    "a primitive of an unknown type": (
        "primitives: {jobs: quue}",
        "worker: {actions: [{get: {from: jobs, into: x}}, {print: $x}]}",
        [("unknown-type", 2)],
    ),
    "a process with a faulty count": (
        "params: {n: 1}",
        "worker: {count: two, actions: [{print: $index}]}\nmain: [{start: 'worker[0]'}]",
        [("wrong-type", 4)],
    ),
    "a faulty action that sets a variable": (
        "primitives: {jobs: queue}",
        "worker: {actions: [{gett: {from: jobs, into: x}}, {print: $x}]}",
        [("unknown-action", 4)],
    ),
    "a misspelt section": (
        "primitves: {jobs: queue}",
        "worker: {actions: [{get: jobs}]}",
        [("unknown-key", 2)],
    ),
    "a start that is misspelt": (
        "params: {n: 1}",
        "worker: {actions: [pass]}\nmain: [{strat: worker}, {join: worker}]",
        [("unknown-action", 5)],
    ),
    "an except that is no mapping": (
        "params: {n: 1}",
        "worker: {actions: [{try: {do: [pass], except: [pass]}}]}",
        [("wrong-type", 4)],
    ),
}


@pytest.mark.parametrize(("head", "process", "wanted"), FOLLOWING.values(), ids=FOLLOWING.keys())
def test_one_mistake_is_one_problem(head: str, process: str, wanted: list[tuple[str, int]]) -> None:
    assert codes(f"mpflow: 1\n{head}\nprocesses:\n  {process}\n") == wanted


def test_shape_and_meaning_are_told_in_one_go() -> None:
    found = acting("- putt: {to: jobs}\n- acquire: jobs\n- print: $y\n- exit: {cod: 1}\n- break")
    assert found == [
        ("unknown-action", 1),
        ("wrong-primitive", 2),
        ("undefined-variable", 3),
        ("unknown-key", 4),
        ("outside-loop", 5),
    ]


# Python code


_CODE = """
import os
from os import path as places

class Clock:
    def tick(self): pass

def run():
    global later
    later = print

if os.name == "posix":
    try:
        from nobody import quick
    except ImportError:
        def quick(): pass
with_walrus = (found := print)
for each in (): pass
match found:
    case [first, *rest]: pass
r'\\d' '\\d'
"""


def naming(folder: Path, *processes: str) -> list[tuple[str, int]]:
    """The problems of a file in a folder: each process's is the line of its number."""
    lines = "".join(f"  p{n}: {each}\n" for n, each in enumerate(processes, 1))
    (folder / "s.yaml").write_text(f"mpflow: 1\nprocesses:\n{lines}")
    found = api.validate(str(folder / "s.yaml"))
    return [(each.code, each.span.line - 2 if each.span else 0) for each in found]


@pytest.mark.parametrize("module", ["./code_.py", "code_.py", "../f/code_.py", "code_"])
def test_what_a_file_may_define_is_looked_for_and_nothing_is_run(tmp_path, module):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "code_.py").write_text(f"{_CODE}\nraise SystemExit\n")
    there = "Clock Clock.tick Clock.tock run later quick with_walrus found each first rest os"
    processes = [f'{{target: "{module}:{name}"}}' for name in [*there.split(), "__name__"]]
    assert naming(folder, *processes) == []
    missing = [f'{{target: "{module}:{name}"}}' for name in ("tick", "path", "nobody", "self")]
    assert naming(folder, *missing) == [("unknown-function", n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "from os import *\n",
        "globals()['x'] = 1\n",
        "exec('x = 1')\n",
        "def __getattr__(name): pass\n",
        "import sys\nsetattr(sys.modules[__name__], 'x', 1)\n",
        "def run(:\n",
        "x" * (1 << 20) + "y",
        "(" * 5000,
        "\0",
    ],
    ids=["star", "globals", "exec", "getattr", "setattr", "syntax", "long", "deep", "null"],
)
def test_what_only_the_run_can_tell_is_left_to_it(tmp_path, text):
    (tmp_path / "code_.py").write_text(text)
    assert naming(tmp_path, '{target: "./code_.py:y"}') == []


def test_modules_elsewhere_are_left_to_the_run(tmp_path):
    (tmp_path / "random.py").write_text("")  # Python finds its own
    (tmp_path / "package").mkdir()
    (tmp_path / "package.py").write_text("")
    modules = ("random", "nowhere", "package", "package.part", "os.path")
    assert naming(tmp_path, *(f'{{target: "{each}:y"}}' for each in modules)) == []


def test_a_file_that_is_not_there_is_told_by_its_place(tmp_path):
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    found = naming(
        tmp_path,
        "{target: ./nowhere.py:run}",
        "{class: ./folder.py:run}",
        "{actions: [call: ./pipe.py:run]}",
        "{actions: [call: {function: $(self.name).py:run}]}",
    )
    assert found == [("unknown-file", 1), ("unknown-file", 2), ("unknown-file", 3)]


def test_an_error_that_is_waited_for_is_no_problem(tmp_path):
    handled = "{try: {do: [call: ./nowhere.py:run], except: {FileNotFoundError: []}}}"
    assert naming(tmp_path, f"{{actions: [{handled}]}}") == []
    expected = "{target: ./nowhere.py:run}\nexpect: {error: {p1: FileNotFoundError}}"
    assert naming(tmp_path, expected) == []
    started = "{class: ./nowhere.py:Run}\nexpect: {exitcode: {main: 1}}"
    assert naming(tmp_path, started) == []


def test_a_trace_is_verified_without_the_python_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code_.py").write_text("def run():\n    return 3\n")
    text = "mpflow: 1\nprocesses: {p: {actions: [{call: ./code_.py:run}, {print: a}]}}\n"
    (tmp_path / "s.yaml").write_text(text)
    (scenario,) = api.load("s.yaml").scenarios
    trace = api.run(scenario, quiet=True)
    (tmp_path / "t.jsonl").write_text("".join(trace.lines()))
    before = api.verify("t.jsonl")
    (tmp_path / "code_.py").unlink()
    assert api.verify("t.jsonl") == before
