"""What the names in a process's expressions mean: its plan and its primitives go in."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from typing import Any

from mpflow.evaluation import NAMESPACE, Attributes, Names
from mpflow.naming import Error
from mpflow.plan import Plan, Program


class Self(Attributes):
    """`self` in an expression: this process as the system has it."""

    def get(self, name: str) -> object:
        if name == "name":
            return multiprocessing.current_process().name
        if name == "pid":
            return os.getpid()
        raise AttributeError(f"self has no {name!r}; it has name and pid")


class Ends(Attributes):
    """A pipe in `args`: its ends, to be handed over one by one."""

    def __init__(self, name: str, objects: Mapping[str, Any]) -> None:
        self.name = name
        self.objects = objects

    def get(self, name: str) -> object:
        try:
            return self.objects[f"{self.name}.{name}"]
        except KeyError:
            raise AttributeError(f"{self.name} has no end {name!r}") from None


def _handed(objects: Mapping[str, Any], hidden: Mapping[str, Any]) -> dict[str, Any]:
    """The primitives by their declared names, for `$jobs`, `$(link.conn1)` and `$(forks[1])`."""
    found: dict[str, Any] = {}
    for name, each in objects.items():
        whole, _, part = name.partition(".")
        base, _, index = whole.partition("[")
        if base in hidden:
            continue
        entry = Ends(whole, objects) if part else each
        if index:
            found.setdefault(base, {})[int(index.rstrip("]"))] = entry
        else:
            found[base] = entry
    return found


def outer(
    plan: Plan, program: Program, objects: Mapping[str, Any], processes: Mapping[str, object]
) -> dict[str, object]:
    """Everything that a variable of the same name would hide."""
    found: dict[str, object] = {"self": Self(), "error": Error(), **program.params}
    if plan.replica is not None:
        found["index"] = plan.replica
    found.update(processes)
    found.update(_handed(objects, found))
    return found


def arguments(
    plan: Plan, program: Program, objects: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The args and kwargs of a target or class, worked out for one replica."""
    names = Names(outer(plan, program, objects, {}))
    return eval(plan.args, NAMESPACE, names), eval(plan.kwargs, NAMESPACE, names)
