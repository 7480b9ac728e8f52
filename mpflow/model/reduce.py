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
from mpflow.model.local import IDLE, Dead, Local
from mpflow.model.machine import State
from mpflow.model.moves import Move
from mpflow.model.names import life
from mpflow.model.space import Actor, Row, Space


class Reach(NamedTuple):
    """What an actor at some place of its own may do, as bits of Accesses: in all its future;
    without releases of what it will have waited for; what disturbs its next step; what lets that
    step go on when it is blocked."""

    future: int
    unguarded: int
    conflicts: int
    enabling: int


ANYTHING = -1  # all bits
NOTHING = Reach(0, 0, 0, 0)
SAME = 16  # bits of how many ways a step has, in what tells one choice of actors from another
KEPT = 50_000  # choices of actors that are remembered
FAR = 100  # steps that an actor goes on by himself: some go on for ever, and limits must be seen


class Place(NamedTuple):
    """Where an actor may be: its reach, and that as a number, above SAME bits; its row
    (space.py)."""

    reach: Reach
    number: int
    row: Row | bool


class Stubborn:
    """The stubborn sets of a space. `table` has the places of each actor, by the number in its
    field. `chosen` has sets by what they were chosen from: in most states that is as in another."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.first = space.first
        self.accesses = Accesses(space.world)
        self.table: list[list[Place | None]] = [[] for _ in space.actors]
        self.numbers: dict[Reach, int] = {}
        self.chosen: dict[tuple[int, ...], list[int]] = {}
        self.places = [(a.shift, a.mask, t) for a, t in zip(space.actors, self.table, strict=True)]

    def actors(self, state: int) -> list[int]:
        """The smallest set found: the one with the fewest steps to take."""
        reaches, enabled, key = [], [], []
        for number, (shift, mask, table) in enumerate(self.places):
            at = (state >> shift) & mask
            entry = table[at] if at < len(table) else None
            if entry is None:
                entry = self._entry(number, at)
            reach, known, row = entry
            reaches.append(reach)
            if row is False or row is True:
                key.append(known)
                continue
            found = row.ways.get(state & row.mask)
            if found is None:
                found = self.space.fill(self.space.actors[number], row, state)
            if found:
                if not reach.conflicts:
                    return [number]
                enabled.append(number)
                known += len(found)
            key.append(known)
        if len(enabled) < 2:
            return enabled
        told = tuple(key)
        chosen = self.chosen.get(told)
        if chosen is None:
            if len(self.chosen) >= KEPT:
                self.chosen.clear()
            ways = [each & (1 << SAME) - 1 for each in key]
            chosen = self.chosen[told] = self._smallest(reaches, enabled, ways)
        return chosen

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        """The states that follow by steps that are enough, and how many moves away they are: one,
        and all that its actor can do right after it which nothing can disturb. Where somebody might
        go on like that for ever, the others get their turn, too."""
        chosen, far = self.actors(state), False
        for number in chosen:
            for difference in self.space.differences(self.space.actors[number], state):
                new, steps = self._run_on(state + difference, number)
                far = far or steps == FAR
                yield new, 1 + steps
        if far:
            for number, actor in enumerate(self.space.actors):
                if number not in chosen:
                    for difference in self.space.differences(actor, state):
                        yield state + difference, 1

    def moves(self, one: int, other: int) -> tuple[Move, ...]:
        """The moves from a state to one that follows."""
        chosen = self.actors(one)
        for number, actor in enumerate(self.space.actors):
            for way, (difference, _, _) in enumerate(self.space.ways(actor, one)):
                new, steps = one + difference, 0
                if number in chosen:
                    new, steps = self._run_on(new, number)
                if new == other:
                    return (Move(actor.key, way), *[Move(actor.key)] * steps)
        raise AssertionError("a search went from a state to one that does not follow")

    def _run_on(self, state: int, number: int) -> tuple[int, int]:
        """Where an actor comes to who goes on as long as nothing can disturb his next step, and
        that can come out in one way only, and how many steps these are. One who comes back to
        where he was goes no further."""
        shift, mask, table = self.places[number]
        steps, seen = 0, {state}
        while steps < FAR:
            at = (state >> shift) & mask
            entry = table[at] if at < len(table) else None
            if entry is None:
                entry = self._entry(number, at)
            reach, _, row = entry
            if reach.conflicts or row is False or row is True:
                return state, steps
            found = row.ways.get(state & row.mask)
            if found is None:
                found = self.space.fill(self.space.actors[number], row, state)
            if len(found) != 1 or state + found[0] in seen:
                return state, steps
            state += found[0]
            seen.add(state)
            steps += 1
        return state, steps

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

    def _entry(self, number: int, at: int) -> Place:
        actor, table = self.space.actors[number], self.table[number]
        while len(table) <= at:
            table.append(None)
        row = actor.rows[at] if at < len(actor.rows) else None
        if row is None:
            row = self.space.row(actor, at)
        reach = self._of(actor, actor.field.values[at])
        known = self.numbers.setdefault(reach, len(self.numbers)) << SAME
        found = table[at] = Place(reach, known, row)
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
        conflicts = accesses.conflicts(kinds)
        if isinstance(value, Local) and value.history == IDLE and isinstance(value.state, State):
            conflicts = ANYTHING  # a loop with no other step: others must get their turn
        return Reach(future, unguarded, conflicts, accesses.enabling(kinds))


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
