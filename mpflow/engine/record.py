"""What a process writes down while it runs, and how it is read back.

One file for each process, appended to by one write() a frame: what was written survives the
process, however it dies. A frame is a marshalled tuple between its length, twice, so that the
last one can be found from the end. The first item tells the frame's kind.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator
from struct import Struct
from time import perf_counter_ns
from typing import Any

_LENGTH = Struct("<I")
_LARGEST = 1 << 20
SUFFIX = ".record"

BEGIN = "begin"  # name, pid, stamp
ACT = "act"  # step, began, action, on, value, line, may wait for ever, variables
DONE = "done"  # stamp, status, result, error
PRINTED = "printed"  # stamp, line, module and line of the code
CODE = "code"  # stamp: Python code runs from here on
LEAVE = "leave"  # stamp, exit code, error, variables, may wait for ever
END = "end"  # stamp: the exit hooks are done
REAPED = "reaped"  # child's name, pid, exit code, stamp
HELPER = "helper"  # pid of a process that Python started for itself


class Foreign:
    """A value that could not be written down: its type and the beginning of its repr."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def portable(value: Any) -> tuple[str, Any]:
    """A value as marshal can write it: itself, or the repr of what it cannot or must not."""
    try:
        if len(marshal.dumps(value)) <= _LARGEST:
            return ("=", value)
    except ValueError:
        pass
    try:
        shown = repr(value)
    except Exception as error:
        shown = f"<{type(value).__name__}: repr failed with {type(error).__name__}>"
    return ("~", shown if len(shown) <= 400 else f"{shown[:399]}…")


def restored(pair: tuple[str, Any]) -> Any:
    """The value, or a Foreign that shows it."""
    return pair[1] if pair[0] == "=" else Foreign(pair[1])


class Writer:
    """One process's record. Stamps are nanoseconds of perf_counter and never equal."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, f"{os.getpid()}{SUFFIX}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self.descriptor = os.open(self.path, flags, 0o600)
        self.last = 0

    def stamp(self) -> int:
        """The time now, later than every stamp given before."""
        now = perf_counter_ns()
        self.last = now if now > self.last else self.last + 1
        return self.last

    def write(self, *frame: Any) -> None:
        """Append a frame; OSError when the disk is full."""
        data = marshal.dumps(frame)
        length = _LENGTH.pack(len(data))
        whole = length + data + length
        done = os.write(self.descriptor, whole)
        while done < len(whole):
            done += os.write(self.descriptor, whole[done:])

    def close(self) -> None:
        """Give up the descriptor: a forked child has no business with its parent's."""
        os.close(self.descriptor)


def frames(data: bytes) -> Iterator[tuple[Any, ...]]:
    """All whole frames of a record; a torn last one is left out."""
    at = 0
    while at + 4 <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        if at + length + 8 > len(data):
            return
        yield marshal.loads(data[at + 4 : at + 4 + length])
        at += length + 8


def last_frame(descriptor: int, size: int) -> tuple[Any, ...] | None:
    """The last frame of a record of that size, or None when it is not whole."""
    if size < 8:
        return None
    (length,) = _LENGTH.unpack(os.pread(descriptor, 4, size - 4))
    if length + 8 > size:
        return None
    data = os.pread(descriptor, length + 4, size - length - 8)
    if _LENGTH.unpack_from(data)[0] != length:
        return None
    frame: tuple[Any, ...] = marshal.loads(data[4:])
    return frame
