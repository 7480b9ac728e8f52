"""A process as something acted upon: started, joined, ended, asked. Declared under `processes`.

CPython: multiprocessing.Process (process.py, popen_fork.py, popen_spawn_posix.py,
popen_forkserver.py). A process object can be joined by the process that made it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import INTO, TIMEOUT, WHAT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

PROCESS = Argument("process", "processes", "a process, a list of them, or `all`", required=True)


class Life:
    """A process in the order of events: started, begun, ended; seen ended only after it."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.stage = "new"

    def allows(self, event: Observation) -> bool:
        if event.status != "ok":
            return True
        if event.action == "begin":
            return self.stage == "started"
        if event.action == "join":
            return (self.stage == "ended") == bool(event.result)
        if event.action == "exitcode":
            return self.stage == "ended" or event.result is None
        if event.action == "is_alive":
            return self.stage != "new" if event.result else self.stage in ("new", "ended")
        return True

    def apply(self, event: Observation) -> None:
        if event.status == "error" and event.action != "end":
            return
        if event.action in ("start", "begin", "end"):
            self.stage = {"start": "started", "begin": "begun", "end": "ended"}[event.action]

    def observes(self, event: Observation) -> bool:
        return event.action in ("is_alive", "exitcode")


def _join(process: Any, timeout: float | None) -> bool:
    """Whether it has ended: Process.join itself returns None either way."""
    process.join(timeout)
    return process.exitcode is not None


def _make(options: object) -> dict[str, object]:
    raise TypeError("a process is made by the process that starts it")


PRIMITIVE = Primitive(
    type="process",
    summary="A process of the scenario.",
    options=(),
    operations=(
        Operation(
            "start", "Start it.", PROCESS, (), lambda process: process.start(), effect="start"
        ),
        Operation(
            "join",
            "Wait until it has ended; the result says whether it has.",
            PROCESS,
            (TIMEOUT, INTO),
            _join,
        ),
        Operation(
            "terminate",
            "Send SIGTERM; returns before the process is gone.",
            PROCESS,
            (),
            lambda process: process.terminate(),
            effect="start",
        ),
        Operation(
            "kill",
            "Send SIGKILL; returns before the process is gone.",
            PROCESS,
            (),
            lambda process: process.kill(),
            effect="start",
        ),
        Operation(
            "is_alive",
            "Whether it is alive.",
            PROCESS,
            (INTO,),
            lambda process: process.is_alive(),
        ),
        Operation(
            "exitcode",
            "Its exit code, null while it is alive, negative for a signal.",
            PROCESS,
            (INTO,),
            lambda process: process.exitcode,
        ),
        Operation("close", "Give up an ended process.", WHAT, (), lambda process: process.close()),
    ),
    make=_make,
    rule=Life,
    declared=False,
)
