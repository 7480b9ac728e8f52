"""The four bases (semaphore, byte pipe, memory cell, process table) as atomic steps.

A *world* is one global state: a mapping from keys to hashable values, kept as a tuple of small
numbers. A step is a function `step(world, me, *arguments)` that changes the world it is given (a
copy made for it) and returns the list of what may come of it, as pairs of a result and a world;
an empty list: it cannot proceed now. `me` is the thread: a process's name and a queue's, or "".
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Unsupported(Exception):  # noqa: N818
    """The judge has no say in this."""


class TooBig(Exception):  # noqa: N818
    """More states than were allowed."""


class Leave(Exception):  # noqa: N818
    """A way out of actions: ("error", type, message), ("break",), ("return",), ("exit", code)…"""

    def __init__(self, *what: Any) -> None:
        super().__init__(*what)
        self.what = what


class Left(NamedTuple):
    """How something called ended that did not end normally: Leave.what, as a result."""

    what: tuple[Any, ...]


def error(kind: str, message: str = "") -> Leave:
    return Leave("error", kind, message)


class V:
    """A value of the scenario, hashable whatever it is; 1, True and 1.0 are three."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.key = repr(value)
        if " object at 0x" in self.key:
            raise Unsupported(f"an object without a form of its own: {self.key}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, V) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"V({self.key})"


class Table:
    """Each value that occurs in some state, once; and each key's place in a state."""

    def __init__(self) -> None:
        self.values: list[Any] = [None]
        self.numbers: dict[Any, int] = {None: 0}
        self.places: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        known = self.numbers.get(value)
        if known is None:
            known = self.numbers[value] = len(self.values)
            self.values.append(value)
        return known


class World:
    __slots__ = ("base", "changes", "table")

    def __init__(self, table: Table, base: tuple[int, ...] = (), changes: Any = ()) -> None:
        self.table = table
        self.base = base
        self.changes = dict(changes)

    def fork(self) -> World:
        return World(self.table, self.base, self.changes)

    def get(self, key: Any, default: Any = None) -> Any:
        place = self.table.places.get(key)
        if place is None:
            return default
        number = self.changes.get(place)
        if number is None:
            number = self.base[place] if place < len(self.base) else 0
        return self.table.values[number] if number else default

    def set(self, key: Any, value: Any) -> None:
        place = self.table.places.setdefault(key, len(self.table.places))
        self.changes[place] = self.table.number(value)

    def state(self) -> tuple[int, ...]:
        numbers = list(self.base)
        for place, number in self.changes.items():
            if place >= len(numbers):
                numbers += [0] * (place + 1 - len(numbers))
            numbers[place] = number
        while numbers and not numbers[-1]:
            numbers.pop()
        return tuple(numbers)


Results = list[tuple[Any, World]]


# ---- semaphore ------------------------------------------------------------------------------


def sem_wait(w: World, me: Any, sem: str) -> Results:
    value = w.get(("sem", sem), 0)
    if value <= 0:
        return []
    w.set(("sem", sem), value - 1)
    return [(True, w)]


def sem_trywait(w: World, me: Any, sem: str) -> Results:
    return sem_wait(w, me, sem) or [(False, w)]


# A timeout may strike at any time while the semaphore is 0: to keep waiting is to be passed over.
sem_timedwait = sem_trywait


def sem_post(w: World, me: Any, sem: str) -> Results:
    w.set(("sem", sem), w.get(("sem", sem), 0) + 1)
    return [(None, w)]


def sem_getvalue(w: World, me: Any, sem: str) -> Results:
    return [(int(w.get(("sem", sem), 0)), w)]


# ---- memory cell ----------------------------------------------------------------------------


def cell_load(w: World, me: Any, cell: str) -> Results:
    return [(w.get(("cell", cell)), w)]


def cell_store(w: World, me: Any, cell: str, value: Any) -> Results:
    w.set(("cell", cell), value)
    return [(None, w)]


STEPS = {
    "P": sem_wait,
    "tryP": sem_trywait,
    "timedP": sem_timedwait,
    "V": sem_post,
    "val": sem_getvalue,
    "ld": cell_load,
    "st": cell_store,
}
