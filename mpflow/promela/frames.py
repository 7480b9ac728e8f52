"""What stands around an action: the blocks that an exception, a `break` or a `return` passes.

And Flow: what is certain at a point of a process, whichever way led there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from mpflow.scenario import Node


class With(NamedTuple):
    """A `with`: on every way out its lock is released."""

    release: Callable[[], None]


class Handlers(NamedTuple):
    """The `do` of a `try`: exceptions by name, and the label where each is handled."""

    labels: tuple[tuple[str, str], ...]


class Finally(NamedTuple):
    """A `try` with `finally`: these actions are taken on every way out."""

    nodes: tuple[Node, ...]


class Loop(NamedTuple):
    """A loop: where `break` and `continue` go."""

    over: str
    again: str


Frame = With | Handlers | Finally | Loop


class Flow(NamedTuple):
    """What is certain: the variables that are set, the locks held by this process, and whether
    any way leads here."""

    set: frozenset[str]
    held: Counter[str]
    alive: bool = True

    def holding(self, lock: str, times: int = 1) -> Flow:
        """The same with a lock acquired, or released."""
        return self._replace(held=self.held + Counter({lock: times}))

    def meets(self, other: Flow) -> Flow:
        """What is certain where two ways come together."""
        if not self.alive or not other.alive:
            return self if self.alive else other
        return Flow(self.set & other.set, self.held & other.held)
