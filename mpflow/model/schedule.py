"""Search -> Schedule: who takes which step, one after the other; and the way back to states.

A schedule is plain data: for each step its actor, and which of the step's ways it took. A token is
a schedule as one line of text, bound to the scenario that it belongs to.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mpflow.model.explore import Search
from mpflow.model.local import Moment
from mpflow.model.moves import Move, Schedule
from mpflow.model.names import split
from mpflow.model.space import Actor, Space
from mpflow.model.steps import STAY, Step

VERSION = 1
DIGEST = 12  # of its digits stand in a token
LONGEST = 1 << 20  # bytes of a token's moves; a forged one may hold any number of zeros


class Taken(NamedTuple):
    """A move that was made: its step, what came of it, what it completed, and the state after."""

    move: Move
    step: Step
    result: Any
    moments: tuple[Moment, ...]
    state: int

    @property
    def effect(self) -> bool:
        """Whether its action takes effect with it."""
        return self.step.effect and self.result is not STAY


class DivergedError(ValueError):
    """A schedule that does not fit a world."""


def replay(space: Space, schedule: Sequence[Move]) -> list[Taken]:
    """Make the moves in their order. Raises DivergedError at the first that cannot be made, and
    FullError (space.py)."""
    state, made = space.first, []
    actors = {actor.key: actor for actor in space.actors}
    for number, move in enumerate(schedule, 1):
        actor = actors.get(move.actor)
        found = None if actor is None else take(space, actor, state, move)
        if found is None:
            raise DivergedError(f"step {number}, of {told(move.actor)}, cannot be taken here")
        made.append(found)
        state = found.state
    return made


def take(space: Space, actor: Actor, state: int, move: Move, late: bool = True) -> Taken | None:
    """Make a move of this actor; None where it cannot be made. `late`: its time may be up. Raises
    FullError."""
    step = space.world.step(actor.key, actor.value(state))
    ways = list(space.ways(actor, state, late))
    if step is None or move.way >= len(ways):
        return None
    difference, result, moments = ways[move.way]
    return Taken(move, step, result, tuple(moments), state + difference)


def told(actor: str) -> str:
    """An actor as people call it."""
    kind, process, queue = split(actor)
    if kind == "process":
        return f"`{process}`"
    if kind == "signals":
        return f"a signal to `{process}`"
    return f"the feeder thread of `{queue}` in `{process}`"


def moves_to(found: Search, state: int) -> Schedule:
    """The moves by which a search came to a state."""
    states = [state]
    before = found.came_from[state]
    while before is not None:
        states.append(before)
        before = found.came_from[before]
    states.reverse()
    schedule: list[Move] = []
    for one, other in pairwise(states):
        schedule += found.graph.moves(one, other)
    return tuple(schedule)


# Tokens


def token(schedule: Sequence[Move], actors: Sequence[str], digest: str) -> str:
    """A schedule as one line: version, the scenario's digest, runs of one actor, a checksum."""
    numbers = {key: number for number, key in enumerate(actors)}
    body = bytearray()
    for actor, ways in _runs(schedule):
        body += _varint(numbers[actor]) + _varint(len(ways))
        for way in ways:
            body += _varint(way)
    packed = base64.urlsafe_b64encode(zlib.compress(bytes(body), 9)).decode().rstrip("=")
    text = f"{VERSION}.{digest[:DIGEST]}.{packed}"
    return f"{text}.{_sum(text)}"


def read_token(text: str, actors: Sequence[str], digest: str) -> Schedule:
    """The schedule of a token. Raises DivergedError for a damaged one, or another scenario's."""
    parts = text.strip().split(".")
    if len(parts) != 4 or _sum(".".join(parts[:3])) != parts[3]:
        raise DivergedError("this is no schedule token, or it is damaged: its checksum is wrong")
    if parts[0] != str(VERSION):
        raise DivergedError(
            f"this schedule token is of version {parts[0]}; this mpflow reads {VERSION}"
        )
    if parts[1] != digest[:DIGEST]:
        raise DivergedError(
            "this schedule token belongs to another scenario, or to another form of it: it needs"
            " the same file, and the same -p and --start-method"
        )
    try:
        packed = parts[2] + "=" * (-len(parts[2]) % 4)
        body = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed), LONGEST)
        numbers = iter(list(_numbers(body)))
        moves: list[Move] = []
        for number in numbers:
            run = [Move(actors[number], next(numbers)) for _ in range(next(numbers))]
            if not run:  # no schedule has such
                raise IndexError
            moves += run
    except (binascii.Error, zlib.error, IndexError, RuntimeError, StopIteration):
        raise DivergedError("this schedule token is damaged") from None
    return tuple(moves)


def _runs(schedule: Sequence[Move]) -> Iterator[tuple[str, list[int]]]:
    actor = ""
    ways: list[int] = []
    for move in schedule:
        if move.actor != actor and ways:
            yield actor, ways
            ways = []
        actor = move.actor
        ways.append(move.way)
    if ways:
        yield actor, ways


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0


def _sum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
