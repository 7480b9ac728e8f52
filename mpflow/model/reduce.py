"""Whose steps are enough: in each state a stubborn set of actors, so that no end is missed.

An actor who can take his step brings in all who may ever disturb that step; one who cannot brings
in all who may let him go on. What the set leaves out cannot matter to it: every way to an end of
the run has a way through the set to the same end, of the same length (Valmari, Stubborn sets for
reduced state space generation, 1991). A test compares with the search without.
"""

from __future__ import annotations

from typing import NamedTuple

from mpflow.model.accesses import Accesses
from mpflow.model.explore import Choice
from mpflow.model.local import Dead, Local
from mpflow.model.machine import State
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


class Stubborn(Choice):
    """The stubborn sets of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.accesses = Accesses(space.world)
        self.reaches: list[list[Reach | None]] = [[] for _ in space.actors]

    def actors(self, state: int) -> list[int] | None:
        """The smallest set found: the one with the fewest steps to take."""
        reaches, enabled, ways = [], [], []
        for number, actor in enumerate(self.space.actors):
            at = (state >> actor.shift) & actor.mask
            known = self.reaches[number]
            reach = known[at] if at < len(known) else None
            if reach is None:
                reach = self._reach(number, actor, at)
            reaches.append(reach)
            found = self.space.differences(actor, state)
            ways.append(len(found))
            if found:
                enabled.append(number)
        if len(enabled) < 2:
            return enabled
        best: list[int] | None = None
        least = sum(ways)
        can = set(enabled)
        done = 0
        for seed in enabled:
            if done >> seed & 1:
                continue  # in a set already seen: its own is no smaller
            chosen = self._closure(seed, reaches, can)
            members = [each for each in enabled if chosen >> each & 1]
            done |= chosen
            steps = sum(ways[each] for each in members)
            if steps < least or best is None:
                best, least = members, steps
            if len(members) == 1:
                break
        return best

    def _closure(self, seed: int, reaches: list[Reach], can: set[int]) -> int:
        chosen, left = 1 << seed, [seed]
        while left:
            each = left.pop()
            reach = reaches[each]
            active = each in can
            wanted = reach.conflicts if active else reach.enabling
            for other, its in enumerate(reaches):
                if not chosen >> other & 1 and wanted & (its.future if active else its.unguarded):
                    chosen |= 1 << other
                    left.append(other)
        return chosen

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
            place = (
                value.state.at if isinstance(value.state, State) else len(process.machine.code) - 1
            )
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
        own = accesses.of(kinds)
        if own & ~future:
            missing = [n for n, bit in accesses.bits.items() if bit & own & ~future]
            raise AssertionError(f"{actor.key} was not expected to do {missing}")
        return Reach(future, unguarded, accesses.conflicts(kinds), accesses.enabling(kinds))
