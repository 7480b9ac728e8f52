"""A process as something acted upon: started, joined, ended, asked. Declared under `processes`.

CPython: multiprocessing.Process (process.py, popen_fork.py, popen_spawn_posix.py,
popen_forkserver.py). A process object can be joined by the process that made it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import INTO, PROCESS, TIMEOUT, WHAT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

SIGNAL = Argument(
    "signal",
    "text",
    "its name or number: SIGUSR1, USR1, 10",
    required=True,
    wrong=lambda s: _wrong(s),
)


class Life:
    """A process in the order of events: started, begun, ended; seen ended only after it.

    The state is the stage. What is `born` needs nobody to start it. That it has not ended yet may
    be told after its end, too: it dies a little later than its exit hooks are done.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.born = bool(options.get("born"))

    def start(self) -> str:
        return "started" if self.born else "new"

    def after(self, stage: str, event: Observation) -> str | None:
        action = event.action
        if action == "end":
            return "ended"
        if event.status == "error":
            return stage
        if action == "start":
            return "started"
        if action == "begin":
            return "begun" if stage == "started" else None
        return stage if event.status == "blocked" or _tells(action, event.result, stage) else None


def _tells(action: str, result: object, stage: str) -> bool:
    """Whether what somebody was told of a process can be so at this stage."""
    if action == "join":
        return not result or stage == "ended"
    if action == "exitcode":
        return result is None or stage == "ended"
    if action == "wait_any":  # it found the process ended
        return stage == "ended"
    if action == "is_alive":
        return stage != "new" if result else stage in ("new", "ended")
    return True


def _join(process: Any, timeout: float | None) -> bool:
    """Whether it has ended: Process.join itself returns None either way."""
    process.join(timeout)
    return process.exitcode is not None


def _number(signal: object) -> int:
    """The number of a signal: SIGUSR1, USR1, 10. ValueError where there is none."""
    import signal as signals

    name = str(signal).upper()
    if name.isdigit() and int(name) < signals.NSIG:
        return int(name)
    name = name if name.startswith("SIG") else f"SIG{name}"
    if name not in signals.Signals.__members__:
        raise ValueError(f"{signal!r:.40} is no signal of this system")
    return signals.Signals[name]


def _wrong(signal: object) -> str:
    try:
        _number(signal)
    except ValueError as error:
        return str(error)
    return ""


def _send(process: Any, number: int) -> None:
    """As Process.terminate does it: nothing to what has ended. ValueError for what was never
    started, as Process.sentinel says it."""
    process._check_closed()
    if process._popen is None:
        raise ValueError("process not started")
    process._popen._send_signal(number)


def _make(options: object, made: object) -> dict[str, object]:
    raise TypeError("a process is made by the process that starts it")


PRIMITIVE = Primitive(
    type="process",
    summary="A process of the scenario.",
    options=(),
    operations=(
        Operation("start", "Start it.", PROCESS, (), lambda process: process.start()),
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
            outgoing=True,
        ),
        Operation(
            "kill",
            "Send SIGKILL; returns before the process is gone.",
            PROCESS,
            (),
            lambda process: process.kill(),
            outgoing=True,
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
        Operation(
            "signal",
            "Send it a signal; returns before anything has come of it.",
            PROCESS,
            (SIGNAL,),
            lambda process, signal: _send(process, _number(signal)),
            shows="signal",
            outgoing=True,
        ),
        Operation(
            "suspend",
            "Stop it where it is, until it is resumed: SIGSTOP.",
            PROCESS,
            (),
            lambda process: _send(process, _number("SIGSTOP")),
            outgoing=True,
        ),
        Operation(
            "resume",
            "Let it go on: SIGCONT.",
            PROCESS,
            (),
            lambda process: _send(process, _number("SIGCONT")),
            outgoing=True,
        ),
        Operation("close", "Give up an ended process.", WHAT, (), lambda process: process.close()),
    ),
    make=_make,
    rule=Life,
    declared=False,
)
