"""How much fits into a byte pipe: how full it is goes in, how many bytes it takes comes out.

Linux: pipe.c has 16 slots of a page each; what fits into a page is written whole or not at all,
what is larger as there is room. A socket takes a write in chunks, each while what is in it costs
less than its send buffer (af_unix.c). Who has found no room in it sleeps until all but a quarter
is free (unix_writable), or until something comes for him (sock.c, sock_wait_for_wmem).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

SLOTS, PAGE = 16, 4096
ROOMY = 24_000  # bytes that a pipe has room for, in whatever pieces they are written and read
TOGETHER = 16384  # bytes: header and body of a longer message are written apart
BUFFER, CHUNK = 212992, 36544  # a socket's send buffer, and the most it takes as one chunk
WAKING = BUFFER // 4  # where less is left in it, who sleeps is woken

Layout = tuple[Any, ...]


def writes(size: int) -> list[int]:
    """The bytes of each write of a message: connection.py, _send_bytes."""
    return [size] if size - 4 <= TOGETHER else [4, size - 4]


# Slots


def slots(layout: Layout, left: int, fresh: bool) -> tuple[int, Layout]:
    """How many bytes a pipe takes just now, and its slots then: how much of the first has been
    read, and how much is in each."""
    offset, *filled = layout or (0,)
    taken, some = 0, left % PAGE
    if fresh and filled and filled[-1] + (offset if len(filled) == 1 else 0) + some <= PAGE:
        filled[-1] += some
        taken = some
    while taken < left and len(filled) < SLOTS:
        filled.append(min(left - taken, PAGE))
        taken += filled[-1]
    return taken, (offset, *filled)


def drained(layout: Layout, many: int) -> Layout:
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
    offset, *filled = layout
    while many and many >= filled[0]:
        many -= filled.pop(0)
        offset = 0
    if many:
        filled[0] -= many
        offset += many
    return (offset, *filled) if filled else ()


# Chunks


def chunks(held: int, left: int) -> int:
    """How many bytes a socket takes of a write, in one chunk after the other."""
    taken = 0
    while taken < left and held < BUFFER:
        chunk = min(left - taken, CHUNK)
        taken += chunk
        held += cost(chunk)
    return taken


def weight(content: Any, layout: Layout) -> int:
    """What all that is in a socket costs of its buffer: a chunk as long as some of it is unread.
    Where bytes are told, a layout has of each chunk how much is left and how long it was."""
    if isinstance(content, bytes):
        return sum(cost(length) for _, length in layout)
    return sum(_unread(size, written, read) for _, size, written, read in content)


@lru_cache(1024)
def _unread(size: int, written: int, read: int) -> int:
    return sum(cost(length) for end, length in _chunks(size) if read < end <= written)


def _chunks(size: int) -> Iterator[tuple[int, int]]:
    """Where each chunk of a message ends, and how long it is."""
    end = 0
    for length in writes(size):
        for chunk in _cut(length):
            end += chunk
            yield end, chunk


def costs(length: int) -> int:
    """What all chunks of a write cost."""
    return sum(map(cost, _cut(length)))


def _cut(length: int) -> Iterator[int]:
    return (min(length - start, CHUNK) for start in range(0, length, CHUNK))


def cost(chunk: int) -> int:
    """What a chunk costs: sk_buff, a power of two for its head, whole pages for the rest."""
    pages = -(-max(0, chunk - 3776) // 4096) * 4096
    linear = max(chunk - pages, 0) + 320
    return 256 + max(512, 1 << (linear - 1).bit_length()) + pages
