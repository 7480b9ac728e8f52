"""The four bases (semaphore, byte pipe, memory cell, process table) as atomic steps.

A *world* is one global state: a mapping from keys to hashable values, kept as a tuple of small
numbers. A step is a function `step(world, me, *arguments)` that changes the world it is given (a
copy made for it) and returns the list of what may come of it, as pairs of a result and a world;
an empty list: it cannot proceed now. `me` is the thread: a process's name and a queue's, or "".
"""

from __future__ import annotations

import io
import pickle
import re
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


# ---- byte pipe ------------------------------------------------------------------------------
# An end is (pipe, 0) or (pipe, 1); channel (pipe, k) holds the bytes that end k may read, as a
# tuple of pages (bytes left in it, bytes ever written to it). Of a simplex pipe only channel 0 is
# used: end 0 reads, end 1 writes. Which process has which end open: ("end", process, pipe, k).

PAGE, PAGES = 4096, 16
SOCKET_LIMIT = 212992


def holders(w: World, pipe: str, k: int) -> list[str]:
    return [
        p
        for p in w.get(("processes",))
        if w.get(("status", p)) == "run" and w.get(("end", p, pipe, k)) in ("open", "deaf")
    ]


def end_closed(w: World, pipe: str, k: int) -> None:
    """Called after somebody closed his copy of an end: what follows if it was the last."""
    if holders(w, pipe, k):
        return
    if w.get(("duplex", pipe)) and w.get(("bytes", pipe, k), ()):
        w.set(("reset", pipe, 1 - k), 1)
    w.set(("bytes", pipe, k), ())


def close_end(w: World, me: Any, end: tuple[str, int]) -> Results:
    if w.get(("end", me[0], *end)) in ("open", "deaf"):
        w.set(("end", me[0], *end), None)
        end_closed(w, *end)
    return [(None, w)]


def deafen_end(w: World, me: Any, end: tuple[str, int]) -> Results:
    """_bad_message_length: who can also write keeps the end, but may read no more."""
    if w.get(("duplex", end[0])):
        w.set(("end", me[0], *end), "deaf")
        return [(None, w)]
    return close_end(w, me, end)


def check_end(w: World, me: Any, end: tuple[str, int], reading: bool) -> Leave | None:
    pipe, k = end
    open_ = w.get(("end", me[0], pipe, k))
    if open_ is None:
        return error("OSError", "handle is closed")
    duplex = w.get(("duplex", pipe))
    if reading and (open_ == "deaf" or (not duplex and k == 1)):
        return error("OSError", "connection is write-only")
    if not reading and not duplex and k == 0:
        return error("OSError", "connection is read-only")
    return None


def check(w: World, me: Any, end: tuple[str, int], reading: bool) -> Results:
    wrong = check_end(w, me, end, reading)
    return [(Left(wrong.what) if wrong else None, w)]


def readable(w: World, pipe: str, k: int) -> bool:
    return bool(
        w.get(("bytes", pipe, k), ()) or w.get(("reset", pipe, k)) or not holders(w, pipe, 1 - k)
    )


def poll_ready(w: World, me: Any, end: tuple[str, int], how: str) -> Results:
    """how: "now" or "timed" (both may be False), or "wait"."""
    wrong = check_end(w, me, end, True)
    if wrong:
        return [(Left(wrong.what), w)]
    if readable(w, *end):
        return [(True, w)]
    return [] if how == "wait" else [(False, w)]


def pipe_read(w: World, me: Any, end: tuple[str, int], size: int) -> Results:
    pages = list(w.get(("bytes", *end), ()))
    if not pages:
        if w.get(("reset", *end)):
            w.set(("reset", *end), None)
            return [(Left(("error", "ConnectionResetError", CONNECTION_RESET)), w)]
        return [] if holders(w, end[0], 1 - end[1]) else [(b"", w)]
    taken = b""
    while pages and len(taken) < size:
        data, used = pages[0]
        part = data[: size - len(taken)]
        taken += part
        if len(part) < len(data):
            pages[0] = (data[len(part) :], used)
        else:
            pages.pop(0)
    w.set(("bytes", *end), tuple(pages))
    return [(taken, w)]


CONNECTION_RESET = "[Errno 104] Connection reset by peer"


def pipe_write(w: World, me: Any, end: tuple[str, int], data: bytes) -> Results:
    """Gives how many bytes were written: all, or of more than a page as many as there is room."""
    pipe, k = end
    if w.get(("end", me[0], *end)) is None:
        raise Unsupported("an end is closed while its process writes to it")
    if not holders(w, pipe, 1 - k):
        return [(Left(("error", "BrokenPipeError", "[Errno 32] Broken pipe")), w)]
    channel = ("bytes", pipe, 1 - k)
    pages = list(w.get(channel, ()))
    if w.get(("duplex", pipe)):
        if not socket_has_room([used for _, used in pages]):
            return []
        if len(data) > 16388:
            raise Unsupported("a long message on a duplex pipe")
        w.set(channel, (*pages, (data, len(data))))
        return [(len(data), w)]
    written = 0
    rest = len(data) % PAGE
    if rest and pages and pages[-1][1] + rest <= PAGE:
        pages[-1] = (pages[-1][0] + data[:rest], pages[-1][1] + rest)
        written = rest
    while written < len(data) and len(pages) < PAGES:
        part = data[written : written + PAGE]
        pages.append((part, len(part)))
        written += len(part)
    if written == 0 or (written < len(data) <= PAGE):
        return []
    w.set(channel, tuple(pages))
    return [(written, w)]


def socket_has_room(sizes: list[int]) -> bool:
    least = sum(768 if size <= 192 else size + 576 for size in sizes)
    most = sum(768 if size <= 192 else 2 * size + 1024 for size in sizes)
    if least < SOCKET_LIMIT <= most:
        raise Unsupported("how much a duplex pipe holds")
    return most < SOCKET_LIMIT


# ---- what goes through a pipe ---------------------------------------------------------------


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise Unsupported(f"unpickling {module}.{name}")


def dumps(value: V, version: tuple[int, int]) -> bytes:
    return pickle.dumps(value.value, 4 if version < (3, 14) else 5)


def loads(data: bytes) -> V:
    try:
        return V(_Plain(io.BytesIO(data)).load())
    except (Unsupported, MemoryError):
        raise
    except Exception as caught:
        raise error(type(caught).__name__, re.sub("<.*>", "…", str(caught))) from None


# ---- process table --------------------------------------------------------------------------


def alive(w: World, p: str) -> bool:
    return bool(w.get(("status", p)) == "run")


def forked_from(w: World, p: str) -> list[str]:
    """Who, by fork, has all that p had open: its children and theirs."""
    found = [c for c in w.get(("processes",)) if w.get(("parent", c)) == p]
    return found + [d for c in found for d in forked_from(w, c)]


def sentinel_ready(w: World, p: str) -> bool:
    if alive(w, p):
        return False
    return not (w.get(("method",)) == "fork" and any(alive(w, d) for d in forked_from(w, p)))


def wait_process(w: World, me: Any, p: str, timed: bool) -> Results:
    """True: it has ended. False (timed only): the time was up."""
    if not timed:
        return [] if alive(w, p) else [(True, w)]
    return [(sentinel_ready(w, p), w)]


def is_process_alive(w: World, me: Any, p: str) -> Results:
    return [(alive(w, p), w)]


def exitcode(w: World, me: Any, p: str) -> Results:
    status = w.get(("status", p))
    return [(int(status[1]) if isinstance(status, tuple) else None, w)]


def send_signal(w: World, me: Any, p: str, number: int) -> Results:
    """Of two deadly signals the first decides the exit code, unless the process is stopped."""
    if alive(w, p):
        pending = w.get(("pending", p), ())
        if not pending or (w.get(("stop", p)) and number not in pending):
            w.set(("pending", p), (*pending, number))
    return [(None, w)]


def stop_process(w: World, me: Any, p: str) -> Results:
    if alive(w, p) and not w.get(("stop", p)):
        w.set(("stop", p), "stopping")
    return [(None, w)]


def continue_process(w: World, me: Any, p: str) -> Results:
    w.set(("stop", p), None)
    return [(None, w)]


def die(w: World, me: Any, p: str, code: int, kind: str | None) -> Results:
    """All of p's threads, buffers and open ends go; semaphores, pipes and cells stay as they are."""
    w.set(("status", p), ("dead", int(code)))
    w.set(("error", p), kind)
    for key in list(w.table.places):
        if isinstance(key, tuple) and len(key) > 1 and key[1] == p and key[0] in PRIVATE:
            w.set(key, None)
            if key[0] == "end":
                end_closed(w, key[2], key[3])
    return [(None, w)]


PRIVATE = ("thread", "end", "count", "queue", "pending", "stop")

STEPS = {
    "P": sem_wait,
    "tryP": sem_trywait,
    "timedP": sem_timedwait,
    "V": sem_post,
    "val": sem_getvalue,
    "ld": cell_load,
    "st": cell_store,
    "r": pipe_read,
    "w": pipe_write,
    "poll": poll_ready,
    "close": close_end,
    "wait": wait_process,
    "alive": is_process_alive,
    "exitcode": exitcode,
    "kill": send_signal,
    "stop": stop_process,
    "cont": continue_process,
    "die": die,
}

# What only the process itself can see or change: no steps of their own.
OWN = {"check": check, "deafen": deafen_end}
