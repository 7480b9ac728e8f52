"""What it costs to merge the records of a run, order them and write them as JSON Lines.

Run by recording.py in a fresh process for each figure: python merging.py FOLDER PART, where
`FOLDER` holds a program and its records. Prints seconds, events, and MB of memory above those
before, at their most.
"""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

MIX = """
primitives:
  l: lock
  r: rlock
  s: {type: semaphore, value: 3}
  e: event
  q: queue
  b: {type: queue, maxsize: 4}
  link: {type: pipe, count: 8}
processes:
  p:
    count: 8
    actions:
      - repeat:
          times: $n
          as: i
          do:
            - with: {lock: l, do: [pass]}
            - with: {lock: r, do: [{set: e}, {is_set: e}]}
            - acquire: s
            - release: s
            - put: {value: "$([index, i])", to: q}
            - get: q
            - put: {value: "item $i", to: b}
            - get: {from: b, into: x}
            - send: {value: $i, to: "link[$index].conn1"}
            - recv: "link[$index].conn2"
"""
IN_A_TURN = 14 * 8  # events of all processes


class Figure(NamedTuple):
    """What one part of the work took, from the records on."""

    seconds: float
    events: int
    megabytes: float


def make_records(folder: str, events: int) -> None:
    """A run of about so many events, its records left in a folder."""
    from pairs import FORK, compiled

    from mpflow.engine.worker import Job, run_job

    program = compiled(MIX, events // IN_A_TURN)
    began = perf_counter()
    main = FORK.Process(target=run_job, args=(Job(program, "main", {}, folder, True),))
    main.start()
    main.join()
    assert main.exitcode == 0
    with (Path(folder) / "run").open("wb") as stream:
        pickle.dump((program, began, perf_counter()), stream)


def figures(events: int) -> dict[str, Figure]:
    """Each part's figure, on the same records."""
    with tempfile.TemporaryDirectory() as folder:
        make_records(folder, events)
        return {part: _in_a_fresh_process(folder, part) for part in PARTS}


def _in_a_fresh_process(folder: str, part: str) -> Figure:
    command = [sys.executable, __file__, folder, part]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Figure(float(found[0]), int(found[1]), float(found[2]))


def main() -> None:
    from mpflow.engine.launch import Records
    from mpflow.engine.merge import Merge
    from mpflow.engine.reading import lanes

    folder, part = sys.argv[1:]
    with (Path(folder) / "run").open("rb") as stream:
        program, began, ended = pickle.load(stream)
    gc.collect()
    before, start = _most_memory(), perf_counter()
    merged = Merge(Records("completed", began, ended, {}, frozenset(), lanes(folder)), program)
    PARTS[part](merged, folder)
    seconds = perf_counter() - start
    print(seconds, merged.count(), _most_memory() - before)


def _decode(merged: object, folder: str) -> None:
    for lane in merged._lanes():  # type: ignore[attr-defined]
        deque(lane, maxlen=0)


def _order(merged: Iterator[object], folder: str) -> None:
    deque(iter(merged), maxlen=0)


def _write(merged: Iterator[object], folder: str) -> None:
    from mpflow.trace import event_lines

    with (Path(folder) / "events.jsonl").open("w", encoding="ascii") as stream:
        stream.writelines(event_lines(merged, ascii_only=True))  # type: ignore[arg-type]


# Each does what the one before does, too.
PARTS: dict[str, Callable[..., None]] = {
    "decoded": _decode,
    "ordered": _order,
    "written": _write,
}


def _most_memory() -> float:
    """MB that this process has held at once, at most."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1000


if __name__ == "__main__":
    main()
