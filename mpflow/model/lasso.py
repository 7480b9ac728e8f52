"""State of a loop that nobody can leave -> its moves, from that state round to it again.

Everybody who can move in the loop does so at least once: so a fair run goes round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import NamedTuple

from mpflow.model.moves import Move, Schedule
from mpflow.model.space import Space

MOST = 20_000  # states of a loop that are looked at


class Lasso(NamedTuple):
    """Moves from a state back to it, and the actors who make them."""

    moves: Schedule
    actors: frozenset[str]


def lasso(space: Space, state: int) -> Lasso | None:
    """The moves of a short loop from this state; None where it is too large to tell. Raises
    FullError: it may have values that no search came to."""
    going = _who_moves(space, state)
    if going is None:
        return None
    moves: list[Move] = []
    at, left = state, set(going)
    while left:
        way, at = _shortest(space, at, left)
        moves += way
        left -= {move.actor for move in way}
    if at != state:
        moves += _shortest(space, at, left, state)[0]
    return Lasso(tuple(moves), going)


def trapped(space: Space, state: int) -> bool:
    """Whether no way leads from a state to an end of the run; not where there is too much to look
    at. Raises FullError."""
    return _who_moves(space, state, ends=False) is not None


def _who_moves(space: Space, state: int, ends: bool = True) -> frozenset[str] | None:
    """The actors who move anywhere behind a state; None where there are too many states, or one of
    them is an end and there must be none."""
    seen, left, going = {state}, [state], set()
    while left:
        is_end = True
        for new, number in space.successors(left.pop()):
            is_end = False
            going.add(space.actors[number].key)
            if new not in seen:
                seen.add(new)
                left.append(new)
        if len(seen) > MOST or (is_end and not ends):
            return None
    return frozenset(going)


def _shortest(
    space: Space, state: int, movers: Collection[str], goal: int = -1
) -> tuple[list[Move], int]:
    """The fewest moves up to and with one of these movers, or one to the goal; the state then."""
    came_from: dict[int, tuple[int, Move] | None] = {state: None}
    left = deque([state])
    while left:
        at = left.popleft()
        for actor in space.actors:
            for way, (difference, _, _) in enumerate(space.ways(actor, at)):
                move, new = Move(actor.key, way), at + difference
                if new == goal or move.actor in movers:
                    return [*_moves(came_from, at), move], new
                if new not in came_from:
                    came_from[new] = at, move
                    left.append(new)
    raise AssertionError("there is a way out of a loop that has none")


def _moves(came_from: dict[int, tuple[int, Move] | None], state: int) -> list[Move]:
    moves = []
    before = came_from[state]
    while before is not None:
        moves.append(before[1])
        before = came_from[before[0]]
    moves.reverse()
    return moves
