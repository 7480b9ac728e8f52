"""Space -> Clocked: the same steps with a clock: actions take no time, sleeps and limits exactly
theirs.

A state is a state of the space, and for each actor whose next step has a time limit how long that
is still. As long as anybody can take a step, no time goes by; then as much as it takes for the
next limit to be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mpflow.model.local import Local
from mpflow.model.moves import Move, Schedule
from mpflow.model.schedule import DivergedError, Taken, take, told
from mpflow.model.space import Actor, Space
from mpflow.model.steps import Step

DIGITS = 9  # of a time in seconds
TICK = "~tick"  # in a schedule the actor of a moment at which time goes by, though somebody turns

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
        for number, actor in enumerate(self.space.actors):
            late = self._late(now, number)
            for way, (difference, _, _) in enumerate(self.space.ways(actor, now.state, late)):
                state = now.state + difference
                yield Move(actor.key, way), Now(state, self._timers(state, now, number))

    def take(self, now: Now, number: int, move: Move) -> Taken | None:
        """A move of the actor of this number; None where it cannot be made."""
        actor, late = self.space.actors[number], self._late(now, number)
        return take(self.space, actor, now.state, move, late)

    def _late(self, now: Now, number: int) -> bool:
        """Whether an actor's time is up."""
        return any(each == number and left <= 0 for each, left in now.timers)

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
        step = self.step(actor, state)
        if step is None or step.late is None or not step.timeout:
            return None
        return float(step.timeout)

    def step(self, actor: Actor, state: int) -> Step | None:
        """An actor's next step in a state."""
        return self.space.world.step(actor.key, actor.value(state))

    def _same(self, actor: Actor, before: int, after: int, moved: bool) -> bool:
        """Whether an actor is still at the same action."""
        if not moved:
            return True
        one, other = actor.value(before), actor.value(after)
        if not isinstance(one, Local) or not isinstance(other, Local):
            return False
        further = len(other.history) > len(one.history)
        return (one.state, one.done) == (other.state, other.done) and further


class Timed:
    """The states with their clocks as single integers: the timers' number stands above the bits of
    the space, so that all that reads a component's value can read these, too. Time goes by by
    itself where nobody can take a step."""

    def __init__(self, space: Space) -> None:
        self.clocked = Clocked(space)
        self.shift = sum(field.bits for field in space.fields.values())
        self.numbers: dict[Timers, int] = {(): 0}
        self.timers: list[Timers] = [()]
        self.waits: set[int] = set()  # where time goes by though somebody turns in a loop
        self.first = self._packed(self._settled(self.clocked.first())[1])

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        """Each state that comes next; all are one move away."""
        return ((new, 1) for new, _ in self._after(state))

    def moves(self, one: int, other: int) -> tuple[Move, ...]:
        """The move from a state to one that comes next."""
        return next((move,) for new, move in self._after(one) if new == other)

    def _after(self, state: int) -> Iterator[tuple[int, Move]]:
        for move, now in self.clocked.moves(self.now(state)):
            yield self._packed(self._settled(now)[1]), move
        later = self.later(state) if state in self.waits else None
        if later is not None:
            yield later, Move(TICK)

    def timeless(self, states: Iterable[int]) -> bool:
        """Whether no time goes by with any step from these states."""
        nows = (self.now(state) for state in states if state not in self.waits)
        return all(
            self._settled(now)[0] == 0 for each in nows for _, now in self.clocked.moves(each)
        )

    def later(self, state: int) -> int | None:
        """The state when as much time has passed as it takes for a limit to be reached, though
        somebody could take a step: he may turn in a loop for that long."""
        found = self.clocked.tick(self.now(state))
        return None if found is None else self._packed(self._settled(found[1])[1])

    def retrace(self, schedule: Schedule) -> tuple[list[Taken], list[float], float, Now]:
        """The moves of a schedule made again, the seconds at which each was made, and the moment
        and the state then. Raises DivergedError where one cannot be made, and FullError."""
        taken, times = [], []
        actors = {actor.key: number for number, actor in enumerate(self.clocked.space.actors)}
        clock, now = self._settled(self.clocked.first())
        for number, move in enumerate(schedule, 1):
            if move.actor == TICK:
                passed, now = self.clocked.tick(now) or (0.0, now)
            else:
                after = dict(self.clocked.moves(now)).get(move)
                made = after and self.clocked.take(now, actors[move.actor], move)
                if after is None or made is None:
                    raise DivergedError(
                        f"step {number}, of {told(move.actor)}, cannot be taken here"
                    )
                taken.append(made)
                times.append(round(clock, DIGITS))
                passed, now = 0.0, after
            more, now = self._settled(now)
            clock += passed + more
        return taken, times, round(clock, DIGITS), now

    def now(self, state: int) -> Now:
        """A state taken apart."""
        return Now(state & ((1 << self.shift) - 1), self.timers[state >> self.shift])

    def _packed(self, now: Now) -> int:
        number = self.numbers.get(now.timers)
        if number is None:
            number = self.numbers[now.timers] = len(self.timers)
            self.timers.append(now.timers)
        return now.state + (number << self.shift)

    def _settled(self, now: Now) -> tuple[float, Now]:
        """The first moment from here on at which somebody can take a step, or the end."""
        passed = 0.0
        while not any(self.clocked.moves(now)):
            found = self.clocked.tick(now)
            if found is None:
                break
            passed, now = passed + found[0], found[1]
        return passed, now
