"""Space -> Clocked: the same steps with a clock: actions take no time, sleeps and limits exactly
theirs.

A state is a state of the space, and for each actor whose next step has a time limit how long that
is still. As long as anybody can take a step, no time goes by; then as much as it takes for the
next limit to be reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mpflow.model.local import Local
from mpflow.model.schedule import Move
from mpflow.model.space import Actor, Space
from mpflow.model.steps import Step

DIGITS = 9  # of a time in seconds

Timers = tuple[tuple[int, float], ...]  # by the numbers of actors


class Now(NamedTuple):
    """A state and the seconds that are left of limits."""

    state: int
    timers: Timers


class Clocked:
    """The steps of a space, told with a clock."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def first(self) -> Now:
        """The first state."""
        return Now(self.space.first, self._timers(self.space.first, Now(0, ()), None))

    def moves(self, now: Now) -> Iterator[tuple[Move, Now]]:
        """Each step that can be taken at this moment, and what is then."""
        left = dict(now.timers)
        for number, actor in enumerate(self.space.actors):
            late = left.get(number, 1.0) <= 0
            for way, (difference, _, _) in enumerate(self.space.ways(actor, now.state, late)):
                state = now.state + difference
                yield Move(actor.key, way), Now(state, self._timers(state, now, number))

    def tick(self, now: Now) -> tuple[float, Now] | None:
        """The seconds until the next limit is reached, and what is then; None without any."""
        ahead = [left for _, left in now.timers if left > 0]
        if not ahead:
            return None
        step = min(ahead)
        timers = tuple((n, max(0.0, round(left - step, DIGITS))) for n, left in now.timers)
        return step, Now(now.state, timers)

    def _timers(self, state: int, before: Now, mover: int | None) -> Timers:
        """The limits that hold in a state; an action keeps its own until it is over."""
        left = dict(before.timers)
        found = []
        for number, actor in enumerate(self.space.actors):
            limit = self._limit(actor, state)
            if limit is None:
                continue
            if number in left and self._same(actor, before.state, state, number == mover):
                limit = left[number]
            found.append((number, limit))
        return tuple(found)

    def _limit(self, actor: Actor, state: int) -> float | None:
        step = self._step(actor, state)
        if step is None or step.late is None or not step.timeout:
            return None
        return float(step.timeout)

    def _step(self, actor: Actor, state: int) -> Step | None:
        value = actor.field.values[state >> actor.shift & actor.mask]
        return self.space.world.step(actor.key, value)

    def _same(self, actor: Actor, before: int, after: int, moved: bool) -> bool:
        """Whether an actor is still at the same action."""
        if not moved:
            return True
        one = actor.field.values[before >> actor.shift & actor.mask]
        other = actor.field.values[after >> actor.shift & actor.mask]
        if not isinstance(one, Local) or not isinstance(other, Local):
            return False
        further = len(other.history) > len(one.history)
        return (one.state, one.done) == (other.state, other.done) and further
