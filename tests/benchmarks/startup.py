"""How long commands take, as ratios in one run: python tests/benchmarks/startup.py [ROUNDS]

Each pair is measured in interleaved rounds, each round in a random order; the ratio is that of
the medians. The targets are those of the issue that asked for them.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

PIPE = """
mpflow: 1
primitives: {link: pipe}
processes:
  sends:
    actions:
      - repeat: {times: 5, as: i, do: [{send: {value: $i, to: link.conn1}}]}
  receives:
    actions:
      - repeat: {times: 5, do: [{recv: link.conn2}]}
"""

BY_HAND = """
import sys
from multiprocessing import Pipe, Process, set_start_method

def sends(end):
    for i in range(5):
        end.send(i)

def receives(end):
    for i in range(5):
        end.recv()

if __name__ == "__main__":
    set_start_method(sys.argv[1])
    one, other = Pipe()
    processes = [Process(target=sends, args=(one,)), Process(target=receives, args=(other,))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def with_actions(count: int) -> str:
    """A valid scenario of so many actions."""
    actions = "".join(f"      - put: {{value: {i}, to: jobs}}\n" for i in range(count))
    head = "mpflow: 1\nprimitives: {jobs: queue}\nprocesses:\n  p:\n    actions:\n"
    return head + actions


def measure(commands: Mapping[str, list[str]], rounds: int) -> dict[str, float]:
    """The median wall time of each command, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name in random.sample(list(commands), len(commands)):
            began = perf_counter()
            subprocess.run(commands[name], check=True, capture_output=True)
            times[name].append(perf_counter() - began)
    return {name: median(each) for name, each in times.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "pipe.yaml": PIPE,
            "by_hand.py": BY_HAND,
            "one.yaml": with_actions(1),
            "thousand.yaml": with_actions(1001),
        }
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        told = report(Path(folder), rounds)
    print("\n".join(told))


def report(folder: Path, rounds: int) -> list[str]:
    """The lines of the table."""
    python, mpflow = [sys.executable], [str(Path(sys.executable).with_name("mpflow"))]
    commands = {
        "import": [*python, "-c", "import yaml, jsonschema"],
        "validate one": [*mpflow, "validate", str(folder / "one.yaml")],
        "validate thousand": [*mpflow, "validate", str(folder / "thousand.yaml")],
    }
    for method in ("fork", "spawn"):
        run = [*mpflow, "run", "--start-method", method, str(folder / "pipe.yaml")]
        commands[f"run {method}"] = run
        commands[f"by hand {method}"] = [*python, str(folder / "by_hand.py"), method]
    took = measure(commands, rounds)
    more = took["validate thousand"] - took["validate one"]
    return [
        f"medians of {rounds} rounds: "
        + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in took.items()),
        _line(
            "validate of one file / importing yaml and jsonschema",
            took["validate one"] / took["import"],
            1.5,
        ),
        _line("1,000 actions more, validated: seconds", more, 0.5),
        _line(
            "run of a pipe scenario / the same by hand, fork",
            took["run fork"] / took["by hand fork"],
            3,
        ),
        _line(
            "run of a pipe scenario / the same by hand, spawn",
            took["run spawn"] / took["by hand spawn"],
            1.5,
        ),
    ]


def _line(what: str, found: float, target: float) -> str:
    return f"{what}: {found:.2f} (target {target}) {'met' if found <= target else 'MISSED'}"


if __name__ == "__main__":
    main()
