"""What recording costs and what it keeps: python tests/benchmarks/recording.py [--quick] [ROW…]

Ratios are against the same program by hand, untraced, in interleaved rounds; events lost and
wrong orders are counted. ROWs are names from the first column. For the VizTracer row:
pip install -e '.[bench]'.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import NamedTuple

import merging
import peers
import works
from pairs import Round, Work, measure, ratio

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
import dying
from crowd import DECLARED, crowd
from legal import first_fault

from mpflow import api
from mpflow.scenario import Choice


class Row(NamedTuple):
    """A line of the table; without a target it is for information."""

    work: str
    found: float
    target: float | None = None
    more: str = ""

    def __str__(self) -> str:
        verdict = "" if self.target is None else "met" if self.found <= self.target else "MISSED"
        target = "" if self.target is None else f"{self.target:g}"
        return f"{self.work:54} {self.found:8.2f} {target:>7} {verdict:7}{self.more}".rstrip()


class Size(NamedTuple):
    """How much is done: the whole, or a tenth."""

    part: float

    def of(self, whole: int) -> int:
        return max(7, round(whole * self.part))


def queue(size: Size) -> Iterator[Row]:
    rounds = measure(works.QUEUE, 50_000, 10_000, size.of(41))
    yield Row("50,000-item queue, two processes: wall", ratio(rounds), 1.10)
    yield Row("50,000-item queue, two processes: CPU", ratio(rounds, cpu=True), 1.20)


def ping_pong(size: Size) -> Iterator[Row]:
    rounds = measure(works.PING_PONG, 50_000, 5_000, size.of(41))
    yield Row("50,000 pipe ping-pongs: wall", ratio(rounds), 1.10)
    yield Row("50,000 pipe ping-pongs: CPU", ratio(rounds, cpu=True), 1.15)


def loop(size: Size) -> Iterator[Row]:
    rounds = measure(works.LOOP, 1_000_000, 250_000, size.of(41))
    yield Row("1,000,000 empty loops with an increment", ratio(rounds, cpu=True), 1.15)


def lock(size: Size) -> Iterator[Row]:
    rounds = measure(works.LOCK, 100_000, 25_000, size.of(41))
    yield Row("100,000 uncontended lock pairs", ratio(rounds, cpu=True), 6)


def event(size: Size) -> Iterator[Row]:
    yield _event("one event, in calls of perf_counter()", works.EVENT, size, 6)
    yield _event("one event with a value, the same", works.EVENT_WITH_A_VALUE, size, 8)


def _event(name: str, work: Work, size: Size, target: float) -> Row:
    """What recording adds to one action that costs next to nothing."""
    turns = 10_000
    others = {"clock": peers.clock, "nothing": peers.nothing}
    rounds = measure(work, turns, turns, size.of(41), others)

    def more(each: Round, way: str, base: str) -> float:
        return each[way].cpu - each[base].cpu

    events = turns * works.IN_A_TURN
    each = median(more(r, "recorded", "by hand") for r in rounds) / events
    calls = median(more(r, "clock", "nothing") for r in rounds) / events
    return Row(name, each / calls, target, f"{each * 1e9:.0f} ns, a call {calls * 1e9:.0f} ns")


def merge(size: Size) -> Iterator[Row]:
    found = merging.figures(size.of(1_000_000))
    before = 0.0
    for part, figure in found.items():
        more = f"{(figure.seconds - before) / figure.events * 1e6:.2f} us an event more"
        whole = part == "written"
        name = f"{figure.events:,} events {part}: seconds"
        yield Row(name, figure.seconds, 6 * size.part if whole else None, more)
        before = figure.seconds
    yield Row("the same: MB", found["written"].megabytes, 200)


def viztracer(size: Size) -> Iterator[Row]:
    if peers.viztracer is None:
        print("VizTracer cannot be imported: pip install -e '.[bench]'")
        return
    others = {"VizTracer": peers.viztracer}
    rounds = measure(works.QUEUE, 50_000, 10_000, size.of(21), others)
    ours, its = ratio(rounds), ratio(rounds, "VizTracer")
    more = f"wall {ours:.2f} and {its:.2f}, CPU {ratio(rounds, cpu=True):.2f} and "
    more += f"{ratio(rounds, 'VizTracer', cpu=True):.2f}"
    yield Row("queue: our wall ratio over VizTracer's", ours / its, 0.65, more)


def command(size: Size) -> Iterator[Row]:
    """For information: whole commands, their start and their output included."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, script = peers.write_commands(Path(folder), size.of(50_000))
        run = [str(Path(sys.executable).with_name("mpflow")), "run", "--quiet", str(scenario)]
        found: dict[str, list[float]] = {"hand": [], "run": []}
        for _ in range(7):
            for name, line in (("hand", [sys.executable, str(script)]), ("run", run)):
                began = perf_counter()
                subprocess.run(line, check=True, capture_output=True)
                found[name].append(perf_counter() - began)
    hand, ran = median(found["hand"]), median(found["run"])
    yield Row("mpflow run of the queue over the script", ran / hand, None, f"{ran:.2f} s")


def lost(size: Size) -> Iterator[Row]:
    runs, chance = size.of(200), Random()
    with tempfile.TemporaryDirectory() as folder:
        ways = [(way, method) for way in dying.WAYS for method in ("fork", "spawn")]
        faults = [dying.lost(*ways[i % len(ways)], chance, folder) for i in range(runs)]
    found = [fault for fault in faults if fault]
    yield Row(f"runs of {runs} that died and lost something", len(found), 0, "; ".join(found))


def wrong(size: Size) -> Iterator[Row]:
    methods, events, runs, found = ("fork", "spawn", "forkserver"), 0, 0, list[str]()
    while events < size.of(1_000_000):
        choice = Choice(start_method=methods[runs % 3])
        text = f"mpflow: 1\n{crowd(turns=400, deaths=6)}"
        (scenario,) = api.loads(text, "crowd", choice).scenarios
        trace = api.run(scenario, quiet=True, seed=runs, delays=True)
        fault = first_fault(trace, DECLARED) or (trace.end != "completed" and trace.end)
        found += [f"{choice.start_method}, seed {runs}: {fault}"] if fault else []
        events, runs = events + len(trace.events), runs + 1
    yield Row(f"wrong orders in {events:,} events, {runs} runs", len(found), 0, "; ".join(found))


def standins(size: Size) -> Iterator[Row]:
    """Another benchmark has them: actions of Python code on what it was handed."""
    path = Path(__file__).with_name("standins.py")
    if path.exists():
        subprocess.run([sys.executable, str(path)], check=True)
    yield from ()


ROWS: dict[str, Callable[[Size], Iterator[Row]]] = {
    "queue": queue,
    "ping-pong": ping_pong,
    "loop": loop,
    "lock": lock,
    "event": event,
    "merge": merge,
    "viztracer": viztracer,
    "command": command,
    "lost": lost,
    "wrong": wrong,
    "standins": standins,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What recording costs and what it keeps.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    chosen = parser.parse_args()
    print(f"{'work':54} {'measured':>8} {'target':>7}")
    for name in chosen.rows or ROWS:
        for row in ROWS[name](Size(0.1 if chosen.quick else 1)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
