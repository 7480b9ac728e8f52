"""Other ways to do or to watch the same work, to compare with."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from pairs import Life, Way, by_hand
from works import QUEUE

SCRIPT = """
from multiprocessing import Process, Queue

def puts(queue):
    for i in range({n}):
        queue.put(i)

def gets(queue):
    for i in range({n}):
        queue.get()

if __name__ == "__main__":
    queue = Queue()
    processes = [Process(target=puts, args=(queue,)), Process(target=gets, args=(queue,))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def clock(life: Life) -> None:
    """As many calls of the clock as the work has events."""
    now = perf_counter
    for _ in range(life.times):
        now(), now(), now(), now(), now()
        now(), now(), now(), now(), now()


def nothing(life: Life) -> None:
    """The loop alone."""
    for _ in range(life.times):
        pass


def _viztracer() -> Way | None:
    """The work by hand under VizTracer at its leanest: the first level of Python calls, in
    memory, never saved."""
    try:
        from viztracer import VizTracer
    except ImportError:
        return None

    def way(life: Life) -> None:
        tracer = VizTracer(
            verbose=0,
            max_stack_depth=1,
            ignore_c_function=True,
            ignore_frozen=True,
            log_async=False,
            tracer_entries=2 * life.times + 10_000,
        )
        tracer.start()
        by_hand(life)
        tracer.stop()

    return way


viztracer = _viztracer()


def write_commands(folder: Path, items: int) -> tuple[Path, Path]:
    """A scenario of a queue, and the script that does the same: their paths."""
    scenario, script = folder / "queue.yaml", folder / "by_hand.py"
    scenario.write_text(f"mpflow: 1\nparams: {{n: {items}}}\nstart_method: fork\n{QUEUE.scenario}")
    script.write_text(SCRIPT.format(n=items))
    return scenario, script
