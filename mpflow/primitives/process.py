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


# The model: `on` is model/child.py's Child


def _model_start(on: Any, me: Any) -> Any:
    children = me.get("children", ())
    if on.name in children:
        raise AssertionError("cannot start a process twice")
    if me.process.plan.daemon:
        raise AssertionError("daemonic processes are not allowed to have children")
    if on.handed_closed(me):
        raise OSError("handle is closed")
    yield on.starting(me)
    me.set("children", (*children, on.name))


def _model_join(on: Any, me: Any, timeout: float | None) -> Any:
    _check_mine(on, me, "join")
    if on.name not in me.get("children", ()):
        raise AssertionError("can only join a started process")
    return (yield on.ended(timeout))


def _model_is_alive(on: Any, me: Any) -> Any:
    _check_mine(on, me, "test")
    if on.name not in me.get("children", ()):
        return False
    return (yield on.stage()) == "alive"


def _model_exitcode(on: Any, me: Any) -> Any:
    _check_closed(on, me)
    if on.name not in me.get("children", ()):
        return None
    stage = yield on.stage()
    return stage if isinstance(stage, int) else None


def _model_signal(on: Any, me: Any, number: int, verb: str) -> Any:
    _check_closed(on, me)
    if on.name not in (*me.get("children", ()), *me.get("known", ())):
        if not verb:
            raise ValueError("process not started")
        raise AttributeError(f"'NoneType' object has no attribute '{verb}'")
    yield on.send(number)


def _model_suspend(on: Any, me: Any, resume: bool = False) -> Any:
    _check_closed(on, me)
    if on.name not in (*me.get("children", ()), *me.get("known", ())):
        raise ValueError("process not started")
    yield on.resume() if resume else on.suspend()


def _model_any_signal(on: Any, me: Any, signal: object) -> Any:
    number = _number(signal)
    if number not in _ENDING:
        raise me.uncheckable(f"what signal {signal} does to a process is not part of the model", "")
    return _model_signal(on, me, number, "")


def _model_close(on: Any, me: Any) -> Any:
    if me.get(("gone", on.name)):
        return
    if on.name in me.get("children", ()) and (yield on.stage()) == "alive":
        text = "Cannot close a process while it is still running. You should first call join() or"
        raise ValueError(f"{text} terminate().")
    me.set(("gone", on.name), True)
    me.set("children", tuple(c for c in me.get("children", ()) if c != on.name))


def _check_mine(on: Any, me: Any, verb: str) -> None:
    _check_closed(on, me)
    if on.name == me.name or on.name in me.get("known", ()) or not on.startable(me):
        raise AssertionError(f"can only {verb} a child process")


def _check_closed(on: Any, me: Any) -> None:
    if me.get(("gone", on.name)):
        raise ValueError("process object is closed")


_ENDING = frozenset(
    (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31)
)

PRIMITIVE = Primitive(
    type="process",
    summary="A process of the scenario.",
    options=(),
    operations=(
        Operation(
            "start",
            "Start it.",
            PROCESS,
            (),
            lambda process: process.start(),
            model=_model_start,
            accesses=lambda on, process, waits: on.starting_accesses(),
        ),
        Operation(
            "join",
            "Wait until it has ended; the result says whether it has.",
            PROCESS,
            (TIMEOUT, INTO),
            _join,
            model=_model_join,
            accesses=lambda on, process, waits: on.ended_accesses(waits),
        ),
        Operation(
            "terminate",
            "Send SIGTERM; returns before the process is gone.",
            PROCESS,
            (),
            lambda process: process.terminate(),
            outgoing=True,
            model=lambda on, me: _model_signal(on, me, 15, "terminate"),
            accesses=lambda on, process, waits: on.send(15).kinds,
        ),
        Operation(
            "kill",
            "Send SIGKILL; returns before the process is gone.",
            PROCESS,
            (),
            lambda process: process.kill(),
            outgoing=True,
            model=lambda on, me: _model_signal(on, me, 9, "kill"),
            accesses=lambda on, process, waits: on.send(9).kinds,
        ),
        Operation(
            "is_alive",
            "Whether it is alive.",
            PROCESS,
            (INTO,),
            lambda process: process.is_alive(),
            model=_model_is_alive,
            accesses=lambda on, process, waits: on.stage().kinds,
        ),
        Operation(
            "exitcode",
            "Its exit code, null while it is alive, negative for a signal.",
            PROCESS,
            (INTO,),
            lambda process: process.exitcode,
            model=_model_exitcode,
            accesses=lambda on, process, waits: on.stage().kinds,
        ),
        Operation(
            "signal",
            "Send it a signal; returns before anything has come of it.",
            PROCESS,
            (SIGNAL,),
            lambda process, signal: _send(process, _number(signal)),
            shows="signal",
            outgoing=True,
            model=_model_any_signal,
            accesses=lambda on, process, waits: on.send(15).kinds,
        ),
        Operation(
            "suspend",
            "Stop it where it is, until it is resumed: SIGSTOP.",
            PROCESS,
            (),
            lambda process: _send(process, _number("SIGSTOP")),
            outgoing=True,
            model=_model_suspend,
            accesses=lambda on, process, waits: on.suspend().kinds,
        ),
        Operation(
            "resume",
            "Let it go on: SIGCONT.",
            PROCESS,
            (),
            lambda process: _send(process, _number("SIGCONT")),
            outgoing=True,
            model=lambda on, me: _model_suspend(on, me, resume=True),
            accesses=lambda on, process, waits: on.resume().kinds,
        ),
        Operation(
            "close",
            "Give up an ended process.",
            WHAT,
            (),
            lambda process: process.close(),
            model=_model_close,
            accesses=lambda on, process, waits: on.stage().kinds,
        ),
    ),
    make=_make,
    rule=Life,
    declared=False,
)
