"""A search that was cut short -> what has had most values in it, which may never come to an end."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.model.local import Local
from mpflow.model.names import actor
from mpflow.model.space import Space
from mpflow.model.traps import may_loop

GROWN = 1_000  # values that are many


def growing(space: Space) -> str:
    """A part of a sentence; nothing where nothing grows, or no process goes on for ever."""
    if not any(map(may_loop, space.world.processes.values())):
        return ""
    many, what = max([*_variables(space), *_primitives(space)], default=(0, ""))
    return f"; {what} has had {many:,} values: does it ever stop?" if many > GROWN else ""


def _variables(space: Space) -> Iterator[tuple[int, str]]:
    """How many values each variable of a process with loops has had."""
    for name, process in space.world.processes.items():
        if may_loop(process):
            values = space.fields[actor(name)].values
            slots = [each.state.slots for each in values if isinstance(each, Local)]
            for variable, slot in process.machine.names.items():
                yield len({each[slot] for each in slots}), f"`{variable}` of `{name}`"


def _primitives(space: Space) -> Iterator[tuple[int, str]]:
    """The same of what stands in each component of a primitive."""
    for name, _, _ in space.world.program.primitives:
        for key in space.world.keys_of(name):
            yield len(space.fields[key].values), f"`{name}`"
