"""Space -> Explored: all that can be reached, and the loops in it that nobody can leave.

What reductions leave out may lead out of such a loop: where there is one, all steps are looked at.
"""

from __future__ import annotations

from typing import NamedTuple

from mpflow.model.clock import Timed
from mpflow.model.cycles import endless
from mpflow.model.explore import Search, Watch, explore, go_on
from mpflow.model.process import Process
from mpflow.model.reduce import Stubborn
from mpflow.model.space import Space


class Explored(NamedTuple):
    """A search, and one state of each loop that nobody can leave; none where it was cut short."""

    found: Search
    traps: list[int]


def explored(space: Space, watch: Watch, reduce: bool) -> Explored:
    """With a clock if the world's time is exact, else with stubborn sets if `reduce`."""
    return space.laid_out(lambda: _explored(space, watch, reduce))


def _explored(space: Space, watch: Watch, reduce: bool) -> Explored:
    if space.world.facts.exact:
        return _with_clock(space, explore(space, watch, Timed), watch)
    found = explore(space, watch, Stubborn if reduce else None)
    traps = _traps(space, found)
    if traps and reduce:
        found = explore(space, watch)
        traps = _traps(space, found)
    return Explored(found, [part[0] for part in traps])


def _traps(space: Space, found: Search) -> list[list[int]]:
    """The loops; without such as may go on there are none."""
    loops = any(map(may_loop, space.world.processes.values()))
    return endless(found) if loops and not found.cut else []


def _with_clock(space: Space, found: Search, watch: Watch) -> Explored:
    """Who turns in a loop in which no time goes by lets it go by: then a limit may be reached that
    ends it. In a loop with sleeps of its own that has been told already."""
    tried: set[int] = set()
    parts = _traps(space, found)
    while not found.cut:
        graph = found.graph
        assert isinstance(graph, Timed)
        new: dict[int, int] = {}
        still = [part for part in parts if graph.timeless(part)]
        for state in (each for part in still for each in part if each not in tried):
            tried.add(state)
            later = graph.later(state)
            if later is not None:
                graph.waits.add(state)
                if later not in found.came_from:
                    new[later] = state
        if not new:
            break
        found.came_from.update(new)
        found = go_on(found, {0: list(new)}, watch)
        parts = _traps(space, found)
    return Explored(found, [part[0] for part in parts])


def may_loop(process: Process) -> bool:
    """Whether a process has a loop that the text sets no end to."""
    return any(
        step.kind == "open"
        and (step.verb == "while" or (step.verb == "repeat" and step.arguments["times"] == "None"))
        for step in process.plan.steps
    )
