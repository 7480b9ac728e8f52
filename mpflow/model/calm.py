"""Schedule -> an equivalent schedule that is easier to follow: one that switches less.

Equivalent: each actor takes the same steps with the same results, and the last state is the same.
Of all such the one with the fewest preemptions (a switch away from an actor who could go on, and
not only since his time is up), then with the fewest switches; where that would take too long, one
that no moved block makes better. A schedule with a clock has its order from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from mpflow.model.moves import Move, Schedule
from mpflow.model.schedule import replay
from mpflow.model.space import Actor, Space
from mpflow.model.world import World

WORK = 20_000  # places that the search goes on from at most; moves that the greedy way makes

Cost = tuple[int, int]  # preemptions, switches


def calm(world: World, schedule: Schedule, work: int = WORK) -> Schedule:
    """The calmest equivalent schedule that was found; none that is worse than what came in."""
    space = Space(world)
    return space.laid_out(lambda: _Calmer(space, schedule, work).best())


def cost(space: Space, schedule: Sequence[Move]) -> Cost:
    """How often a schedule switches from an actor who could go on, and how often at all. Raises
    FullError."""
    actors = {actor.key: actor for actor in space.actors}
    preemptions = switches = 0
    before, state = "", space.first
    for taken in replay(space, schedule):
        if before and taken.move.actor != before:
            switches += 1
            preemptions += could_go_on(space, actors[before], state)
        before, state = taken.move.actor, taken.state
    return preemptions, switches


def could_go_on(space: Space, actor: Actor, state: int) -> bool:
    """Whether an actor can take a step, without giving up for time."""
    return any(True for _ in space.ways(actor, state, late=False))


class _Place(NamedTuple):
    """How many of its moves each actor has made, the state, and who made the last one."""

    made: tuple[int, ...]
    state: int
    last: int


class _Calmer:
    def __init__(self, space: Space, schedule: Schedule, work: int) -> None:
        self.space = space
        self.schedule = schedule
        self.work = work
        taken = replay(space, schedule)
        self.end = taken[-1].state if taken else space.first
        keys = {actor.key: number for number, actor in enumerate(space.actors)}
        self.order = [keys[each.move.actor] for each in taken]  # who moves, one after the other
        self.wanted: list[list[int]] = [[] for _ in space.actors]  # each one's results
        for each in taken:
            number = space.world.values.number(each.result)
            self.wanted[keys[each.move.actor]].append(number)
        self.movers = [number for number, each in enumerate(self.wanted) if each]
        self.known: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.able: dict[tuple[int, int], bool] = {}

    def best(self) -> Schedule:
        """What the search finds, or else what moving blocks gives."""
        if len(self.movers) < 2:
            return self.schedule
        found = self._search()
        return self._greedy() if found is None else found

    # Steps

    def _ways(self, number: int, state: int) -> list[tuple[int, int]]:
        """What each way of an actor's step adds to a state, and its result."""
        space, actor = self.space, self.space.actors[number]
        row = space.row_in(state, actor)
        if row is None:
            return []
        key = number, state & row.mask
        found = self.known.get(key)
        if found is None:
            values = space.world.values
            ways = space.ways(actor, state)
            found = self.known[key] = [(d, values.number(result)) for d, result, _ in ways]
        return found

    def _next(self, number: int, made: int, state: int) -> Iterator[tuple[int, int]]:
        """Each way in which an actor's next move can be made here: its number, and the state."""
        wanted = self.wanted[number][made]
        for way, (difference, result) in enumerate(self._ways(number, state)):
            if result == wanted:
                yield way, state + difference

    # All orders, the best first

    def _search(self) -> Schedule | None:
        first = _Place(tuple(0 for _ in self.wanted), self.space.first, -1)
        best: dict[_Place, Cost] = {first: (0, 0)}
        came_from: dict[_Place, tuple[_Place, int]] = {}
        left: list[tuple[int, int, int, int, _Place]] = [(0, 0, 0, 0, first)]
        pushed = 0
        for _ in range(self.work):
            if not left:
                break
            preemptions, _, _, _, place = heappop(left)
            if best[place][0] < preemptions:
                continue
            if place.state == self.end and self._over(place):
                return self._way(came_from, place)
            for number, way, new in self._following(place):
                spent = self._spent(best[place], place, number)
                if new in best and best[new] <= spent:
                    continue
                best[new], came_from[new] = spent, (place, way)
                pushed += 1
                guess = spent[1] + self._still(new)
                heappush(left, (spent[0], guess, -sum(new.made), pushed, new))
        return None

    def _over(self, place: _Place) -> bool:
        return all(place.made[each] == len(self.wanted[each]) for each in self.movers)

    def _following(self, place: _Place) -> Iterator[tuple[int, int, _Place]]:
        for number in self.movers:
            done = place.made[number]
            if done < len(self.wanted[number]):
                made = (*place.made[:number], done + 1, *place.made[number + 1 :])
                for way, state in self._next(number, done, place.state):
                    yield number, way, _Place(made, state, number)

    def _spent(self, before: Cost, place: _Place, number: int) -> Cost:
        if place.last in (-1, number):
            return before
        key = place.last, place.state
        if key not in self.able:
            self.able[key] = could_go_on(self.space, self.space.actors[place.last], place.state)
        return before[0] + self.able[key], before[1] + 1

    def _still(self, place: _Place) -> int:
        """The switches that are needed at least: one to each other actor who has moves to make."""
        return sum(
            place.made[each] < len(self.wanted[each]) for each in self.movers if each != place.last
        )

    def _way(self, came_from: dict[_Place, tuple[_Place, int]], place: _Place) -> Schedule:
        moves = []
        while place in came_from:
            before, way = came_from[place]
            moves.append(Move(self.space.actors[place.last].key, way))
            place = before
        return tuple(reversed(moves))

    # Where there are too many: one block after the other moved to one of the same actor

    def _greedy(self) -> Schedule:
        order, found = self.order, self.schedule
        least = cost(self.space, found)
        left = self.work
        better = True
        while better and left > 0:
            better = False
            for candidate in _moved(order):
                left -= len(order)
                made = self._made(candidate)
                if made is not None and (spent := cost(self.space, made)) < least:
                    order, found, least, better = candidate, made, spent, True
                    break
                if left <= 0:
                    break
        return found

    def _made(self, order: list[int]) -> Schedule | None:
        """The schedule of this order, if it can be made and leads to the same state."""
        state, moves, made = self.space.first, [], [0] * len(self.wanted)
        for number in order:
            following = next(self._next(number, made[number], state), None)
            if following is None:
                return None
            way, state = following
            made[number] += 1
            moves.append(Move(self.space.actors[number].key, way))
        return tuple(moves) if state == self.end else None


def _moved(order: list[int]) -> Iterator[list[int]]:
    """Each order in which one block stands right behind, or right before, the nearest block of the
    same actor."""
    blocks: list[tuple[int, int]] = []  # where each begins and ends
    for place, number in enumerate(order):
        if blocks and order[blocks[-1][0]] == number:
            blocks[-1] = blocks[-1][0], place + 1
        else:
            blocks.append((place, place + 1))
    for here, (start, stop) in enumerate(blocks):
        for first, last in blocks[here + 1 :]:
            if order[first] == order[start]:
                between = order[stop:first]
                both = order[start:stop] + order[first:last]
                yield order[:start] + both + between + order[last:]
                yield order[:start] + between + both + order[last:]
                break
