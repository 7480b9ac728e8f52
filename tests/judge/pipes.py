"""The base of byte pipes: their ends, how much they hold, what goes through them."""

from __future__ import annotations

import io
import pickle
import re
from typing import Any

from .bases import Leave, Left, Results, Unsupported, V, World, error

# ---- byte pipe ------------------------------------------------------------------------------
# An end is (pipe, 0) or (pipe, 1); channel (pipe, k) holds the bytes that end k may read, as a
# tuple of pages (bytes left in it, bytes ever written to it). Of a simplex pipe only channel 0 is
# used: end 0 reads, end 1 writes. Which process has which end open: ("end", process, pipe, k).
# A duplex pipe has buffers of the kernel instead of pages, and ("asleep", pipe, k): the threads
# that sleep in a write to end k.

PAGE, PAGES = 4096, 16
SOCKET_LIMIT, LARGEST_BUFFER = 212992, 36544


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
    duplex = w.get(("duplex", end[0]))
    if duplex and 4 * (memory(pages) + 2) <= SOCKET_LIMIT:  # unix_writable, sock_wfree
        w.set(("asleep", end[0], 1 - end[1]), None)
    return [(taken, w)]


CONNECTION_RESET = "[Errno 104] Connection reset by peer"


def pipe_write(
    w: World, me: Any, end: tuple[str, int], data: bytes, begun: bool = False
) -> Results:
    """Gives how many bytes were written: all, or of more than a page as many as there is room."""
    pipe, k = end
    if w.get(("end", me[0], *end)) is None:
        raise Unsupported("an end is closed while its process writes to it")
    if w.get(("duplex", pipe)):
        return socket_write(w, me, end, data, begun)
    if not holders(w, pipe, 1 - k):
        return [(Left(("error", "BrokenPipeError", "[Errno 32] Broken pipe")), w)]
    channel = ("bytes", pipe, 1 - k)
    pages = list(w.get(channel, ()))
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


def socket_write(w: World, me: Any, end: tuple[str, int], data: bytes, begun: bool) -> Results:
    """One buffer's worth of a send; 0: it has fallen asleep. `begun`: some of it was written."""
    pipe, k = end
    asleep = w.get(("asleep", pipe, k), ())
    if not holders(w, pipe, 1 - k):
        reset = False
        if begun or me in asleep:  # already in the kernel: there the socket's own error comes first
            reset = bool(w.get(("reset", pipe, k))) and not begun
            w.set(("reset", pipe, k), None)
        if reset:
            return [(Left(("error", "ConnectionResetError", CONNECTION_RESET)), w)]
        return [(Left(("error", "BrokenPipeError", "[Errno 32] Broken pipe")), w)]
    if me in asleep:
        return []
    buffers = w.get(("bytes", pipe, 1 - k), ())
    if memory(buffers) >= SOCKET_LIMIT:
        w.set(("asleep", pipe, k), tuple(sorted((*asleep, me))))
        return [(0, w)]
    part = data[:LARGEST_BUFFER]
    w.set(("bytes", pipe, 1 - k), (*buffers, (part, len(part))))
    w.set(("asleep", pipe, 1 - k), None)  # one queue for all who sleep on a socket, readers or not
    return [(len(part), w)]


def memory(buffers: Any) -> int:
    """What buffers of a socket are accounted with, read in part or not (sk_buff.truesize)."""
    return sum(truesize(length) for _, length in buffers)


def truesize(length: int) -> int:
    most = PAGE - 320  # of a page, without its skb_shared_info
    pages = 0
    while length - pages * PAGE > most:
        pages += 1
    head = 512
    while head < length - pages * PAGE + 320:
        head *= 2
    return 256 + head + pages * PAGE


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


STEPS = {"r": pipe_read, "w": pipe_write, "poll": poll_ready, "close": close_end}

# What only the process itself can see or change: no steps of their own.
OWN = {"check": check, "deafen": deafen_end}
