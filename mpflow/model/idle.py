"""A search, its runs -> what was never put to the test: actions that no run comes to, and what is
expected of something that never happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mpflow.model.explore import Search, reached
from mpflow.model.local import Local
from mpflow.model.machine import State
from mpflow.model.names import actor
from mpflow.model.space import Space
from mpflow.scenario import Expectation
from mpflow.trace import Trace


def idle(space: Space, found: Search, expect: Expectation, runs: Sequence[Trace]) -> Iterator[str]:
    """A sentence for each, for replicas and actions of one line again and again; `runs`: every way
    in which a run can end."""
    yield from _unreached(space)
    if not any(trace.end == "completed" for trace in runs):
        for key in ("always", "never", "sometimes", "output"):
            if getattr(expect, key):
                yield f"`{key}` speaks of runs that complete, and none does"
    for word in ("deadlock", "timeout"):
        possible = getattr(expect, word) == "possible"
        if possible and not any(trace.end == word for trace in runs):
            yield f"{word}: possible, and no run ends so"
    marks = {mark for value in _values(space, found, "marks") for mark in value}
    for one, other, line in expect.order:
        for mark in (one, other):
            if mark not in marks:
                yield f"order: no run comes to mark `{mark}` (line {line})"
    for section in expect.exclusive:
        if all(value[1] == 0 for value in _values(space, found, f"section {section}")):
            yield f"exclusive: no run enters section `{section}`"
    ended = {name for trace in runs for name in trace.errors}
    for name in dict.fromkeys([*expect.exitcodes, *expect.errors]):
        if name not in ended:
            yield f"`{name}` never ends: what `expect` says of its end is not put to the test"


def _values(space: Space, found: Search, key: str) -> Iterator[Any]:
    """Each value that a monitor has somewhere."""
    if key in space.world.first:
        yield from (value for value, _ in reached(space, found, key))


def _unreached(space: Space) -> Iterator[str]:
    """Actions that no replica comes to in any run."""
    world, taken = space.world, dict[str, set[int]]()
    for name, process in world.processes.items():
        known = taken.setdefault(process.plan.base, set())
        known |= {number for who, number in world.taken if who == name}
        for value in space.fields[actor(name)].values:
            if isinstance(value, Local) and isinstance(value.state, State):
                step = process.machine.code[max(value.state.at, 0)].step
                known.add(-1 if step is None else step.number)
    for process in world.processes.values():
        base = process.plan.base
        for step in process.plan.steps:
            acts = step.kind == "do" and step.verb not in ("let", "pass", "break", "continue")
            if acts and step.number not in taken[base]:
                yield f"line {step.line}: `{step.verb}` of `{base}` is never reached"
