"""What one process is up to: all that its future depends on besides shared components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mpflow.model.machine import Done, State
from mpflow.model.values import Failure

Mem = tuple[tuple[Any, Any], ...]


class Local(NamedTuple):
    """A process that lives: where it is in its actions, what it remembers (counts of its locks,
    its children, what it closed), the results of an action's subjects that are done with, and of
    the steps of the one in progress."""

    state: State | Done
    mem: Mem = ()
    done: tuple[int, ...] = ()
    history: tuple[int, ...] = ()


# A history: nothing for so long that there is a pause, lest a loop be without end; or there is an
# error that no action of its own has raised just now, and it has not ended the process yet.
IDLE = (0,)
UNBORN = State(-1, ())  # of a process that was started and has not come to its first instruction


class Dead(NamedTuple):
    """A process that has ended: its exit code, the type of the error that ended it, and those of
    its variables that somebody may ask for, as numbers."""

    code: int
    error: str | None
    variables: tuple[tuple[str, int], ...]


class Moment(NamedTuple):
    """What happened to an action: it was begun, came to its end, or the process did. For showing
    a schedule; the search knows nothing of it."""

    step: Any  # plan.Step, or None for a process's begin and end
    on: str | None
    type: str
    phase: str
    arguments: Mapping[str, Any]
    result: Any = None
    failure: Failure | None = None
