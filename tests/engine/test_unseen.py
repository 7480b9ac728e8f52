"""A scenario cannot tell that it is run by mpflow: it sees what a program by hand would see."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import event

HERE = Path(__file__).parent


def test_a_child_has_the_descriptors_handlers_and_threads_of_one_by_hand(
    run, method, monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(str(HERE))
    trace = run(
        'processes: {w: {actions: [{call: {function: "inside:look", into: seen}}]}}', method
    )
    seen = trace.variables["w"]["seen"]
    by_hand = _by_hand(method, tmp_path)
    assert seen["records"] == [
        str(event(trace, "w", "begin").extra["pid"])
    ]  # its own; not its parent's
    assert seen["heavy modules"] == []
    same = ("pipes and sockets", "handlers", "threads", "name")
    as_text = json.loads(json.dumps({key: seen[key] for key in same}))
    assert as_text == {key: by_hand[key] for key in same}


def _by_hand(method: str, folder: Path) -> dict[str, object]:
    """What the child of the same program by hand sees."""
    program = f"import inside\nif __name__ == '__main__': inside.by_hand({method!r})"
    output = folder / "by hand"
    with output.open("w") as stream:  # not a pipe, which the child would see
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            close_fds=False,
            check=True,
            timeout=50,
        )
    found: dict[str, object] = json.loads(output.read_text())
    return found


def test_nothing_of_a_run_is_told_in_the_environment(run):
    text = 'processes: {w: {actions: [{call: {function: "os:getcwd", into: here}}]}}'
    assert run(text).variables["w"]["here"] == str(Path.cwd())
