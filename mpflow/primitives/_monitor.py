"""A lock and what stands on it, in the order of events: conditions, values, arrays.

In: who holds the lock, and an event on it or on one of its members. Out: the states after it.
Condition.wait gives the lock up and takes it again within one action (synchronize.py). The trace
has that action once, where it is over; that the lock was given up is an event of its own here,
`park`, which took place at some moment within the wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mpflow.rule import Member, Observation


class Held(NamedTuple):
    """Who holds a lock, how often he has acquired it, and who has given it up in a wait: with how
    many acquisitions."""

    owner: str | None = None
    depth: int = 0
    parked: frozenset[tuple[str, int]] = frozenset()
    recursive: bool = True

    def depth_of(self, process: str) -> int:
        """How often a process in a wait had acquired it; 0: it is in none."""
        return next((depth for name, depth in self.parked if name == process), 0)

    def let_in(self, process: str) -> Held | None:
        """The lock as a process finds it that gets it: free, or its own; None: it cannot."""
        free = self.owner is None or (self.recursive and self.owner == process)
        return self if free and not self.depth_of(process) else None

    def park(self, process: str | None) -> Held | None:
        """The holder gives it up, to wait; None: the process does not hold it."""
        if process is None or self.owner != process:
            return None
        parked = self.parked | {(process, self.depth)}
        return self._replace(owner=None, depth=0, parked=parked)

    def back(self, process: str) -> Held | None:
        """A process comes back from its wait and has the lock again; None: it cannot."""
        depth = self.depth_of(process)
        if not depth or self.owner is not None:
            return None
        return self._replace(owner=process, depth=depth, parked=self.parked - {(process, depth)})


State = tuple[Held, tuple[Any, ...]]


class Monitor:
    """The rule of a lock and its members. `members` are by name; the name "" stands for the only
    one. Without a lock (`kind` is None) its members are on their own."""

    def __init__(self, kind: str | None, members: Mapping[str, Member]) -> None:
        self.kind = kind
        self.places = {name: place for place, name in enumerate(members)}
        self.members = tuple(members.values())
        # A value's every access takes the lock for a moment: then a try may fail at any time.
        self.taken_at_times = any(not each.waits for each in self.members)
        self.waits = any(each.waits for each in self.members)

    def start(self) -> State:
        held = Held(recursive=self.kind != "lock")
        return held, tuple(each.start() for each in self.members)

    def after(self, state: State, event: Observation) -> State | None:
        held, owns = state
        if event.action == "acquire":
            found = self._acquired(held, event)
            return None if found is None else (found, owns)
        if event.action == "release":
            found = self._released(held, event)
            return None if found is None else (found, owns)
        if event.action == "park":
            found = held.park(event.process)
            return None if found is None else (found, owns)
        name = str(event.on)
        place = self.places.get(name, self.places.get("", -1))
        if place < 0:
            return state
        both = self.members[place].after(held, owns[place], event)
        if both is None:
            return None
        return both[0], (*owns[:place], both[1], *owns[place + 1 :])

    def silent(self, state: State) -> State | None:
        """The state after what no trace tells: its holder has begun to wait."""
        held, owns = state
        found = held.park(held.owner) if self.waits else None
        return None if found is None else (found, owns)

    def _acquired(self, held: Held, event: Observation) -> Held | None:
        process = event.process
        if event.status == "error":
            return held
        if event.result or event.status == "blocked":
            found = held.let_in(process)
            return found and found._replace(owner=process, depth=found.depth + 1)
        mine = held.owner is None or (held.recursive and held.owner == process)
        return None if mine and not self.taken_at_times else held

    def _released(self, held: Held, event: Observation) -> Held | None:
        """A lock may be released by anybody, a recursive one by its holder alone."""
        mine = held.owner == event.process or (not held.recursive and held.owner is not None)
        if event.status == "error":
            return None if mine else held
        if not mine:
            return None
        if held.depth > 1:
            return held._replace(depth=held.depth - 1)
        return held._replace(owner=None, depth=0)
