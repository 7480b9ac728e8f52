"""A move: who took which of the ways of his step. A schedule is a row of them."""

from __future__ import annotations

from typing import NamedTuple


class Move(NamedTuple):
    """One step: the actor's component (world.py), and the number of the way it took."""

    actor: str
    way: int = 0


Schedule = tuple[Move, ...]
