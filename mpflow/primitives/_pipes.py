"""The model of a byte pipe that carries messages: what is in it, and the steps of its two ends.

What lies in it is nothing, or its content, how that is laid out in the kernel (_room.py), and who
sleeps until there is room. The content is told as messages, or, where several processes read at one
end or write long messages at another, as bytes. CPython: connection.py (_send, _recv).
"""

from __future__ import annotations

from typing import Any

from mpflow.primitives import _room
from mpflow.primitives._room import BUFFER, CHUNK, PAGE, ROOMY, TOGETHER, WAKING, Layout, drained

EMPTY: tuple[Any, ...] = ()

LARGEST, ENDLESS = 2**31, 2**47  # bytes that can be asked for; that no memory has

Message = tuple[int, int, int, int]  # its item, its size, how much was written, how much was read
NOBODY: frozenset[str] = frozenset()


def send(
    on: Any, me: Any, key: str, item: int, readers: str | None = None, back: str | None = None
) -> Any:
    """Write a message, waiting for room. BrokenPipeError where nobody holds a reading end; of a
    socket, whose other way is `back`, ConnectionResetError where its writer slept meanwhile."""
    size = me.size(item)
    writes = _room.writes(size)
    torn = size > (PAGE if back is None else TOGETHER) and readers is not None
    if torn and on.writers(key) > 1 and not on.needs(key, "bytes"):
        yield on.step((), (), lambda: on.need(key, "bytes"))
    done = 0
    for number, length in enumerate(writes):
        left, fresh = length, True
        while left:
            if on.needs(key, "bytes"):
                content: Any = me.message(item)[done : done + left]
            else:
                content = item, size, number == 0 and fresh
            left = yield _write(on, me, key, content, left, fresh, readers, back)
            if isinstance(left, str):
                _raise(left)
            done, fresh = sum(writes[: number + 1]) - left, False


def sent(on: Any, me: Any, key: str, way: Any, item: int) -> Any:
    """What is in a pipe when a message has been written to it in one go: as long as nothing but
    messages is told of it, there is room."""
    messages, layout, asleep = way or ((), (), NOBODY)
    size = me.size(item)
    _, layout = _slots(on, key, messages, layout, size, True)
    return (*messages, (item, size, size, 0)), layout, asleep


def _write(
    on: Any,
    me: Any,
    key: str,
    what: Any,
    left: int,
    fresh: bool,
    readers: str | None,
    back: str | None,
) -> Any:
    """The step of one write, or of what it has left: the result is what it has left then."""
    if back is not None:
        return _write_into_socket(on, me, key, what, left, fresh, readers, back)

    def change(way: Any, *held: Any) -> Any:
        if held and not held[0]:
            return [("broken", (way, *held))]
        content, layout, _ = _opened(way, what)
        taken, layout = _slots(on, key, content, layout, left, fresh)
        content = _added(content, what, taken)
        return [(left - taken, ((content, layout, NOBODY), *held))] if taken and content else []

    touches = (key,) if readers is None else (key, readers)
    return on.step(touches, sending(on, key, readers), change, effect=True)


def _write_into_socket(
    on: Any, me: Any, key: str, what: Any, left: int, fresh: bool, readers: Any, back: str
) -> Any:
    """The same of a socket. Where it finds no room, the process falls asleep (af_unix.c,
    unix_stream_sendmsg; sock.c, sock_alloc_send_pskb, sock_wait_for_wmem)."""
    name, wakes = me.name, on.exact(back)

    def change(way: Any, held: Any, *backs: Any) -> Any:
        content, layout, asleep = _opened(way, what)
        if not held:
            told, way = _deserted(way, name in asleep, fresh)
            return [(told, (way, held, *backs))]
        if name in asleep:
            return []
        taken, grown = _fitting(on, key, content, layout, left)
        if not taken:
            return [(on.STAY, ((content, layout, asleep | {name}), held, *backs))]
        new = _added(content, what, taken), grown, asleep
        return [(left - taken, (new, held, *(awake(each) for each in backs)))]

    touches = (key, readers, *((back,) if wakes else ()))
    return on.step(touches, sending(on, key, readers, back), change, effect=True)


def _deserted(way: Any, sleeps: bool, fresh: bool) -> tuple[str, Any]:
    """What a write gives where nobody reads any more, and the way then. Who was in the midst of it
    is told that something was left unread, and nobody after him; not if he has written some."""
    inside = filled(way) and (sleeps or not fresh)
    return "reset" if inside and fresh else "broken", EMPTY if inside else way


def awake(way: Any, who: str | None = None) -> Any:
    """A way when all who sleep for room in it, or one of them, are made to look for it once more:
    whatever comes to a sleeper's end wakes him."""
    return (*way[:2], NOBODY if who is None else way[2] - {who}) if way else way


def _opened(way: Any, what: Any) -> tuple[Any, Layout, frozenset[str]]:
    """What is in a way, for something to be written."""
    return way or (b"" if isinstance(what, bytes) else (), (), NOBODY)


def _added(content: Any, what: Any, taken: int) -> Any:
    """The content with some more bytes."""
    return content + what[:taken] if isinstance(what, bytes) else _written(content, what, taken)


def _written(messages: Any, what: Any, taken: int) -> Any:
    """The messages with some more bytes of one; none while somebody is in the middle of his."""
    item, size, first = what
    if first:
        complete = not messages or messages[-1][2] == messages[-1][1]
        return (*messages, (item, size, taken, 0)) if complete else ()
    _, _, written, read = messages[-1]
    return (*messages[:-1], (item, size, written + taken, read))


def receive(
    on: Any,
    me: Any,
    key: str,
    writers: str | None = None,
    back: str | None = None,
    most: int | None = None,
    plain: bool = True,
) -> Any:
    """Read a message, waiting for it: its item. EOFError where nobody can write one any more;
    ConnectionResetError before that where what was sent back was never read. None for one that is
    longer than `most`: only its header has been read. `plain`: it has to be unpickled."""
    if on.needs(key, "bytes"):
        return (yield from _receive_bytes(on, me, key, writers, back, most, plain))
    socket = back is not None

    def take(way: Any, *others: Any) -> Any:
        messages, layout, asleep = way or ((), (), NOBODY)
        if messages:
            (item, size, written, read), *rest = messages
            if most is not None and size - 4 > most and written >= 4:
                header = max(4 - read, 0)
                some = ((item, size, written, max(read, 4)), *rest)
                new = _left(some, drained(layout, header), asleep, socket)
                return [("long", (new, *others))]
            if written == size:
                new = _left(tuple(rest), drained(layout, size - read), asleep, socket)
                return [(item, (new, *others))]
            if read < written:
                some = ((item, size, written, written), *rest)
                new = _left(some, drained(layout, written - read), asleep, socket)
                return [("part", (new, *others))]
        over = _over(way, others)
        if over == "end" and messages and messages[0][2] != 4:  # header and body are read apart
            return [("cut", (way, *others))]
        return [(over, (way, *_told(over, others)))] if over else []

    found = "part"
    while found == "part":
        found = yield _read(on, key, writers, back, take)
    if found == "long":
        return None
    if isinstance(found, str):
        _raise(found)
    return found


def _left(content: Any, layout: Layout, asleep: frozenset[str], socket: bool) -> Any:
    """The way when this is left in it: then there may be room enough for those who sleep."""
    if not content:
        return EMPTY
    if asleep and socket and _room.weight(content, layout) < WAKING:
        asleep = NOBODY
    return content, layout, asleep


def _read(on: Any, key: str, writers: str | None, back: str | None, take: Any) -> Any:
    """The step of one read: who is able to write, and what was sent back, matter at the end."""
    touches = [each for each in (key, writers, back) if each is not None]
    return on.step(touches, receiving(on, key, writers, back), take, effect=True)


def _over(way: Any, others: tuple[Any, ...]) -> str:
    """What is read where nothing is there: the end, first of all that the other side was closed
    with something unread."""
    if not others or others[0]:
        return ""
    return "reset" if others[1:] and filled(others[1]) else "end"


def _told(over: str, others: tuple[Any, ...]) -> tuple[Any, ...]:
    """It is told once."""
    return (others[0], EMPTY) if over == "reset" else others


def _raise(found: str) -> None:
    if found == "end":
        raise EOFError
    if found == "broken":
        raise BrokenPipeError(32, "Broken pipe")
    if found == "reset":
        raise ConnectionResetError(104, "Connection reset by peer")
    raise OSError("got end of file during message")


def poll(on: Any, key: str, timeout: float | None, writers: str | None = None) -> Any:
    """The step that tells whether there is something to read, or the end of it all."""

    def ready(way: Any, *held: Any) -> Any:
        return [(True, (way, *held))] if filled(way) or (held and not held[0]) else []

    def late(*values: Any) -> Any:
        return [] if ready(*values) else [(False, values)]

    touches = (key,) if writers is None else (key, writers)
    if timeout is None:
        kinds = (f"{key}:wait",) if writers is None else (f"{key}:wait", f"{writers}:wait")
        return on.step(touches, kinds, ready)
    kinds = (f"{key}:poll",) if writers is None else (f"{key}:poll", f"{writers}:r")
    return on.step(touches, kinds, ready, late, max(timeout, 0))


def filled(way: Any) -> bool:
    """Whether there is something to read."""
    content = way[0] if way else ()
    return isinstance(content, bytes) or any(written > read for _, _, written, read in content)


# What reading and writing may disturb: more, where it matters how much of either is done at once


def sending(
    on: Any, key: str, readers: str | None = None, back: str | None = None
) -> tuple[str, ...]:
    """What a write does to what. Into a socket it also wakes who sleeps at the other end."""
    kinds = [writing(on, key)] if readers is None else [writing(on, key), f"{readers}:r"]
    if back is not None and on.exact(back):
        kinds.append(f"{back}:stir")
    return tuple(kinds)


def receiving(
    on: Any, key: str, writers: str | None = None, back: str | None = None
) -> tuple[str, ...]:
    """What a read does to what. It may be told what was left unread, and so may a sleeping sender:
    whoever comes first."""
    kinds = [reading(on, key)] if writers is None else [reading(on, key), f"{writers}:wait"]
    if back is not None and on.exact(back):
        kinds.append(f"{back}:told")
    return tuple(kinds)


def writing(on: Any, key: str) -> str:
    """What a write is to a way."""
    return f"{key}:pour" if on.exact(key) else f"{key}:send"


def reading(on: Any, key: str) -> str:
    """What a read is to a way."""
    return f"{key}:take" if on.exact(key) else f"{key}:recv"


# Byte by byte


def _receive_bytes(
    on: Any,
    me: Any,
    key: str,
    writers: str | None,
    back: str | None,
    most: int | None,
    plain: bool,
) -> Any:
    """Connection._recv_bytes, and what becomes of its bytes."""

    def read(many: int, done: Any = None) -> Any:
        """Connection._recv. `done` says of all that was read what is to be kept of it."""
        found = b""
        while len(found) < many:
            chunk = yield _read(
                on, key, writers, back, _taking(many, found, back is not None, done)
            )
            if isinstance(chunk, str):
                _raise("cut" if chunk == "end" and found else chunk)
            if chunk is None:
                return None
            found += chunk
        return found

    size = int.from_bytes((yield from read(4)), signed=True)
    if size == -1:
        size = int.from_bytes((yield from read(8)))
    if most is not None and size > most:
        return None
    if size >= LARGEST:
        _refuse(me, size)
    body = yield from read(size, (lambda whole: me.unseen(whole)) if plain else None)
    return me.arrived(body, plain)  # without a body: nobody asks for it


def _taking(many: int, before: bytes, socket: bool, done: Any) -> Any:
    def take(way: Any, *others: Any) -> Any:
        if not way:
            over = _over(way, others)
            return [(over, (way, *_told(over, others)))] if over else []
        content, layout, asleep = way
        chunk, rest = content[: many - len(before)], content[many - len(before) :]
        new = _left(rest, drained(layout, len(chunk)), asleep, socket)
        if done is not None and len(before) + len(chunk) == many and done(before + chunk):
            return [(None, (new, *others))]
        return [(chunk, (new, *others))]

    return take


def _refuse(me: Any, size: int) -> None:
    """os.read, asked for more bytes than there can be."""
    if size >= 2**63:
        raise OverflowError("Python int too large to convert to C ssize_t")
    if size >= 2**63 - 33:
        raise OverflowError("byte string is too large")
    if size >= ENDLESS:
        raise MemoryError
    raise me.uncheckable("how much memory a torn message may ask for depends on the machine", "")


# Room


def _slots(
    on: Any, key: str, content: Any, layout: Layout, left: int, fresh: bool
) -> tuple[int, Layout]:
    """How many bytes a pipe takes just now, and its layout then, which is told only where it may
    matter."""
    if on.needs(key, "room"):
        return _room.slots(layout, left, fresh)
    if _held(content) + left > ROOMY:
        on.need(key, "room")
    return left, layout


def _held(content: Any) -> int:
    if isinstance(content, bytes):
        return len(content)
    return sum(written - read for _, _, written, read in content)


def _fitting(on: Any, key: str, content: Any, layout: Layout, left: int) -> tuple[int, Layout]:
    """How many bytes a socket takes just now, and its layout then. Between its chunks others may
    write theirs. While there is never more in it than what would wake its sleepers, none can have
    fallen asleep: until then it does not matter how full it is."""
    held = _room.weight(content, layout)
    if isinstance(content, bytes):
        taken = _room.chunks(held, min(left, CHUNK))
        return taken, (*layout, (taken, taken))
    if not on.exact(key) and held + _room.costs(left) >= WAKING:
        on.need(key, "room")
    return _room.chunks(held, left), ()


def tight(way: Any, process: str) -> bool:
    """Whether a process sleeps for want of room in a socket that has some for others."""
    return bool(way) and process in way[2] and _room.weight(*way[:2]) < BUFFER
