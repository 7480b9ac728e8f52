"""Shared memory: a named block of bytes that every process can write to and read from.

CPython: multiprocessing.shared_memory.SharedMemory. Nothing guards it; a piece of more than a few
bytes may be read half old and half new. It is unlinked when main has ended, and by Python's
resource tracker if main could not do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mpflow.kinds import AT, FROM, INTO, TO, WHAT, Argument, Operation, Primitive
from mpflow.primitives._bytes import BYTES, encoded

if TYPE_CHECKING:
    from mpflow.rule import Observation

SIZE = Argument("size", "integer", "how many bytes; without it, up to the end")
_AT_ONCE = 8  # bytes that no other process can see half written
_LARGEST = 1 << 16  # bytes of a block that is followed; a larger one is not judged
_AFTER_THE_CHILDREN = -500  # below every exit priority of multiprocessing's own


class Bytes:
    """A block in the order of events: a load gives the bytes that were stored last."""

    def __init__(self, size: int) -> None:
        self.size = size

    def start(self) -> bytes:
        return bytes(self.size) if self.size <= _LARGEST else b""

    def after(self, state: bytes, event: Observation) -> bytes | None:
        if not state or event.status == "error":
            return state
        at = event.extra.get("at") or 0
        if event.action == "store":
            data = encoded(event.value)
            data = [data] if isinstance(data, int) else data
            if not isinstance(data, bytes | list):
                return b""  # written down as a text that was cut: nobody knows
            return state[:at] + bytes(data) + state[at + len(data) :]
        if event.action == "load" and event.status == "ok":
            told = event.result
            found = state[at : at + len(told)] if isinstance(told, bytes) else b""
            return None if 0 < len(found) <= _AT_ONCE and found != told else state
        return state


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    size = options["size"]
    if size is None or 0 < size < 1 << 40:
        return []
    return [("size", f"a block of shared memory has 1 byte or more, not {size}")]


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import util
    from multiprocessing.shared_memory import SharedMemory

    block = SharedMemory(create=True, size=options["size"])
    util.Finalize(None, _unlink, args=(block,), exitpriority=_AFTER_THE_CHILDREN)
    return {"": block}


def _unlink(block: Any) -> None:
    with suppress(FileNotFoundError):  # the scenario has done it
        block.unlink()


def _load(block: Any, at: int | None, size: int | None) -> bytes:
    start = at or 0
    return bytes(block.buf[start : None if size is None else start + size])


def _store(block: Any, value: Any, at: int | None) -> None:
    """Bytes from a place on, or a number into one place, as `buf[at] = value` does it."""
    start = at or 0
    if isinstance(value, int):
        block.buf[start] = value
        return
    data = bytes(encoded(value))
    block.buf[start : start + len(data)] = data


PRIMITIVE = Primitive(
    type="shared_memory",
    summary="A named block of bytes; nothing guards it.",
    options=(Argument("size", "integer", "how many bytes", required=True),),
    operations=(
        Operation("load", "Some of its bytes.", FROM, (AT, SIZE, INTO), _load),
        Operation("store", "Write bytes into it.", TO, (BYTES, AT), _store, shows="value"),
        Operation(
            "close",
            "Give up this process's access to it.",
            WHAT,
            (),
            lambda block: block.close(),
            method="close",
        ),
        Operation(
            "unlink",
            "Remove its name: nobody can open it any more.",
            WHAT,
            (),
            lambda block: block.unlink(),
            method="unlink",
        ),
    ),
    make=_make,
    rule=lambda options: Bytes(options["size"] or 0),
    check=_check,
    seen=False,
    tracked=True,
)
