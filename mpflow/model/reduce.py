"""Whose steps are enough: in each state a stubborn set of actors, so that no end is missed.

An actor who can take his step brings in all who may ever disturb that step; one who cannot brings
in all who may let him go on. What the set leaves out cannot matter to it: every way to an end of
the run has a way through the set to the same end, of the same length (Valmari, Stubborn sets for
reduced state space generation, 1991). A test compares with the search without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mpflow.model.accesses import Accesses
from mpflow.model.local import Dead, Local
from mpflow.model.machine import State
from mpflow.model.moves import Move
from mpflow.model.space import Actor, Space
from mpflow.model.world import life


class Reach(NamedTuple):
    """What an actor at some place of its own may do, as bits of Accesses: in all its future;
    without releases of what it will have waited for; what disturbs its next step; what lets that
    step go on when it is blocked."""

    future: int
    unguarded: int
    conflicts: int
    enabling: int


NOTHING = Reach(0, 0, 0, 0)


class Stubborn:
    """The stubborn sets of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.first = space.first
        self.accesses = Accesses(space.world)
        self.reaches: list[list[Reach | None]] = [[] for _ in space.actors]

    def actors(self, state: int) -> list[int]:
        """The smallest set found: the one with the fewest steps to take."""
        reaches, enabled, ways = [], [], []
        for number, actor in enumerate(self.space.actors):
            at = (state >> actor.shift) & actor.mask
            known = self.reaches[number]
            reach = known[at] if at < len(known) else None
            if reach is None:
                reach = self._reach(number, actor, at)
            reaches.append(reach)
            found = self.space.differences(actor, state) if reach is not NOTHING else ()
            ways.append(len(found))
            if found:
                if not reach.conflicts:
                    return [number]
                enabled.append(number)
        if len(enabled) < 2:
            return enabled
        return self._smallest(reaches, enabled, ways)

    def after(self, state: int) -> Iterator[tuple[int, tuple[Move, ...]]]:
        """The states that follow by steps that are enough, and the moves that lead to them: one,
        and all that its actor can do right after it which nothing can disturb."""
        for number in self.actors(state):
            actor = self.space.actors[number]
            for way, difference in enumerate(self.space.differences(actor, state)):
                new, steps = self.run_on(state + difference, number)
                yield new, (Move(actor.key, way), *[Move(actor.key)] * steps)

    def run_on(self, state: int, number: int) -> tuple[int, int]:
        """Where an actor comes to who goes on as long as nothing can disturb his next step, and
        that can come out in one way only. One who has come back to where he was goes no further."""
        actor, steps = self.space.actors[number], 0
        known = self.reaches[number]
        seen = {state}
        while True:
            at = (state >> actor.shift) & actor.mask
            reach = known[at] if at < len(known) else None
            if reach is None:
                reach = self._reach(number, actor, at)
            if reach.conflicts or reach is NOTHING:
                return state, steps
            found = self.space.differences(actor, state)
            if len(found) != 1 or state + found[0] in seen:
                return state, steps
            state += found[0]
            seen.add(state)
            steps += 1

    def _smallest(self, reaches: list[Reach], enabled: list[int], ways: list[int]) -> list[int]:
        best, least = enabled, sum(ways)
        brings = _Brings(reaches, enabled)
        for seed in enabled:
            chosen = brings.closure(seed)
            members = [each for each in enabled if chosen >> each & 1]
            steps = sum(ways[each] for each in members)
            if steps < least:
                best, least = members, steps
                if len(members) == 1:
                    break
        return best

    def _reach(self, number: int, actor: Actor, at: int) -> Reach:
        known = self.reaches[number]
        while len(known) <= at:
            known.append(None)
        found = known[at] = self._of(actor, actor.field.values[at])
        return found

    def _of(self, actor: Actor, value: object) -> Reach:
        world, accesses = self.space.world, self.accesses
        name = actor.key.removeprefix("@")
        if actor.kind == "process":
            if value is None:  # not started yet
                place = 0
                started = accesses.of([f"{life(name)}:start"])
                return Reach(
                    accesses.future[name][place], accesses.unguarded[name][place], 0, started
                )
            if isinstance(value, Dead):
                return NOTHING
            assert isinstance(value, Local)
            process = world.processes[name]
            last = len(process.machine.code) - 1
            place = max(value.state.at, 0) if isinstance(value.state, State) else last
            future, unguarded = accesses.future[name][place], accesses.unguarded[name][place]
        elif actor.kind == "feeder":
            future = unguarded = accesses.feeding[actor.key]
        else:
            future = unguarded = accesses.arriving[actor.key]
        step = world.step(actor.key, value)
        if step is None:
            return NOTHING
        kinds = [*step.kinds]
        if actor.kind != "signals":
            kinds.append(f"{actor.key}:act")
        if not accesses.covers(future, kinds):
            raise AssertionError(f"{actor.key} was not expected to do one of {kinds}")
        return Reach(future, unguarded, accesses.conflicts(kinds), accesses.enabling(kinds))


class _Brings:
    """Whom each actor brings into a set in one state, as bits by their numbers."""

    def __init__(self, reaches: list[Reach], enabled: list[int]) -> None:
        self.futures = [(1 << n, reach.future) for n, reach in enumerate(reaches) if reach.future]
        self.unguarded = [
            (1 << n, reach.unguarded) for n, reach in enumerate(reaches) if reach.unguarded
        ]
        self.reaches = reaches
        self.enabled = sum(1 << each for each in enabled)
        self.known: dict[int, int] = {}

    def closure(self, seed: int) -> int:
        """All that one actor brings in, and they, and so on."""
        chosen, left = 1 << seed, 1 << seed
        while left:
            each = left & -left
            found = self.known.get(each)
            if found is None:
                found = self.known[each] = self._direct(each)
            left = (left ^ each) | (found & ~chosen)
            chosen |= found
        return chosen

    def _direct(self, bit: int) -> int:
        reach = self.reaches[bit.bit_length() - 1]
        found = 0
        if self.enabled & bit:
            wanted = reach.conflicts
            for other, future in self.futures:
                if wanted & future:
                    found |= other
        else:
            wanted = reach.enabling
            for other, unguarded in self.unguarded:
                if wanted & unguarded:
                    found |= other
        return found
