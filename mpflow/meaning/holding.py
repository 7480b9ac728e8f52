"""What needs a lock to be held: does the process acquire it anywhere? Complaints come out.

In: the naming arguments of one process. CPython: an AssertionError of Condition.wait, notify and
notify_all, and of the release of a recursive lock (synchronize.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mpflow.document import Path
from mpflow.meaning.awaited import Awaited
from mpflow.scenario import Declaration, Scenario, reach
from mpflow.scenario.names import Complaint, Place

_VERBS = ("notify", "notify_all", "release", "wait")
_OWNED = ("array", "condition", "rlock", "value")  # only who has acquired it may release it


class _Locks(NamedTuple):
    """What is acquired, by name, and what has to be held; `all` where only the run can tell."""

    acquired: set[str]
    needed: list[tuple[reach.Reference, Place, str]]
    all: bool


class Holding:
    """The locks of one process. Most are the same for each replica and looked at once."""

    def __init__(self, scenario: Scenario, declaration: Declaration, awaited: Awaited) -> None:
        self.names = scenario.names
        self.process = declaration.name
        self.awaited = awaited
        self.common = _Locks(set(), [], False)

    def first(self, references: Iterable[reach.Reference]) -> Iterator[tuple[Complaint, Path]]:
        """What is wrong in the first replica, or the only one."""
        shared: list[reach.Reference] = []
        own: list[reach.Reference] = []
        for each in references:
            indexed = "index" in each.node.arguments[each.argument.name].names
            (own if indexed else shared).append(each)
        self.common = self._locks(shared)
        return self.further(own)

    def further(self, own: Iterable[reach.Reference]) -> Iterator[tuple[Complaint, Path]]:
        """What is wrong in a replica, of which these are the arguments that the index decides."""
        common, locks = self.common, self._locks(own)
        if common.all or locks.all:
            return
        for reference, place, lock in (*common.needed, *locks.needed):
            if lock not in common.acquired and lock not in locks.acquired:
                yield self._complaint(reference, place)

    def _locks(self, references: Iterable[reach.Reference]) -> _Locks:
        acquired: set[str] = set()
        needed: list[tuple[reach.Reference, Place, str]] = []
        unknown = False
        for each in references:
            if each.verb.name in ("acquire", "with"):
                unknown = unknown or each.names is None
                acquired.update(lock for _, lock in self._named(each))
            elif each.verb.name in _VERBS and each.node not in self.awaited:
                owned = _OWNED if each.verb.name == "release" else ("condition",)
                named = ((p, lock) for p, lock in self._named(each) if self._kind(p) in owned)
                needed += ((each, place, lock) for place, lock in named)
        return _Locks(acquired, [each for each in needed if each[2] not in acquired], unknown)

    def _named(self, reference: reach.Reference) -> Iterator[tuple[Place, str]]:
        """The primitives that an argument names, and the name of the lock of each."""
        for text in reference.names or ():
            found = self.names.subject(text, reference.verb)
            for place in () if isinstance(found, Complaint) else found:
                if place.type != "process":
                    yield place, self._given(place) or place.name

    def _given(self, place: Place) -> str | None:
        """The declared lock that a primitive was given, if it was given one."""
        lock = self.names.primitives[place.declared].options.get("lock")
        return lock if isinstance(lock, str) else None

    def _kind(self, place: Place) -> str:
        """The type of a primitive; nothing where it stands on a lock that anybody may release."""
        lock = self._given(place)
        given = None if lock is None else self.names.primitive(lock)
        if isinstance(given, Place) and given.type == "lock" and place.type != "condition":
            return ""
        return place.type

    def _complaint(self, reference: reach.Reference, place: Place) -> tuple[Complaint, Path]:
        message = f"`{self.process}` never acquires `{place.declared}`"
        hint = f"Python: `{reference.verb.name}` is an AssertionError when it is not held"
        path = reference.node.places.get(reference.argument.name, reference.node.path)
        return Complaint("not-held", message, hint, place.declared), path
