"""What checking costs, side by side with Spin: python tests/benchmarks/check.py [ROW…]

Each of our searches runs in a process of its own, as does Spin's (compiled -O2, its partial-order
reduction on, the model from `mpflow export`), in turn, so that both see the same machine. A ROW is
the beginning of a name in the first column. Without Spin its rows are left out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROUNDS = 3
PATIENCE = 120  # seconds that Spin gets for one search

PHILOSOPHERS = """\
mpflow: 1
primitives: {{forks: {{type: lock, count: {n}}}}}
processes:
  philosopher:
    count: {n}
    actions:
      - acquire: forks[$({first})]
      - acquire: forks[$({second})]
      - release: forks[$({second})]
      - release: forks[$({first})]
"""
ONE_LOCK = """\
mpflow: 1
primitives: {l: lock}
processes:
  worker:
    count: 8
    actions:
      - repeat: {times: 2, do: [{acquire: l}, {release: l}]}
"""
QUEUE = """\
mpflow: 1
primitives: {q: {type: queue, maxsize: 2}}
processes:
  producer:
    count: 3
    actions:
      - repeat: {times: 3, as: i, do: [{put: {to: q, value: $i}}]}
  consumer:
    count: 2
    actions:
      - repeat: {times: $(4 + index), do: [{get: {from: q, into: item}}]}
"""


def ordered(n: int) -> str:
    """Philosophers who do not deadlock: the last one takes his forks the other way round."""
    last = f"index == {n - 1}"
    return PHILOSOPHERS.format(
        n=n,
        first=f"0 if {last} else index",
        second=f"{n - 1} if {last} else index + 1",
    )


def deadlocking(n: int) -> str:
    """Philosophers who do."""
    return PHILOSOPHERS.format(n=n, first="index", second=f"(index + 1) % {n}")


class Row(NamedTuple):
    """A line of the table: what was found, its target (at most, or at least), and more."""

    work: str
    found: float
    target: float | None
    least: bool = False
    more: str = ""

    def __str__(self) -> str:
        verdict = target = ""
        if self.target is not None:
            met = self.found >= self.target if self.least else self.found <= self.target
            verdict, target = "met" if met else "MISSED", f"{self.target:,g}"
        return f"{self.work:46} {self.found:12,.3f} {target:>9} {verdict:7} {self.more}".rstrip()


# What each of our processes does: a scenario's text comes in, JSON goes out
OURS = """\
import json, resource, sys, time
from mpflow import api
from mpflow.model.check import Options, check
scenario = api.loads(sys.stdin.read()).scenarios[0]
begun = time.perf_counter()
report = check(scenario, Options(reduce=sys.argv[1] == "reduced"))
told = {"seconds": time.perf_counter() - begun, "verdict": report.verdict, "states": report.states,
        "length": len(report.violations[0].schedule) if report.violations else 0}
print(json.dumps(told))
"""
PLAIN = """\
import json, resource, sys, time
from mpflow import api
from mpflow.model.explore import search
from mpflow.model.space import Space
from mpflow.model.world import World
from mpflow.model.facts import facts_of
from mpflow.program import compile_program
scenario = api.loads(sys.stdin.read()).scenarios[0]
program = compile_program(scenario, seed=0)
space = Space(World(program, facts_of(scenario, program, True, False), sys.version_info[:2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.perf_counter()
found = search(space)
seconds = time.perf_counter() - begun
used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps({"seconds": seconds, "states": len(found.came_from), "bytes": used}))
"""


def ours(text: str, program: str = OURS, how: str = "reduced") -> dict[str, float]:
    """What one of our processes says of a scenario."""
    command = [sys.executable, "-c", program, how]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


class Spin:
    """A scenario's model, compiled."""

    def __init__(self, text: str, folder: Path) -> None:
        self.folder = folder
        (folder / "scenario.yaml").write_text(text)
        command = [sys.executable, "-m", "mpflow", "export", "scenario.yaml", "--to", "promela"]
        model = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        (folder / "model.pml").write_text(model.stdout)
        subprocess.run(["spin", "-a", "model.pml"], cwd=folder, check=True, capture_output=True)
        flags = ["-O2", "-DMEMLIM=16000", "-DVECTORSZ=4096", "-w"]
        subprocess.run(["gcc", *flags, "-o", "pan", "pan.c"], cwd=folder, check=True)

    def seconds(self) -> float | None:
        """Its search time, as it says itself; None where it took over PATIENCE."""
        try:
            done = subprocess.run(
                ["./pan", "-m10000000", "-w26"],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return None
        found = re.search(r"elapsed time ([\\d.]+) seconds", done.stdout.replace("\\\\", ""))
        found = found or re.search(r"elapsed time ([0-9.]+)", done.stdout)
        return float(found[1]) if found else None


def beside_spin(n: int) -> Iterator[Row]:
    """Ordered philosophers, in turn with Spin."""
    text, own, theirs = ordered(n), [], []
    if shutil.which("spin") is None or shutil.which("gcc") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        spin = Spin(text, Path(folder))
        for _ in range(ROUNDS if n < 12 else 1):
            found = ours(text)
            assert found["verdict"] == "proved", found
            own.append(found["seconds"])
            theirs.append(spin.seconds())
    known = [each for each in theirs if each is not None]
    spent = median(known) if len(known) == len(theirs) else float(PATIENCE)
    word = "" if len(known) == len(theirs) else "over "
    more = f"ours {median(own):.2f} s, Spin {word}{spent:.2f} s"
    target = 0.5 if n in (10, 12) else None
    yield Row(
        f"O{n}: ours / Spin's search time", median(own) / max(spent, 0.001), target, more=more
    )


def timed(name: str, text: str, target: float, verdict: str) -> Iterator[Row]:
    """A whole check, in seconds."""
    found = [ours(text) for _ in range(ROUNDS)]
    assert all(each["verdict"] == verdict for each in found), found
    more = f"{found[0]['states']:,} states"
    if found[0]["length"]:
        more += f", a schedule of {found[0]['length']} steps"
    yield Row(name, median(each["seconds"] for each in found), target, more=more)


def plain() -> Iterator[Row]:
    """The search without reductions, on locks alone."""
    found = [ours(ordered(7), PLAIN) for _ in range(ROUNDS)]
    states = found[0]["states"]
    speed = median(each["states"] / each["seconds"] for each in found)
    yield Row("states a second without reductions", speed, 200_000, True, f"{states:,} states")
    memory = median(each["bytes"] / each["states"] for each in found)
    yield Row("bytes a state", memory, 200)


def rows() -> Iterator[tuple[str, Iterator[Row]]]:
    for n in (8, 10, 12):
        yield f"O{n}", beside_spin(n)
    yield "O20", timed("O20: proved, seconds", ordered(20), 10, "proved")
    yield "D10", timed("D10: first deadlock, seconds", deadlocking(10), 1, "violated")
    yield "lock", timed("lock: 8 workers, 2 rounds each, seconds", ONE_LOCK, 0.5, "proved")
    yield "queue", timed("queue: 3 producers, 2 consumers, seconds", QUEUE, 5, "proved")
    yield "plain", plain()


def main() -> int:
    wanted = sys.argv[1:]
    print(f"{'work':46} {'found':>12} {'target':>9}")
    for name, found in rows():
        if not wanted or any(name.startswith(each) for each in wanted):
            for row in found:
                print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
