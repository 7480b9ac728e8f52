"""The model of a byte pipe that carries messages: what is in it, and the steps of its two ends.

A message is its item's number, its size in bytes, how many of them were written, and how many
were read. CPython: connection.py (_send, _recv). Linux: pipe_write takes up to 4096 bytes whole or
not at all and what is larger as there is room; a socket takes chunks while less is in it than its
send buffer holds (af_unix.c).
"""

from __future__ import annotations

from typing import Any

EMPTY: tuple[Any, ...] = ()

CAPACITY = 65536  # bytes in a pipe
ATOMIC = 4096  # bytes: PIPE_BUF
BUFFER, CHUNK = 212992, 36544  # a socket's send buffer, and the most it takes as one piece

Message = tuple[int, int, int, int]
Way = tuple[Message, ...]


def send(
    on: Any, key: str, item: int, size: int, readers: str | None = None, socket: bool = False
) -> Any:
    """Write a message, waiting for room. BrokenPipeError where nobody holds a reading end."""
    fit = _chunks if socket else _bytes

    def begin(way: Way, *held: Any) -> Any:
        if held and not held[0]:
            return [("broken", (way, *held))]
        if way and way[-1][2] < way[-1][1]:
            return []  # somebody is in the middle of his message
        room = fit(way, size)
        return [(room == size, ((*way, (item, size, room, 0)), *held))] if room else []

    def more(way: Way, *held: Any) -> Any:
        if held and not held[0]:
            return [("broken", (way, *held))]
        number, _, written, read = way[-1]
        room = fit(way, size - written)
        message = number, size, written + room, read
        return [(written + room == size, ((*way[:-1], message), *held))] if room else []

    touches = (key,) if readers is None else (key, readers)
    kinds = (f"{key}:send",) if readers is None else (f"{key}:send", f"{readers}:r")
    done = yield on.step(touches, kinds, begin, effect=True)
    while done is False:
        done = yield on.step(touches, kinds, more, effect=True)
    if done == "broken":
        raise BrokenPipeError(32, "Broken pipe")


def receive(on: Any, key: str, writers: str | None = None) -> Any:
    """Read a message, waiting for it: its item. EOFError where nobody can write one any more."""

    def take(way: Way, *held: Any) -> Any:
        if way:
            (item, size, written, read), *rest = way
            if written == size:
                return [(item, (tuple(rest), *held))]
            if read < written:
                return [("part", (((item, size, written, written), *rest), *held))]
        if held and not held[0]:
            return [("cut" if way else "end", (way, *held))]
        return []

    touches = (key,) if writers is None else (key, writers)
    kinds = (f"{key}:recv",) if writers is None else (f"{key}:recv", f"{writers}:wait")
    found = yield on.step(touches, kinds, take, effect=True)
    while found == "part":
        found = yield on.step(touches, kinds, take, effect=True)
    if found == "end":
        raise EOFError
    if found == "cut":
        raise OSError("got end of file during message")
    return found


def poll(on: Any, key: str, timeout: float | None, writers: str | None = None) -> Any:
    """The step that tells whether there is something to read, or the end of it all."""

    def ready(way: Way, *held: Any) -> Any:
        there = any(written > read for _, _, written, read in way) or (held and not held[0])
        return [(True, (way, *held))] if there else []

    def late(*values: Any) -> Any:
        return [] if ready(*values) else [(False, values)]

    touches = (key,) if writers is None else (key, writers)
    if timeout is None:
        kinds = (f"{key}:wait",) if writers is None else (f"{key}:wait", f"{writers}:wait")
        return on.step(touches, kinds, ready)
    kinds = (f"{key}:poll",) if writers is None else (f"{key}:poll", f"{writers}:r")
    return on.step(touches, kinds, ready, late, max(timeout, 0))


def _bytes(way: Way, rest: int) -> int:
    """How many of the bytes left a pipe takes just now."""
    room = CAPACITY - sum(written - read for _, _, written, read in way)
    if rest <= ATOMIC:
        return rest if room >= rest else 0
    return min(room, rest)


def _chunks(way: Way, rest: int) -> int:
    """How many of the bytes left a socket takes just now."""
    held = sum(_accounted(written - read) for _, _, written, read in way)
    taken = 0
    while taken < rest and held < BUFFER:
        chunk = min(rest - taken, CHUNK)
        taken += chunk
        held += _accounted(chunk)
    return taken


def _accounted(size: int) -> int:
    """What bytes in a socket cost of its buffer: sk_buff, a power of two, whole pages."""
    cost = 0
    while size > 0:
        chunk = min(size, CHUNK)
        pages = max(0, -(-(chunk - 3776) // 4096)) * 4096
        linear = max(chunk - pages, 0) + 320
        cost += 256 + max(512, 1 << (linear - 1).bit_length()) + pages
        size -= chunk
    return cost
