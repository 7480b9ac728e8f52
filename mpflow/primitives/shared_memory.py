"""Shared memory: a named block of bytes that every process can write to and read from.

CPython: multiprocessing.shared_memory.SharedMemory. Nothing guards it; a piece of more than a few
bytes may be read half old and half new. It is unlinked when main has ended, and by Python's
resource tracker if main could not do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


# The model: memory that nothing guards. A piece of up to 8 bytes that lies in one word is read and
# written at once, a larger one word by word, upwards; a very large one in 8 steps, so as not to
# take one for each word: coarser than memcpy may be


def _model_load(on: Any, me: Any, at: Any, size: Any) -> Any:
    buffer = _opened(on, me, "'NoneType' object is not subscriptable")
    start = at or 0
    places = range(len(buffer))[start : None if size is None else start + size]
    found = b""
    for first, last in _pieces(places):
        found += yield _reading(on, first, last)
    return found


def _model_store(on: Any, me: Any, value: Any, at: Any) -> Any:
    buffer = _opened(on, me, "'NoneType' object does not support item assignment")
    start = at or 0
    if isinstance(value, int):
        buffer[start] = value  # or what is wrong with it
        place = range(len(buffer))[start]
        yield _writing(on, place, bytes([value]))
        return
    data = bytes(encoded(value))
    places = range(len(buffer))[start : start + len(data)]
    buffer[start : start + len(data)] = data
    for first, last in _pieces(places):
        yield _writing(on, first, data[first - places.start : last - places.start])


def _reading(on: Any, first: int, last: int) -> Any:
    return on.tell(on.key("memory"), lambda memory: memory[first:last])


def _writing(on: Any, first: int, data: bytes) -> Any:
    last = first + len(data)
    return on.update(
        on.key("memory"), lambda memory: [(None, memory[:first] + data + memory[last:])]
    )


def _pieces(places: range) -> Iterator[tuple[int, int]]:
    """From where to where it is read or written at once."""
    word = _AT_ONCE * max(1, -(-len(places) // (8 * _AT_ONCE)))
    first = places.start
    while first < places.start + len(places):
        last = min((first // word + 1) * word, places.start + len(places))
        if len(places) <= _AT_ONCE:
            last = places.start + len(places)
        yield first, last
        first = last


def _opened(on: Any, me: Any, otherwise: str) -> memoryview:
    """Memory of its size, to see what goes wrong with an index or a value."""
    if (on.name, "~buffer") in me.get("closed", frozenset()):
        raise TypeError(otherwise)
    if on.options["size"] > _LARGEST:
        hint = f"make it {_LARGEST} bytes at most, and it can be checked"
        raise me.uncheckable(f"`{on.name}` has too many bytes to follow each of them", hint)
    return memoryview(bytearray(on.options["size"]))


def _model_close(on: Any, me: Any) -> None:
    me.set("closed", me.get("closed", frozenset()) | {(on.name, "~buffer")})


def _model_unlink(on: Any, me: Any) -> Any:
    key = on.key("linked")
    if not (yield on.update(key, lambda linked: [(linked, False)])):
        raise FileNotFoundError(2, "No such file or directory")


def _bases(options: Mapping[str, Any], merged: bool) -> dict[str, object]:
    return {"memory": bytes(min(options["size"], _LARGEST)), "linked": True}


PRIMITIVE = Primitive(
    type="shared_memory",
    summary="A named block of bytes; nothing guards it.",
    options=(Argument("size", "integer", "how many bytes", required=True),),
    operations=(
        Operation(
            "load",
            "Some of its bytes.",
            FROM,
            (AT, SIZE, INTO),
            _load,
            model=_model_load,
            accesses=lambda on, process, waits: (f"{on.key('memory')}:r",),
        ),
        Operation(
            "store",
            "Write bytes into it.",
            TO,
            (BYTES, AT),
            _store,
            shows="value",
            model=_model_store,
            accesses=lambda on, process, waits: (f"{on.key('memory')}:w",),
        ),
        Operation(
            "close",
            "Give up this process's access to it.",
            WHAT,
            (),
            lambda block: block.close(),
            method="close",
            model=_model_close,
            accesses=lambda on, process, waits: (),
        ),
        Operation(
            "unlink",
            "Remove its name: nobody can open it any more.",
            WHAT,
            (),
            lambda block: block.unlink(),
            method="unlink",
            model=_model_unlink,
            accesses=lambda on, process, waits: (f"{on.key('linked')}:w",),
        ),
    ),
    make=_make,
    bases=_bases,
    rule=lambda options: Bytes(options["size"] or 0),
    check=_check,
    seen=False,
    tracked=True,
)
