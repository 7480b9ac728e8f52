"""A state -> what the run that came there amounts to, as a Trace without its events.

So that expect.py judges it as it judges a run: prints and marks stand in it as events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.model.local import Dead, Local
from mpflow.model.names import actor
from mpflow.model.space import Space
from mpflow.model.world import World
from mpflow.trace import Event, Trace


def ending(space: Space, state: int, end: str = "") -> Trace:
    """What a run is that came to this state and ended there, as `end` says, or as it looks:
    completed when all processes have ended, else deadlock."""
    world = space.world
    processes = {name: space.value(state, actor(name)) for name in world.program.plans}
    logs: dict[str, Any] = {
        key: space.value(state, key) for key in ("output", "lines", "marks") if key in world.first
    }
    return of(world, processes, logs, end)


def of(world: World, processes: Mapping[str, Any], logs: Mapping[str, Any], end: str = "") -> Trace:
    """The same of what each process is up to, and of what the monitors keep."""
    living = any(isinstance(each, Local) for each in processes.values())
    ended = {name: each for name, each in processes.items() if isinstance(each, Dead)}
    started = {name for name, each in processes.items() if each is not None}
    printed = (*logs.get("output", ()), *logs.get("lines", ()))
    events = [_event(i, "print", None, line) for i, line in enumerate(printed)]
    events += [_event(i, "mark", name, None) for i, name in enumerate(logs.get("marks", ()))]
    return Trace(
        header={},
        events=tuple(events),
        end=end or ("deadlock" if living else "completed"),
        duration=0.0,
        exitcodes={n: ended[n].code if n in ended else None for n in processes if n in started},
        errors={name: each.error for name, each in ended.items()},
        variables={
            name: {key: world.values.value(number) for key, number in each.variables}
            for name, each in ended.items()
        },
    )


def _event(number: int, action: str, on: str | None, value: Any) -> Event:
    return Event(number, 0.0, "", action, on, None, value, None, "ok", None, 0.0)
