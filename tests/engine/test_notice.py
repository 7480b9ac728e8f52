"""What stands on standard error when Python code ends a process: the user's own frames."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """\
import json
import multiprocessing
import threading


def fail():
    raise ValueError("one\\ntwo")


def cause():
    try:
        fail()
    except ValueError as error:
        raise KeyError("k") from error


def context():
    try:
        json.loads("{")
    except ValueError as error:
        error.add_note("a note")
        fail()


def group():
    raise ExceptionGroup("several", [OSError(1), caught(fail)])


def caught(function):
    try:
        function()
    except Exception as error:
        return error


def divide(x):
    return 1 / x


def pool():
    with multiprocessing.get_context("fork").Pool(1) as workers:
        workers.map(divide, [0])


class Mute(Exception):
    def __str__(self):
        raise TypeError


def mute():
    raise Mute


def chain():
    error = None
    for n in range(2000):
        error, last = ValueError(n), error
        error.__cause__ = last
    raise error


class Holds(multiprocessing.Process):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def run(self):
        cause()


class Refuses(multiprocessing.Process):
    def __getstate__(self):
        fail()


class Fails(multiprocessing.Process):
    def __init__(self):
        fail()


class Odd:
    def __eq__(self, other):
        fail()


class Piece:
    def __getstate__(self):
        return {"not": "nothing"}

    def __setstate__(self, state):
        fail()


class Broken(multiprocessing.Process):
    def __init__(self):
        super().__init__()
        self.piece = Piece()
"""


RUN = (sys.executable, "-m", "mpflow", "run")


@pytest.fixture
def said(tmp_path: Path):
    """A function: a process -> what its end says on standard error, without carets and paths."""
    (tmp_path / "work.py").write_text(_CODE)
    (tmp_path / "queue.py").write_text("import work\nwork.fail()\nrun = work.fail\n")
    (tmp_path / "wrong.py").write_text("def run(:\n")
    (tmp_path / "asks.py").write_text("import nobody_has_this\nrun = print\n")

    def ended(process: str, method: str = "fork", *options: str) -> str:
        (tmp_path / "s.yaml").write_text(f"mpflow: 1\nprocesses:\n  p: {process}\n")
        done = subprocess.run(
            [*RUN, "--start-method", method, *options, str(tmp_path / "s.yaml")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1, done
        assert not re.search(r"mpflow/|multiprocessing/|importlib|runpy|<frozen", done.stderr)
        plain = re.sub(r"\n *[~^]+(?=\n)", "", done.stderr)
        return re.sub(r"'/[^']*'", "'…'", plain.replace(f"{tmp_path}/", ""))

    return ended


FAIL = """\
  File "work.py", line 7, in fail
    raise ValueError("one\\ntwo")
ValueError: one
two
"""
CAUSE = f"""\
Traceback (most recent call last):
  File "work.py", line 12, in cause
    fail()
{FAIL}
The above exception was the direct cause of the following exception:

Traceback (most recent call last):
"""


def test_of_a_target_and_of_what_caused_its_exception(said, method):
    assert said("{target: ./work.py:cause}", method) == (
        f"Process p was ended by KeyError: 'k'\n{CAUSE}"
        '  File "work.py", line 14, in cause\n'
        '    raise KeyError("k") from error\n'
        "KeyError: 'k'\n"
    )


def test_of_a_class(said):
    assert said("{class: ./work.py:Holds}") == (
        f"Process p was ended by KeyError: 'k'\n{CAUSE}"
        '  File "work.py", line 68, in run\n'
        "    cause()\n"
        '  File "work.py", line 14, in cause\n'
        '    raise KeyError("k") from error\n'
        "KeyError: 'k'\n"
    )


def test_of_a_call_with_its_line_and_what_was_handled_before(said):
    assert said("{actions: [call: work:context]}") == (
        "Process p was ended at line 3 by ValueError: one\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 19, in context\n'
        '    json.loads("{")\n'
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)\n"
        "a note\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 22, in context\n'
        "    fail()\n" + FAIL
    )


def test_of_a_group(said):
    inner = FAIL.replace("\n", "\n    | ").removesuffix("| ")
    text = re.sub(r"\n[ |]+[~^]+(?=\n)", "", said("{target: ./work.py:group}"))  # of 3.13
    assert text == (
        "Process p was ended by ExceptionGroup: several (2 sub-exceptions)\n"
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "work.py", line 26, in group\n'
        '  |     raise ExceptionGroup("several", [OSError(1), caught(fail)])\n'
        "  | ExceptionGroup: several (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | OSError: 1\n"
        "    +---------------- 2 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "work.py", line 31, in caught\n'
        "    |     function()\n"
        f"    | {inner}+------------------------------------\n"
    )


def test_of_a_worker_of_a_pool(said):
    assert said("{target: ./work.py:pool}") == (
        "Process p was ended by ZeroDivisionError: division by zero\n"
        'multiprocessing.pool.RemoteTraceback: \n"""\n'
        "Traceback (most recent call last):\n"
        '  File "work.py", line 37, in divide\n'
        "    return 1 / x\n"
        'ZeroDivisionError: division by zero\n"""\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 42, in pool\n'
        "    workers.map(divide, [0])\n"
        "ZeroDivisionError: division by zero\n"
    )


def test_of_an_exception_that_cannot_be_shown(said):
    assert said("{target: ./work.py:mute}") == (
        "Process p was ended by Mute\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 51, in mute\n'
        "    raise Mute\n"
        "work.Mute: <exception str() failed>\n"
    )


def test_of_a_long_chain(said):
    told = said("{target: ./work.py:chain}")
    assert told.startswith("Process p was ended by ValueError: 1999\nValueError: 0\n\nThe above")
    assert told.endswith("    raise error\nValueError: 1999\n")


def test_of_a_syntax_error_in_the_user_s_file_with_its_caret(said):
    told = said("{target: ./wrong.py:run}", "spawn")
    head = "Process p was ended by SyntaxError: "
    assert re.fullmatch(
        rf"{head}(.*) \(wrong.py, line 1\)\n"
        r'  File "wrong.py", line 1\n    def run\(:\nSyntaxError: \1\n',
        told,
    )


def test_of_a_module_that_cannot_be_imported(said, method):
    assert said("{target: ./asks.py:run}", method) == (
        "Process p was ended by ModuleNotFoundError: No module named 'nobody_has_this'\n"
        "Traceback (most recent call last):\n"
        '  File "asks.py", line 1, in <module>\n'
        "    import nobody_has_this\n"
        "ModuleNotFoundError: No module named 'nobody_has_this'\n"
    )


def test_of_a_module_with_a_name_of_its_own(said):
    assert said("{actions: [call: ./queue.py:run]}") == (
        "Process p was ended at line 3 by ValueError: one\n"
        "Traceback (most recent call last):\n"
        '  File "queue.py", line 2, in <module>\n'
        "    work.fail()\n" + FAIL
    )


def test_of_the_making_of_an_instance(said):
    assert said("{class: ./work.py:Fails}") == (
        "Process main was ended at line 3 by ValueError: one\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 78, in __init__\n'
        "    fail()\n" + FAIL
    )


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_of_an_instance_that_cannot_be_pickled(said, method):
    hint = (
        "  when `p` was pickled to be started: all that it holds must be\n"
        "  picklable, unless the start method is fork\n"
    )
    assert said("{class: ./work.py:Holds}", method) == (
        "Process main was ended at line 3 by TypeError: cannot pickle '_thread.lock' object\n"
        + hint
    )
    assert said("{class: ./work.py:Refuses}", method) == (
        f"Process main was ended at line 3 by ValueError: one\n{hint}"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 73, in __getstate__\n'
        "    fail()\n" + FAIL
    )


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_of_an_instance_that_cannot_be_unpickled(said, method):
    assert said("{class: ./work.py:Broken}", method) == (
        "Process p was ended by ValueError: one\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 91, in __setstate__\n'
        "    fail()\n" + FAIL
    )


def test_of_an_object_that_an_expression_compares(said):
    make = "{call: {function: work:Odd, into: x}}"
    assert said(f"{{actions: [{make}, {{assert: x == 1}}]}}") == (
        "Process p was ended at line 3 by ValueError: one\n"
        "Traceback (most recent call last):\n"
        '  File "work.py", line 83, in __eq__\n'
        "    fail()\n" + FAIL
    )


def test_quietly_nothing_is_said(said):
    assert said("{target: ./work.py:fail}", "fork", "-q") == ""


def test_of_a_pool_of_the_scenario_s(said, method):
    pool = "primitives: {w: {type: pool, workers: 1}}"
    main = "main: [map: {pool: w, function: ./work.py:divide, over: [0]}]"
    assert said(f"{{actions: []}}\n{pool}\n{main}", method) == (
        "Process main was ended at line 5 by ZeroDivisionError: division by zero\n"
        'multiprocessing.pool.RemoteTraceback: \n"""\n'
        "Traceback (most recent call last):\n"
        '  File "work.py", line 37, in divide\n'
        "    return 1 / x\n"
        'ZeroDivisionError: division by zero\n"""\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        "ZeroDivisionError: division by zero\n"
    )
