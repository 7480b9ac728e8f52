"""Space -> Search: every state that can be reached, breadth first, so that the first way found to
any of them is a shortest one.

A limit reached, or a Ctrl-C, ends a search early, and it says so.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from mpflow.model.moves import Move
from mpflow.model.space import Space

CHECKED = 4096  # states between two looks at the clock, at most
SOON = 0.1  # seconds between them, about


class Limits(NamedTuple):
    """What a search may take: states, seconds, bytes of memory; None: whatever it takes."""

    states: int | None = None
    seconds: float | None = None
    memory: int | None = None


class Graph(Protocol):
    """States as integers, and what comes after each: all of it (Plain), as much as is enough
    (reduce.Stubborn), or with a clock (clock.Timed)."""

    first: int

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        """Each state that comes next, and how many moves away it is."""
        ...

    def moves(self, one: int, other: int) -> tuple[Move, ...]:
        """The moves from a state to one that comes next."""
        ...


class Search(NamedTuple):
    """What a search found. `came_from` has each state, in the order of the search, and the one
    before it. `ends` are the states in which nobody can go on. `cut`: what ended the search early;
    nothing if it went to its end. `depth`: how far it came."""

    graph: Graph
    came_from: dict[int, int | None]
    ends: list[int]
    transitions: int = 0
    cut: str = ""
    depth: int = 0


def search(
    space: Space,
    limits: Limits = Limits(),  # noqa: B008
    graph: Callable[[Space], Graph] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Search:
    """All that can be reached from the first state: without a `graph` of all steps. `progress`
    hears of the number of states and the depth now and then."""
    watch = Watch(limits, progress)
    return space.laid_out(lambda: explore(space, watch, graph))


def explore(space: Space, watch: Watch, graph: Callable[[Space], Graph] | None = None) -> Search:
    """The same in one go. Raises FullError (space.py)."""
    watch.due = 0
    return _graph(graph(space), watch) if graph else _search(space, watch)


def _search(space: Space, watch: Watch) -> Search:
    """All states, level by level: the same as of the graph Plain, and ten times as fast."""
    found = Search(Plain(space), {space.first: None}, [])
    came_from, ends = found.came_from, found.ends
    level = [space.first]
    transitions = depth = 0
    cut = ""
    table = [(a.shift, a.mask, a.rows, a) for a in space.actors]
    try:
        while level and not cut:
            following: list[int] = []
            for state in level:
                blocked = True
                for shift, mask, rows, actor in table:
                    at = (state >> shift) & mask
                    row = rows[at] if at < len(rows) else None
                    if row is None:
                        row = space.row(actor, at)
                    if row is False or row is True:
                        continue
                    ways = row.ways.get(state & row.mask)
                    if ways is None:
                        ways = space.fill(actor, row, state)
                    if ways:
                        blocked = False
                        transitions += len(ways)
                        for difference in ways:
                            new = state + difference
                            if new not in came_from:
                                came_from[new] = state
                                following.append(new)
                if blocked:
                    ends.append(state)
                if len(came_from) >= watch.due and (cut := watch.over(len(came_from), depth)):
                    break
            level = following
            depth += 1
    except KeyboardInterrupt:
        cut = "interrupted"
    return found._replace(transitions=transitions, cut=cut, depth=depth)


def interleavings(space: Space, watch: Watch) -> int | None:
    """How many ways lead from the first state to an end, by the order of their steps, whoever can
    take one. None where one can go round in a circle, or a limit ends it. Raises FullError."""
    actors, differences = space.actors, space.differences
    ways: dict[int, int] = {}  # from a state to an end
    begun: dict[int, list[int]] = {}  # what comes next of those that lead to the present one
    work = [space.first]
    watch.due = 0
    try:
        while work:
            state = work[-1]
            if state in ways:
                work.pop()
                continue
            following = begun.pop(state, None)
            if following is None:
                following = [state + each for one in actors for each in differences(one, state)]
                if left := [each for each in following if each not in ways]:
                    begun[state] = following
                    looked = len(ways) + len(begun)
                    if looked >= watch.due and watch.over(looked, len(begun)):
                        return None
                    if any(each in begun for each in left):
                        return None
                    work += left
                    continue
            ways[state] = sum([ways[each] for each in following]) if following else 1
            work.pop()
    except KeyboardInterrupt:
        return None
    return ways[space.first]


def nearest(space: Space, key: str, wanted: Callable[[Any], bool], most: int) -> Search | None:
    """The search of all steps up to the first state in which a component's value is wanted, the
    last one in it; None where there are too many states before that. Raises FullError."""
    found = Search(Plain(space), {space.first: None}, [])
    came_from, field = found.came_from, space.fields[key]
    known: dict[int, bool] = {}
    for state in (queue := [space.first]):
        for new, _ in space.successors(state):
            if new in came_from:
                continue
            came_from[new] = state
            number = (new & field.mask) >> field.shift
            if number not in known:
                known[number] = wanted(field.values[number])
            if known[number]:
                return found
            queue.append(new)
        if len(came_from) > most:
            return None
    return None


def _graph(graph: Graph, watch: Watch) -> Search:
    """The same of any graph, in the order of the distance from the first state: what comes after a
    state may be several moves away."""
    found = Search(graph, {graph.first: None}, [])
    return go_on(found, {0: [graph.first]}, watch)


def go_on(found: Search, levels: dict[int, list[int]], watch: Watch) -> Search:
    """Go on with a search at states by their distances."""
    came_from, ends, after = found.came_from, found.ends, found.graph.after
    distance = {state: far for far, states in levels.items() for state in states}
    transitions, depth, cut = found.transitions, found.depth, ""
    try:
        while levels and not cut:
            depth = min(levels)
            for state in levels.pop(depth):
                if distance.get(state) != depth:
                    continue  # looked at before, from nearer
                del distance[state]
                taken = False
                for new, steps in after(state):
                    taken = True
                    transitions += 1
                    far = depth + steps
                    if new not in came_from or distance.get(new, -1) > far:
                        came_from[new] = state
                        distance[new] = far
                        levels.setdefault(far, []).append(new)
                if not taken:
                    ends.append(state)
                if len(came_from) >= watch.due and (cut := watch.over(len(came_from), depth)):
                    break
    except KeyboardInterrupt:
        cut = "interrupted"
    return found._replace(transitions=transitions, cut=cut, depth=depth)


class Plain:
    """All steps of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.first = space.first

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        """Each state that comes next; all are one move away."""
        return ((new, 1) for new, _ in self.space.successors(state))

    def moves(self, one: int, other: int) -> tuple[Move, ...]:
        """The move from a state to one that comes next."""
        return next(
            (Move(actor.key, way),)
            for actor in self.space.actors
            for way, (difference, _, _) in enumerate(self.space.ways(actor, one))
            if one + difference == other
        )


class Watch:
    """Tells when a search has to end."""

    def __init__(self, limits: Limits, progress: Callable[[int, int], None] | None) -> None:
        self.limits = limits
        self.progress = progress
        self.most = sys.maxsize if limits.states is None else limits.states
        self.due = 0  # how many states there are at the next look
        self.pace = 1  # states from the last look to that
        self.begun = self.looked = time.monotonic()
        self.told = self.begun

    def over(self, states: int, depth: int) -> str:
        """Which limit has been reached, if one has."""
        limits, now = self.limits, time.monotonic()
        slow = now - self.looked > SOON
        self.pace = max(1, self.pace // 2) if slow else min(CHECKED, self.pace * 2)
        self.looked, self.due = now, min(states + self.pace, self.most)
        if states >= self.most:
            return f"the limit of {limits.states:,} states was reached"
        if limits.seconds is not None and now - self.begun >= limits.seconds:
            return f"the limit of {limits.seconds:g} seconds was reached"
        if limits.memory is not None and _used() >= limits.memory:
            return f"the limit of {limits.memory / 1e6:,.0f} MB of memory was reached"
        if self.progress is not None and now - self.told >= 0.5:
            self.told = now
            self.progress(states, depth)
        return ""


def _used() -> int:
    """The bytes of memory that this process uses, where the system tells that; else those it has
    used at most, which an earlier search may have done; else, on Windows, none: no limit holds."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reached(space: Space, found: Search, key: str) -> Iterator[tuple[object, int]]:
    """Each value that a component has somewhere, and the first state that has it."""
    field = space.fields[key]
    seen: set[int] = set()
    for state in found.came_from:
        number = (state & field.mask) >> field.shift
        if number not in seen:
            seen.add(number)
            yield field.values[number], state
