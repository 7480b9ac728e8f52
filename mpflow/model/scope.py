"""What names and functions mean in a process's expressions, besides its own variables."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from mpflow.evaluation import Attributes
from mpflow.model.values import Uncheckable
from mpflow.plan import Plan

if TYPE_CHECKING:
    from mpflow.model.world import World


class _Self(Attributes):
    """`self`, or a process in an expression of main."""

    def __init__(self, name: str, system_name: str, pid: int) -> None:
        self.name = name
        self.known = {"name": system_name, "pid": pid}

    def get(self, name: str) -> object:
        if name in self.known:
            return self.known[name]
        raise AttributeError(f"{self.name} has no {name!r}; it has name and pid")


def scope(world: World, plan: Plan) -> dict[str, object]:
    """What names mean in a process's expressions besides its own variables."""
    pids = {name: 1000 + i for i, name in enumerate(world.program.plans)}
    views = {
        name: _Self(name, each.system_name, pids[name])
        for name, each in world.program.plans.items()
    }
    found: dict[str, object] = {**world.program.params}
    if plan.replica is not None:
        found["index"] = plan.replica
    if plan.name == "main":
        for base, replicas in world.program.names.items():
            named = [views[name] for name in replicas]
            found[base] = named[0] if replicas == (base,) else named
    found["self"] = views[plan.name]
    return found


def asking(world: World) -> dict[str, object]:
    """The functions that ask the clock and the machine: only a simulation has a clock."""

    def now(function: str) -> float:
        if world.now is None:
            hint = "what comes of it can be any; `simulate` has a clock"
            raise Uncheckable(f"`{function}()` asks the clock or the machine", None, hint)
        return world.now

    return {
        "time": lambda: now("time"),
        "ctime": lambda *seconds: time.asctime(time.gmtime(*(seconds or (now("ctime"),)))),
        "cpu_count": lambda: now("cpu_count") and os.cpu_count(),
    }


# The same for what is printed, and nobody asks what it was
UNSEEN = {"time": lambda: 0.0, "ctime": lambda *seconds: "now", "cpu_count": lambda: 1}
