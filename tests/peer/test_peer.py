"""CPython's own tests of multiprocessing, stated as scenarios: each of them on real processes.

README.md has a row for each test: the files that say the same, or why none can. Here the table,
the files and CPython's source are held together.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CHOSEN

from mpflow import api
from mpflow.scenario import Choice

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))
SAYABLE = 119  # the tests that processes, primitives and what is expected of them can say
ROW = re.compile(r"^\| (?P<test>\w+\.\w+) \| (?P<files>[^|]*) \| (?P<why>[^|]*) \|$")


def _runs() -> list[Any]:
    """Each file with each start method, or with the one it names."""
    found = []
    for path in FILES:
        own = yaml.safe_load(path.read_text("utf-8")).get("start_method")
        for method in [own] if own else CHOSEN:
            found.append(pytest.param(path, method, id=f"{path.stem}-{method}"))
    return found


def _rows() -> list[tuple[str, list[str], str]]:
    """The README's table: a test, the files that say it, a remark."""
    lines = (HERE / "README.md").read_text("utf-8").splitlines()
    rows = [match for line in lines if (match := ROW.match(line))]
    return [(row["test"], re.findall(r"\w+(?=\.yaml)", row["files"]), row["why"]) for row in rows]


@pytest.mark.parametrize(("path", "method"), _runs())
def test_scenario_says_the_same_as_the_test(
    path: Path, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = api.load(str(path), Choice(start_method=method))
    assert loaded.problems == [], "\n".join(problem.render() for problem in loaded.problems)
    for scenario in loaded.scenarios:
        trace = api.run(scenario, quiet=True, seed=1)
        assert (trace.verdict.word, trace.verdict.failures) == ("passed", ())


def test_every_file_knows_its_schema_and_says_what_to_look_for() -> None:
    for path in FILES:
        first, *_ = path.read_text("utf-8").splitlines()
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert (HERE / schema).resolve() == HERE.parent.parent / "schema/scenario.schema.json", path
        data = yaml.safe_load(path.read_text("utf-8"))
        assert len(data["description"]) > 40, path
        assert data["expect"], path


def test_each_test_has_one_row_with_files_or_with_a_reason() -> None:
    rows = _rows()
    tests = [test for test, _, _ in rows]
    assert len(set(tests)) == len(tests) == 218
    for test, files, why in rows:
        assert files or why.strip(), test


def test_the_table_names_each_file_and_no_other() -> None:
    named = {file for _, files, _ in _rows() for file in files}
    assert named == {path.stem for path in FILES}


def test_enough_tests_are_said() -> None:
    assert sum(bool(files) for _, files, _ in _rows()) >= SAYABLE


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the table has the tests of 3.11")
def test_the_table_has_the_tests_of_cpython() -> None:
    found = importlib.util.find_spec("test._test_multiprocessing")
    if found is None or found.origin is None:
        pytest.skip("this Python was installed without its tests")
    tree = ast.parse(Path(found.origin).read_text("utf-8"))
    tests = [
        f"{each.name}.{function.name}"
        for each in tree.body
        if isinstance(each, ast.ClassDef)
        for function in each.body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test")
    ]
    assert [test for test, _, _ in _rows()] == tests
