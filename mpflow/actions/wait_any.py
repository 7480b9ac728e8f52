"""wait_any: multiprocessing.connection.wait; which of several ends and processes are ready."""

from typing import Any

from mpflow.kinds import INTO, TIMEOUT, Action, Argument


def _wait_any(process: Any, names: list[str], timeout: float | None) -> list[str]:
    from multiprocessing.connection import wait

    objects = process.waitable(names)
    ready = wait([each for _, each in objects], timeout)
    return [name for name, each in objects if each in ready]


ACTION = Action(
    verb="wait_any",
    summary="Wait until one of several ends can be received from, or processes have ended.",
    arguments=(
        Argument("for", "subjects", "the names of pipe ends and processes", required=True),
        TIMEOUT,
        INTO,
    ),
    real=_wait_any,
    shows="for",
    types=("pipe", "process"),
    model=lambda me, names, timeout: me.wait_any(names, timeout),
)
