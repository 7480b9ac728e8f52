"""What the language has no word for: looks at barriers, values and arrays."""

from __future__ import annotations

import multiprocessing
from multiprocessing import shared_memory
from typing import Any


def waiting(barrier: Any) -> int:
    """How many processes wait at a barrier."""
    found: int = barrier.n_waiting
    return found


def has_lock(shared: Any) -> bool:
    return hasattr(shared, "get_lock") or hasattr(shared, "get_obj")


def refused_lock(kind: str) -> str:
    """The error that a lock which is none gives."""
    try:
        if kind == "value":
            multiprocessing.Value("i", 5, lock="no lock")  # type: ignore[call-overload]
        else:
            multiprocessing.Array("i", 5, lock="no lock")  # type: ignore[call-overload]
    except AttributeError as error:
        return type(error).__name__
    return "none"


def double(x: Any, y: Any, z: Any, array: Any, text: Any) -> None:
    for value in (x, y, z):
        value.value *= 2
    text.value *= 2
    for at in range(len(array)):
        array[at] *= 2


def write_text(text: Any, value: bytes) -> None:
    text.value = value


def read_text(text: Any) -> bytes:
    found: bytes = text.value
    return found


def write_block(block: Any, value: bytes) -> None:
    block.buf[: len(value)] = value
    block.close()


def make_block_again(block: Any) -> None:
    shared_memory.SharedMemory(block.name, create=True, size=512)


def look_at_block(block: Any) -> list[Any]:
    """Is it large enough and does it show its name; what does another finder of it see?"""
    again: Any = shared_memory.SharedMemory(block.name)
    told = [block.size >= 512, len(block.buf) >= block.size, block.name in str(block)]
    told += [again.buf[0], again.size == block.size]
    again.close()
    return told
