"""Every scenario of the gallery on real processes: it passes, and what it leaves can be checked.

A new file in one of the folders of scenarios/ is tested as soon as it is there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from conftest import CHOSEN
from test_scenarios import FOLDER, complaints

from mpflow import api
from mpflow.scenario import Choice

FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.parent != FOLDER)
FOLDERS = {"bugs", "locks", "pipes", "processes", "puzzles", "queues"}
TRIES = 8  # runs in which what a file says to happen sometimes has to happen
LONGEST = 39  # lines


def test_each_folder_has_its_files() -> None:
    assert {path.parent.name for path in FILES} == FOLDERS
    puzzles = [path.stem for path in FILES if path.parent.name == "puzzles"]
    pairs = [name for name in puzzles if f"{name}_wrong" in puzzles]
    assert len(pairs) >= 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_file_shows_one_thing_and_says_what(path: Path) -> None:
    text = path.read_text("utf-8")
    loaded = api.load(str(path))
    assert loaded.problems == []
    assert len(text.splitlines()) <= LONGEST
    assert len(loaded.scenarios[0].description) > 60
    assert "expect:" in text or "outcome:" in text


@pytest.mark.parametrize("method", CHOSEN)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_file_passes_and_leaves_a_legal_trace(
    path: Path, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = yaml.safe_load(path.read_text("utf-8")).get("start_method")
    loaded = api.load(str(path), Choice(start_method=own or method))
    for scenario in loaded.scenarios:
        for seed in range(TRIES):
            trace = api.run(scenario, quiet=True, seed=seed)
            file = tmp_path / f"{seed}.jsonl"
            file.write_text("".join(trace.lines()), encoding="utf-8")
            lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            assert complaints(lines, path, scenario.start_method) == []
            (finding,) = api.verify(str(file))
            assert (finding.accepted, finding.reason, finding.place) == (True, "", "")
            assert trace.verdict.failures == ()
            if trace.verdict.word == "passed":
                break
        else:
            pytest.fail(f"{TRIES} runs did not show: {trace.verdict.undecided}")
