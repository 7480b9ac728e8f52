"""What the names in a process's expressions mean: its plan and its primitives go in."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from typing import Any

from mpflow import registry
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


class Ends(Attributes, tuple[Any, ...]):
    """A pipe in `args`: its ends, as Pipe() returns them, and by their names."""

    name: str
    ends: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, ends: Mapping[str, Any]) -> Ends:
        made = cls(ends.values())
        made.name, made.ends = name, ends
        return made

    def get(self, name: str) -> object:
        try:
            return self.ends[name]
        except KeyError:
            raise AttributeError(f"{self.name} has no end {name!r}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)  # to the one who gets it, that is all it is


def _handed(
    program: Program, objects: Mapping[str, Any], hidden: Mapping[str, Any]
) -> dict[str, Any]:
    """The primitives by their declared names, for `$jobs`, `$(link.conn1)` and `$(forks[1])`; a
    replicated one is a list of all its replicas."""
    found: dict[str, Any] = {}
    parts = {name.partition(".")[0] for name in objects}
    for name, type_name, options in program.primitives:
        base, _, index = name.partition("[")
        if name not in parts or base in hidden:
            continue
        if name in objects:
            entry = objects[name]
        else:  # in their own order
            suffixes = registry.primitive(type_name).parts(options)
            ends = ((each[1:], objects.get(f"{name}{each}")) for each in suffixes)
            entry = Ends.of(name, {end: each for end, each in ends if each is not None})
        if index:
            found.setdefault(base, {})[int(index.rstrip("]"))] = entry
        else:
            found[base] = entry
    return {name: _replicas(each) for name, each in found.items()}


def _replicas(entry: Any) -> Any:
    """A list, unless some are missing: then no place in it would be right."""
    if type(entry) is not dict or list(entry) != list(range(len(entry))):
        return entry
    return list(entry.values())


def outer(
    plan: Plan, program: Program, objects: Mapping[str, Any], processes: Mapping[str, object]
) -> dict[str, object]:
    """Everything that a variable of the same name would hide."""
    found: dict[str, object] = {"self": Self(), "error": Error(), **program.params}
    if plan.replica is not None:
        found["index"] = plan.replica
    found.update(processes)
    found.update(_handed(program, objects, found))
    return found


def arguments(
    plan: Plan, program: Program, objects: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The args and kwargs of a target or class, worked out for one replica."""
    names = Names(outer(plan, program, objects, {}))
    return eval(plan.args, NAMESPACE, names), eval(plan.kwargs, NAMESPACE, names)
