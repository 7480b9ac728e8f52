"""Blocks of shared memory, and lists in them, that Python code makes."""

from __future__ import annotations

from multiprocessing.shared_memory import ShareableList, SharedMemory
from typing import Any

_kept: list[Any] = []  # a block is closed when nobody holds it


def make_block(value: bytes) -> Any:
    block: Any = SharedMemory(create=True, size=512)
    block.buf[: len(value)] = value
    return block


def read_block(block: Any, size: int) -> bytes:
    return bytes(block.buf[:size])


def change_block(block: Any) -> bytes:
    before = read_block(block, 6)
    block.buf[:6] = b"newval"
    return before


def make_list(items: list[Any]) -> Any:
    return ShareableList(items)


def read_list(items: Any) -> list[Any]:
    return list(items)


def change_list(items: Any) -> list[Any]:
    before = list(items)
    items[-1] = "x"
    return before


def unlink(it: Any) -> None:
    block = getattr(it, "shm", it)
    block.close()
    block.unlink()


def use_shareable_list() -> dict[str, Any]:
    """What becomes of a list that is read, changed, copied and found again by its name."""
    items: Any = ShareableList(["howdy", b"HoWdY", -273.154, 100, None, True, 42])
    told: dict[str, Any] = {"items": list(items), "length": len(items), "index": items.index(100)}
    told["refused"] = [_refusal(items, 7, None), _refusal(items, 7, 2)]
    items[3], items[4] = 42, "some"
    told["refused"] += [_refusal(items, 4, "far too many")]
    items[0] = "encodés"  # eight bytes
    told["refused"] += [_refusal(items, 0, "encodées"), _refusal(items, 1, b"123456789")]
    told["changed"], told["count"] = list(items), items.count(42)
    copy: Any = ShareableList(items)
    copy[-1] = 77
    told["copy"] = [copy[-1], items[-1]]
    again: Any = ShareableList(name=items.shm.name)
    again[-1] = 880
    told["again"] = [again[-1], items[-1]]
    again.shm.close()
    empty: Any = ShareableList()
    told["empty"] = [len(empty), empty.format]
    for each in (items, copy, empty):
        unlink(each)
    return told


def _refusal(items: Any, at: int, value: Any) -> str:
    """The error of reading a place, or of storing a value there."""
    try:
        if value is None:
            items[at]
        else:
            items[at] = value
    except (IndexError, ValueError) as error:
        return type(error).__name__
    return "none"
