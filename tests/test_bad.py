"""Every file in bad/ is refused with the very words that stand beside it.

`python tests/test_bad.py` writes those words anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mpflow import api

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "bad"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
_CODE = re.compile(
    r"(?:Problem|Complaint|ExpressionError|TooLarge|problem|report|fail|_say|_judge)\("
    r"\s*\"([a-z0-9]+(?:-[a-z0-9]+)+)\""
)
# No file can have these: they are about files as such, or stand for what nobody foresaw.
WITHOUT_A_FILE = {"no-such-file", "is-a-folder", "cannot-read", "wrong-shape"}


def told(name: str) -> str:
    """All problems of a file, as they are shown."""
    return "\n\n".join(problem.render() for problem in api.validate(name)) + "\n"


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_told_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    assert told(name) == Path(name).with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_has_a_problem_with_a_place(name: str) -> None:
    problems = api.validate(str(FOLDER / name))
    assert problems
    assert all(problem.span is not None for problem in problems)


def test_each_code_has_a_file() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "mpflow").rglob("*.py"))
    codes = {code for source in sources for code in _CODE.findall(source)}
    shown = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    assert codes - set(re.findall(r"error\[([a-z0-9-]+)\]", shown)) == WITHOUT_A_FILE


def test_no_two_problems_stand_at_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One mistake is one problem: the second would only follow from the first."""
    monkeypatch.chdir(FOLDER)
    for name in FILES:
        places = [problem.place for problem in api.validate(name)]
        assert len(places) == len(set(places)), name


@pytest.mark.parametrize(
    ("name", "code"),
    [("missing.yaml", "no-such-file"), (".", "is-a-folder"), ("a\0b", "cannot-read")],
)
def test_what_is_no_readable_file_is_a_problem(
    name: str, code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [problem.code for problem in api.validate(name)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "# x\n" * 2_600_000,
        "mpflow: 1\nprocesses: {w: {actions: [{print: \"$('a' * 10**9)\"}]}}",
        "mpflow: 1\nprocesses: {w: {actions: [{print: $(" + "-" * 20_000 + "1)}]}}",
    ],
    ids=["brackets", "braces", "dashes", "10 MB", "power", "minus signs"],
)
@pytest.mark.timeout(10)
def test_a_hostile_file_is_a_problem(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    assert api.validate(str(tmp_path / "bad.yaml"))


def test_validate_exits_with_1_and_names_the_place(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mpflow", "validate", "type-unknown.yaml"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == told_in(FOLDER, "type-unknown.yaml") + "\n1 problem in 1 of 1 file\n"


def told_in(folder: Path, name: str) -> str:
    return (folder / name).with_suffix(".txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    os.chdir(FOLDER)
    for file in FILES:
        Path(file).with_suffix(".txt").write_text(told(file), encoding="utf-8")
