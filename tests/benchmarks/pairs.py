"""The same work by hand and recorded: a Work goes in, what each way costs comes out.

Processes are forked that run either plain functions or the plans of a scenario, on the same real
primitives. Each is measured from a common start to the end of its exit hooks, so that a feeder's
last item is in it, and the start of the command is not (startup.py has that).
"""

from __future__ import annotations

import multiprocessing
import random
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import util
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple

from mpflow import api, registry
from mpflow.engine.worker import Job, Worker
from mpflow.plan import Program
from mpflow.program import compile_program

FORK = multiprocessing.get_context("fork")
_LAST_OF_ALL = -10_000  # of the exit hooks, the worker's own included


class Work(NamedTuple):
    """A scenario of processes `a` and `b`, or of `a` alone; by hand, a function for each, which
    gets the primitives by name and how often to do it. `n` in the scenario is that, too."""

    scenario: str
    by_hand: Mapping[str, Callable[[Mapping[str, Any], int], None]]
    objects: Callable[[Program], Mapping[str, Any]] | None = None  # default: real primitives


class Life(NamedTuple):
    """What one process of a work is given."""

    work: Work
    program: Program
    name: str
    objects: Mapping[str, Any]
    times: int
    folder: str


class Cost(NamedTuple):
    """Seconds: from the start to the last end, and of all processors together."""

    wall: float
    cpu: float


Way = Callable[[Life], None]
Round = Mapping[str, Cost]  # what each way has cost


def by_hand(life: Life) -> None:
    life.work.by_hand[life.name](life.objects, life.times)


def recorded(life: Life) -> None:
    Worker(Job(life.program, life.name, life.objects, life.folder, quiet=False)).run()


def measure(
    work: Work, times: int, piece: int, rounds: int, others: Mapping[str, Way] = {}
) -> list[Round]:
    """Interleaved rounds, each in a random order: of the work by hand, recorded, and otherwise.

    A round does a piece of the work. What that costs beyond an empty piece is taken as often as
    there are pieces, so that many short rounds say what the whole costs.
    """
    ways: dict[str, Way] = {"by hand": by_hand, "recorded": recorded, **others}
    begins = _rounds(work, 1, ways, min(rounds, 9))
    once = {
        way: [median(each) for each in zip(*(b[way] for b in begins), strict=True)] for way in ways
    }

    def whole(way: str, cost: Cost) -> Cost:
        return Cost(*(o + (c - o) * times / piece for o, c in zip(once[way], cost, strict=True)))

    pieces = _rounds(work, piece, ways, rounds)
    return [{way: whole(way, cost) for way, cost in each.items()} for each in pieces]


def ratio(rounds: list[Round], way: str = "recorded", cpu: bool = False) -> float:
    """The median of what a way cost over what the work by hand cost in the same round."""
    return median(each[way][cpu] / each["by hand"][cpu] for each in rounds)


def _rounds(work: Work, times: int, ways: Mapping[str, Way], rounds: int) -> list[Round]:
    program = compiled(work.scenario, times)
    found: list[Round] = []
    for _ in range(rounds):
        order = random.sample(list(ways), len(ways))
        found.append({way: _cost(ways[way], work, program, times) for way in order})
    return found


def compiled(text: str, times: int) -> Program:
    """The program of a scenario with `n` as a parameter."""
    (scenario,) = api.loads(f"mpflow: 1\nparams: {{n: {times}}}\n{text}").scenarios
    return compile_program(scenario, seed=1)


def real(program: Program) -> dict[str, Any]:
    """The program's primitives, made as main makes them."""
    return {
        f"{name}{part}": each
        for name, type_name, options in program.primitives
        for part, each in registry.primitive(type_name).make(options, {}).items()
    }


def _cost(way: Way, work: Work, program: Program, times: int) -> Cost:
    """One round: each process of the work in a process of its own, all from one start."""
    objects = (work.objects or real)(program)
    gate, told = FORK.Barrier(len(work.by_hand)), FORK.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            FORK.Process(
                target=_live,
                args=(gate, told, partial(way, Life(work, program, name, objects, times, folder))),
            )
            for name in work.by_hand
        ]
        for process in processes:
            process.start()
        seen = [told.get() for _ in processes]
        for process in processes:
            process.join()
            assert process.exitcode == 0, process
    began, ended, cpu = zip(*seen, strict=True)
    return Cost(max(ended) - min(began), sum(cpu))


def _live(gate: Any, told: Any, life: Callable[[], None]) -> None:
    gate.wait()
    began, used = perf_counter(), process_time()

    def tell() -> None:
        told.put((began, perf_counter(), process_time() - used))

    util.Finalize(None, tell, exitpriority=_LAST_OF_ALL)
    life()
