"""Connections, queues and a process's exit: the rest of the library, as library.py has it."""

from __future__ import annotations

import struct
import sys

from .bases import Leave, V, error
from .library import FUNCTIONS, Lock, Steps, inner, library
from .pipes import dumps, loads

__all__ = ["FUNCTIONS"]

End = tuple[str, int]

# ---- Connection: an end of a pipe -----------------------------------------------------------


@library
def send_bytes(end: End, data: bytes) -> Steps:
    yield "check", end, False
    header = struct.pack("!i", len(data))
    if len(data) > 16384:
        yield "write", end, header, False
        yield "write", end, data, False
    else:
        yield "write", end, header + data, False


@library
def write(end: End, data: bytes, begun: bool) -> Steps:
    written = yield "w", end, data, begun
    if written < len(data):
        yield "become", "write", end, data[written:], begun or written > 0


@library
def recv_bytes(end: End, most: int | None = None) -> Steps:
    yield "check", end, True
    if most is not None and most < 0:
        raise error("ValueError", "negative maxlength")
    (size,) = struct.unpack("!i", (yield "read", end, 4, b""))
    if size == -1:
        (size,) = struct.unpack("!Q", (yield "read", end, 8, b""))
    if most is not None and size > most:
        yield "deafen", end
        raise error("OSError", "bad message length")
    return (yield "read", end, size, b"")


@library
def read(end: End, size: int, so_far: bytes) -> Steps:
    if len(so_far) >= size:
        return so_far
    chunk = yield "r", end, size - len(so_far)
    if not chunk:
        if not so_far:
            raise error("EOFError")
        raise error("OSError", "got end of file during message")
    yield "become", "read", end, size, so_far + chunk


@library
def send(end: End, value: V, version: tuple[int, int]) -> Steps:
    yield "check", end, False
    yield "send_bytes", end, dumps(value, version)


@library
def recv(end: End) -> Steps:
    return loads((yield "recv_bytes", end))


# ---- Queue ----------------------------------------------------------------------------------


def reader(q: str) -> End:
    return (q + ".pipe", 0)


def writer(q: str) -> End:
    return (q + ".pipe", 1)


def rlock(q: str) -> Lock:
    return ("inner", q + ".rlock", 1)


def wlock(q: str) -> Lock:
    return ("inner", q + ".wlock", 1)


@library
def queue_put(q: str, joinable: bool, value: V, block: bool, timeout: float | None) -> Steps:
    if (yield "queue_is_closed", q):
        raise error("ValueError", "Queue is closed")
    if not (yield "acquire", ("inner", q + ".slots", 1), block, timeout):
        raise error("Full")
    if not joinable:
        yield "append", q, value
        return
    yield "notempty", q, 1  # the feeder's own lock: it cannot begin to look into the buffer
    yield "P", q + ".lock"
    yield "append", q, value
    yield "V", q + ".unfinished"
    yield "V", q + ".lock"
    yield "notempty", q, 0


@library
def feeder(q: str, version: tuple[int, int], inside: bool) -> Steps:
    """The thread that moves what the process has put into the pipe."""
    item = yield "take", q, inside
    if item == "nothing":  # an empty buffer: wait until it is notified
        yield "become", "feeder", q, version, False
    if item == "end":
        yield "feeder_ends", q, reader(q), writer(q)
    data = dumps(item, version)
    yield "holding", wlock(q), "send_bytes", writer(q), data
    yield "become", "feeder", q, version, True


@library
def queue_get(q: str, block: bool, timeout: float | None) -> Steps:
    if (yield "queue_is_closed", q):
        raise error("ValueError", "Queue is closed")
    if block and timeout is None:
        data = yield "holding", rlock(q), "recv_bytes", reader(q)
        yield "V", q + ".slots"
    else:
        if not (yield "acquire", rlock(q), block, timeout):
            raise error("Empty")
        try:
            data = yield "get_inside", q, block
        except Leave as leave:
            yield "release", rlock(q)
            raise leave
        yield "release", rlock(q)
    return loads(data)


@library
def get_inside(q: str, block: bool) -> Steps:
    if not (yield "poll", reader(q), "timed" if block else "now"):
        raise error("Empty")
    data = yield "recv_bytes", reader(q)
    yield "V", q + ".slots"
    return data


@library
def task_done(q: str) -> Steps:
    return (yield "holding", inner(q), "task_done_inside", q)


@library
def task_done_inside(q: str) -> Steps:
    if not (yield "tryP", q + ".unfinished"):
        raise error("ValueError", "task_done() called too many times")
    if (yield "val", q + ".unfinished") == 0:
        yield "condition_notify", inner(q), q, sys.maxsize


@library
def queue_join(q: str) -> Steps:
    return (yield "holding", inner(q), "queue_join_inside", q)


@library
def queue_join_inside(q: str) -> Steps:
    if (yield "val", q + ".unfinished") != 0:
        yield "condition_wait", inner(q), q, None


@library
def simple_put(q: str, value: V, version: tuple[int, int]) -> Steps:
    yield "holding", wlock(q), "send_bytes", writer(q), dumps(value, version)


@library
def simple_get(q: str) -> Steps:
    return loads((yield "holding", rlock(q), "recv_bytes", reader(q)))


# ---- Process --------------------------------------------------------------------------------


@library
def exit_function() -> Steps:
    """util._exit_function: what every process does that does not die on the spot."""
    if (yield "feeders", False):
        yield ("sentinels",)
    for child in (yield "children", True):
        yield "kill", child, 15
    for child in (yield "children", False):
        yield "wait", child, False
    for q in (yield "feeders", True):
        yield "fed", q
