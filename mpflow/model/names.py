"""What components are called, those of processes above all, and how far a process has come."""

from __future__ import annotations

NEW, ALIVE = "new", "alive"  # of a process's life; after that it is its exit code
TERMINATE, KILL, STOP = 15, 9, 19


def actor(process: str) -> str:
    """The component of what a process is up to."""
    return f"@{process}"


def life(process: str) -> str:
    """The component of how far a process has come."""
    return f"{process}~life"


def signals(process: str) -> str:
    """The component of the signals on their way to a process."""
    return f"{process}~signals"


def stopped(process: str) -> str:
    """The component of whether a process has been stopped."""
    return f"{process}~stopped"


def feeder(queue: str, process: str) -> str:
    """The component of a queue's feeder thread in a process."""
    return f"{queue}>{process}"


def split(key: str) -> tuple[str, str, str]:
    """What kind of actor it is, its process, and its queue if it has one."""
    if key.startswith("@"):
        return "process", key[1:], ""
    if key.endswith("~signals"):
        return "signals", key.removesuffix("~signals"), ""
    queue, _, process = key.partition(">")
    return "feeder", process, queue
