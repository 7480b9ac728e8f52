"""Every broken file in repair/ is mended by the very edit that stands beside it; `check` proves it.

`python tests/test_repair.py` writes those edits anew; read the difference before committing it.
"""

from __future__ import annotations

import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpflow import document
from mpflow.model.check import Options
from mpflow.model.explore import Limits
from mpflow.repair import Suggestion, search, suggest
from mpflow.repair.kinds import Candidate, Case, Edit
from mpflow.repair.source import Change
from mpflow.scenario import Choice

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "repair"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


def suggested(name: str) -> Suggestion:
    """The repair of a file."""
    path = FOLDER / name
    found = suggest(path.read_text(encoding="utf-8"), name)
    assert found is not None, f"nothing mends {name}"
    return found


def told(found: Suggestion) -> str:
    """Why, and the diff."""
    return f"{textwrap.fill(found.why, 100)}\n\n{found.diff}"


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_mended(name: str) -> None:
    found = suggested(name)
    assert told(found) == Path(FOLDER / name).with_suffix(".diff").read_text(encoding="utf-8")
    assert suggest(found.text, name) is None  # nothing is left to mend
    before, after = document.parse((FOLDER / name).read_text(encoding="utf-8"))[0], found.text
    new, problems = document.parse(after)
    assert before is not None
    assert new is not None
    assert problems == []
    for key in ("expect", "outcome", "params", "matrix"):
        assert before.data.get(key) == new.data.get(key)


def test_a_diff_is_one_that_other_programs_take(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
        found = suggested(name)
        command = ["git", "apply", "--unidiff-zero", "-p0", "-"]
        subprocess.run(command, input=found.diff.encode(), cwd=tmp_path, check=True, timeout=30)
        assert (tmp_path / name).read_bytes().decode() == found.text


LOCKS = """\
mpflow: 1
primitives: {left: lock, right: lock}
processes:
  ann:
    actions:
      - acquire: left
      - acquire: right
      - release: right
      - release: left
  bob:
    actions:
      - acquire: right
      - acquire: left
      - release: left
      - release: right
"""


def test_lines_may_end_as_they_do_elsewhere() -> None:
    found = suggest("\ufeff" + LOCKS.replace("\n", "\r\n"))
    assert found is not None
    assert found.text.startswith("\ufeffmpflow")
    assert "\n" not in found.text.replace("\r\n", "")


NOTHING = {
    "what is right": "mpflow: 1\nprocesses: {a: {actions: [pass]}}\n",
    "no scenario": "mpflow: 1\nprocesses: {a: {actions: [{putt: x}]}}\n",
    "no YAML": "a: [",
    "nothing": "",
    "what no edit mends": "mpflow: 1\nprocesses: {a: {actions: [{exit: 1}]}}\n",
    "what cannot be checked": """\
        mpflow: 1
        primitives: {shared: manager_dict}
        processes: {a: {actions: [{store: {value: 0, to: shared, at: b}}, {exit: 1}]}}
        """,
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=list(NOTHING))
def test_there_is_nothing_to_suggest_for(text: str) -> None:
    assert suggest(textwrap.dedent(text)) is None


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("barrier_dead_waiter", ""),  # not to kill, to join later and to wait longer: three edits
        ("consumer_terminated", "always: [got == 1]"),  # the item is for one, and two want it
        ("qsize_against_empty", "always: [not empty]"),  # no queue that has both is sure of it
    ],
)
def test_some_bugs_are_not_mended_by_small_edits(name: str, promise: str) -> None:
    text = (ROOT / "scenarios" / "bugs" / f"{name}.yaml").read_text(encoding="utf-8")
    text = text[: text.index("\nexpect:") + 1] + (f"expect: {{{promise}}}\n" if promise else "")
    assert suggest(text, name) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deadlock: never", "deadlock: possible"),
        ("ann: 0", "ann: 1"),
        ("timeout: 30", "timeout: 1"),
        ("  bob:", "  ann_2:"),
    ],
)
def test_what_a_file_promises_is_never_edited(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an edit proposes."""
    text = f"{LOCKS}expect: {{deadlock: never, exitcode: {{ann: 0}}}}\ntimeout: 30\n"

    def candidates(case: Case) -> Iterator[Candidate]:
        at = text.index(old)
        yield Candidate((Change(at, at + len(old), new),), "It cheats.")

    monkeypatch.setattr(search, "every", lambda: (Edit("cheat", 0, candidates),))
    assert suggest(text) is None


def test_nothing_of_a_scenario_is_run(tmp_path: Path) -> None:
    (tmp_path / "spy.py").write_text("open('ran', 'w').close()\n\ndef f():\n    pass\n")
    text = LOCKS.replace(
        "      - acquire: left\n",
        "      - call: {function: './spy.py:f', returns: [null]}\n      - acquire: left\n",
        1,
    )
    found = suggest(text, str(tmp_path / "scenario.yaml"))
    assert found is not None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["spy.py"]
    assert not Path("ran").exists()


def test_params_of_the_command_line_count() -> None:
    text = (FOLDER / "matrix.yaml").read_text(encoding="utf-8")
    assert suggest(text, choice=Choice({"items": 1})) is None  # nothing is wrong then
    found = suggest(text, choice=Choice({"items": 9}))
    assert found is not None
    assert "maxsize: $(room + 8)" in found.diff


def test_a_search_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many locks in a row are many edits, and many processes many states."""
    monkeypatch.setattr(search, "SECONDS", 1.0)
    locks = [f"l{i}" for i in range(40)]
    names = "".join(f"  {name}: lock\n" for name in locks)
    text = f"mpflow: 1\nprimitives:\n{names}processes:\n"
    for process, order in (("a", locks), ("b", [*locks[1:], locks[0]]), ("c", locks[::-1])):
        text += f"  {process}:\n    actions:\n"
        text += "".join(f"      - acquire: {name}\n" for name in order)
        text += "".join(f"      - release: {name}\n" for name in order)
    begun = time.monotonic()
    suggest(text, options=Options(Limits(states=100_000, seconds=5)))
    assert time.monotonic() - begun < 15


if __name__ == "__main__":
    for each in FILES:
        path = (FOLDER / each).with_suffix(".diff")
        path.write_text(told(suggested(each)), encoding="utf-8", newline="")
