"""Steps -> Python source: what a process runs, with tracing included.

Each action is one call of `do` with a lambda that works out its arguments, so that a fault in
an argument is the action's own; control flow is Python's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mpflow import registry
from mpflow.kinds import Structure
from mpflow.plan import Step


class Source(NamedTuple):
    """The text of a function `body()`, and for each of its lines the scenario file's line."""

    text: str
    lines: tuple[int, ...]


def body(steps: Sequence[Step], vars: Sequence[tuple[str, str]] = ()) -> Source:
    """The function that takes a process through its steps."""
    written: list[tuple[int, str]] = [(0, "def body():")]
    written += [(0, f"    v[{name!r}] = {source}") for name, source in vars]
    for step in steps:
        indent = "    " * (step.depth + 1)
        written += [(step.line, indent + line) for line in _lines(step)]
        if step.kind in ("open", "part"):
            written.append((step.line, indent + "    pass"))
    written.append((0, "    return"))
    return Source("\n".join(line for _, line in written), tuple(line for line, _ in written))


def _lines(step: Step) -> Sequence[str]:
    if step.kind == "do":
        return _action(step)
    structure = _structure(step.verb)
    if step.kind == "open":
        return structure.opening(step.arguments, step.number)
    if step.kind == "close":
        return structure.closing(step.arguments, step.opens)
    return (structure.parts[step.part].format(**step.arguments),)


def _structure(verb: str) -> Structure:
    structure = registry.action(verb).structure
    assert structure is not None
    return structure


def _action(step: Step) -> Sequence[str]:
    if step.then and step.then != "return":
        return (step.then,)
    call = f"do({step.number}, lambda: {_table(step.arguments)})"
    into = step.arguments.get("into", "None")
    line = call if into == "None" else f"v[{into}] = {call}"
    return (line, step.then) if step.then else (line,)


def _table(arguments: Mapping[str, str]) -> str:
    entries = (f"{name!r}: {source}" for name, source in arguments.items() if name != "into")
    return f"{{{', '.join(entries)}}}"
