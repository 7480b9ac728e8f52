"""The model of a byte pipe that carries messages: what is in it, and the steps of its two ends.

What lies in it is nothing, or its content and how that is laid out in the kernel. The content is
told as messages, or, where several processes read at one end or write long messages at another, as
bytes. CPython: connection.py (_send, _recv). Linux: pipe.c has 16 slots of a page each; what fits
into a page is written whole or not at all, what is larger as there is room. A socket takes chunks
while less is in it than its send buffer holds (af_unix.c).
"""

from __future__ import annotations

from typing import Any

EMPTY: tuple[Any, ...] = ()

SLOTS, PAGE = 16, 4096
ROOMY = 24_000  # bytes that a pipe has room for, in whatever pieces they are written and read
TOGETHER = 16384  # bytes: header and body of a longer message are written apart
BUFFER, CHUNK = 212992, 36544  # a socket's send buffer, and the most it takes as one piece
LARGEST, ENDLESS = 2**31, 2**47  # bytes that can be asked for; that no memory has

Message = tuple[int, int, int, int]  # its item, its size, how much was written, how much was read
Layout = tuple[Any, ...]


def send(
    on: Any, me: Any, key: str, item: int, readers: str | None = None, socket: bool = False
) -> Any:
    """Write a message, waiting for room. BrokenPipeError where nobody holds a reading end."""
    size = me.size(item)
    writes = [size] if size - 4 <= TOGETHER else [4, size - 4]
    torn = size > (TOGETHER if socket else PAGE) and readers is not None and on.writers(key) > 1
    if torn and not on.needs(key, "bytes"):
        yield on.step((), (), lambda: on.need(key, "bytes"))
    done = 0
    for number, length in enumerate(writes):
        left, fresh = length, True
        while left:
            if on.needs(key, "bytes"):
                content: Any = me.message(item)[done : done + left]
            else:
                content = item, size, number == 0 and fresh
            left = yield _write(on, key, content, left, fresh, readers, socket)
            if left == "broken":
                raise BrokenPipeError(32, "Broken pipe")
            done, fresh = sum(writes[: number + 1]) - left, False


def sent(on: Any, me: Any, key: str, way: Any, item: int) -> Any:
    """What is in a pipe when a message has been written to it in one go: as long as nothing but
    messages is told of it, there is room."""
    messages, layout = way or ((), ())
    size = me.size(item)
    _, layout = _slots(on, key, messages, layout, size, True)
    return (*messages, (item, size, size, 0)), layout


def _write(
    on: Any, key: str, what: Any, left: int, fresh: bool, readers: str | None, socket: bool
) -> Any:
    """The step of one write, or of what it has left: the result is what it has left then."""
    fit = _chunks if socket else _slots

    def change(way: Any, *held: Any) -> Any:
        if held and not held[0]:
            return [("broken", (way, *held))]
        content: Any = b"" if isinstance(what, bytes) else ()
        content, layout = way or (content, ())
        taken, layout = fit(on, key, content, layout, left, fresh)
        if not taken:
            return []
        if isinstance(what, bytes):
            content += what[:taken]
        else:
            content = _written(content, what, taken)
        return [(left - taken, ((content, layout), *held))] if content else []

    touches = (key,) if readers is None else (key, readers)
    kinds = (writing(on, key),) if readers is None else (writing(on, key), f"{readers}:r")
    return on.step(touches, kinds, change, effect=True)


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

    def take(way: Any, *others: Any) -> Any:
        messages, layout = way or ((), ())
        if messages:
            (item, size, written, read), *rest = messages
            if most is not None and size - 4 > most and written >= 4:
                header = max(4 - read, 0)
                new = ((item, size, written, max(read, 4)), *rest)
                return [("long", ((new, _drained(layout, header)), *others))]
            if written == size:
                new = (tuple(rest), _drained(layout, size - read)) if rest else ()
                return [(item, (new, *others))]
            if read < written:
                new = (((item, size, written, written), *rest), _drained(layout, written - read))
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


def _read(on: Any, key: str, writers: str | None, back: str | None, take: Any) -> Any:
    """The step of one read: who is able to write, and what was sent back, matter at the end."""
    touches = [each for each in (key, writers, back) if each is not None]
    kinds = (reading(on, key),) if writers is None else (reading(on, key), f"{writers}:wait")
    return on.step(touches, kinds, take, effect=True)


def _over(way: Any, others: tuple[Any, ...]) -> str:
    """What is read where nothing is there: the end, first of all that the other side was closed
    with something unread."""
    if not others or others[0]:
        return ""
    return "reset" if others[1:] and others[1] else "end"


def _told(over: str, others: tuple[Any, ...]) -> tuple[Any, ...]:
    """It is told once."""
    return (others[0], EMPTY) if over == "reset" else others


def _raise(found: str) -> None:
    if found == "end":
        raise EOFError
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
            chunk = yield _read(on, key, writers, back, _taking(many, found, done))
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


def _taking(many: int, before: bytes, done: Any) -> Any:
    def take(way: Any, *others: Any) -> Any:
        if not way:
            over = _over(way, others)
            return [(over, (way, *_told(over, others)))] if over else []
        content, layout = way
        chunk, rest = content[: many - len(before)], content[many - len(before) :]
        new = (rest, _drained(layout, len(chunk))) if rest else ()
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
    """How many bytes a pipe takes just now, and its slots then: how much of the first has been
    read, and how much is in each. They are told only where they may matter."""
    if not on.needs(key, "slots"):
        if _held(content) + left > ROOMY:
            on.need(key, "slots")
        return left, layout
    offset, *slots = layout or (0,)
    taken, some = 0, left % PAGE
    if fresh and slots and slots[-1] + (offset if len(slots) == 1 else 0) + some <= PAGE:
        slots[-1] += some
        taken = some
    while taken < left and len(slots) < SLOTS:
        slots.append(min(left - taken, PAGE))
        taken += slots[-1]
    return taken, (offset, *slots)


def _held(content: Any) -> int:
    if isinstance(content, bytes):
        return len(content)
    return sum(written - read for _, _, written, read in content)


def _chunks(
    on: Any, key: str, content: Any, layout: Layout, left: int, fresh: bool
) -> tuple[int, Layout]:
    """How many bytes a socket takes just now. Between its chunks others may write theirs: where
    bytes are told there is a layout, how much is left of each chunk, and how long it was."""
    taken = 0
    if isinstance(content, bytes):
        if sum(_accounted(length) for _, length in layout) < BUFFER:
            taken = min(left, CHUNK)
        return taken, (*layout, (taken, taken))
    held = sum(_accounted(written - read) for _, _, written, read in content)
    while taken < left and held < BUFFER:
        chunk = min(left - taken, CHUNK)
        taken += chunk
        held += _accounted(chunk)
    return taken, ()


def _drained(layout: Layout, many: int) -> Layout:
    """The layout when so many bytes have been read."""
    if not layout:
        return ()
    if isinstance(layout[0], tuple):
        chunks = list(layout)
        while many and many >= chunks[0][0]:
            many -= chunks.pop(0)[0]
        if many:
            chunks[0] = (chunks[0][0] - many, chunks[0][1])
        return tuple(chunks)
    offset, *slots = layout
    while many and many >= slots[0]:
        many -= slots.pop(0)
        offset = 0
    if many:
        slots[0] -= many
        offset += many
    return (offset, *slots) if slots else ()


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
