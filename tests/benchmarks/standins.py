"""What a traced stand-in costs: python tests/benchmarks/standins.py [ROUNDS]

For each action the bare object's time, the stand-in's and their difference, in microseconds. A
round is short, and bare and traced take turns in an order drawn by chance, so that whatever else
the machine does meets both; the median of all rounds counts.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterator
from random import shuffle
from statistics import median
from time import perf_counter
from typing import Any

from mpflow.engine.lanes import lanes
from mpflow.engine.standin import standin

TARGET = 1.5  # microseconds
TURNS = 200  # of an action in a round

_Loop = Callable[[Any], tuple[float, int]]  # the seconds of so many actions


def acquire_and_release(lock: Any) -> tuple[float, int]:
    began = perf_counter()
    for _ in range(TURNS):
        lock.acquire()
        lock.release()
    return perf_counter() - began, 2 * TURNS


def with_statement(lock: Any) -> tuple[float, int]:
    began = perf_counter()
    for _ in range(TURNS):
        with lock:
            pass
    return perf_counter() - began, 2 * TURNS


def is_set(event: Any) -> tuple[float, int]:
    began = perf_counter()
    for _ in range(TURNS):
        event.is_set()
    return perf_counter() - began, TURNS


def put(queue: Any) -> tuple[float, int]:
    """Without the gets, which make room for the next round."""
    began = perf_counter()
    for i in range(TURNS):
        queue.put(i)
    spent = perf_counter() - began
    while queue.qsize():
        queue.get()
    return spent, TURNS


def poll(end: Any) -> tuple[float, int]:
    began = perf_counter()
    for _ in range(TURNS):
        end.poll()
    return perf_counter() - began, TURNS


def without_waiting(lock: Any) -> tuple[float, int]:
    """With arguments that are not the usual ones."""
    began = perf_counter()
    for _ in range(TURNS):
        lock.acquire(False)
        lock.release()
    return perf_counter() - began, 2 * TURNS


def pairs() -> Iterator[tuple[str, _Loop, Any, str]]:
    """What is measured: a name, a loop, the real object and its type."""
    yield "acquire, release", acquire_and_release, multiprocessing.Lock(), "lock"
    yield "with lock", with_statement, multiprocessing.Lock(), "lock"
    yield "acquire(False), release", without_waiting, multiprocessing.Lock(), "lock"
    yield "event.is_set", is_set, multiprocessing.Event(), "event"
    yield "conn.poll", poll, multiprocessing.Pipe()[0], "pipe"
    yield "queue.put", put, multiprocessing.Queue(), "queue"  # last: it leaves a thread


def measure(loop: _Loop, bare: Any, traced: Any, rounds: int) -> tuple[float, float]:
    """The median microseconds of one action: bare, traced."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        order = [False, True]
        shuffle(order)
        for with_trace in order:
            seconds, actions = loop(traced if with_trace else bare)
            times[with_trace].append(seconds / actions * 1e6)
    return median(times[False]), median(times[True])


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print(f"{'microseconds an action':24}{'bare':>8}{'traced':>8}{'more':>8}   target {TARGET}")
    with tempfile.TemporaryDirectory() as folder:
        own = lanes(folder)
        for name, loop, bare, type_name in pairs():
            before, after = measure(loop, bare, standin(bare, "x", type_name, own), rounds)
            more = after - before
            word = "met" if more <= TARGET else "MISSED"
            print(f"{name:24}{before:8.2f}{after:8.2f}{more:8.2f}   {word}", flush=True)


if __name__ == "__main__":
    main()
