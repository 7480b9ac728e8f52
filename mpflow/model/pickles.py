"""Values -> the bytes of their messages, and back: what stands behind a message's header.

A torn message may be anything. What is no pickle fails as it does in CPython; what would call
something when it is unpickled is never unpickled here.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any, NamedTuple

from mpflow.model.values import Uncheckable

MARKS = 10_000  # of the memo that a pickle may fill: a torn one might ask for gigabytes
NODES, LEVELS = 20_000, 50  # of a value that is unpickled: a torn one might be without end


class Raw(NamedTuple):
    """A message that was sent as bytes."""

    body: bytes


def body(value: object, version: tuple[int, int]) -> bytes:
    """What is sent of a value (reduction.py, ForkingPickler)."""
    if isinstance(value, Raw):
        return value.body
    return pickle.dumps(value, 4 if version < (3, 14) else 5)


def loads(data: bytes) -> Any:
    """The value of a pickle, or the exception that it gives. Uncheckable for one that needs more
    than plain data."""
    _check_memo(data)
    found = _Plain(io.BytesIO(data)).load()
    _check_plain(found)
    return found


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise Uncheckable(f"a message that was torn, or sent as bytes, asks for {module}.{name}")


def _check_memo(data: bytes) -> None:
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("PUT", "LONG_BINPUT") and (argument or 0) > MARKS:
                raise Uncheckable("a message that was torn asks for much memory")
    except Uncheckable:
        raise
    except Exception:
        return  # it fails there, and nothing behind it is looked at


def _check_plain(root: object) -> None:
    left, nodes = [(root, 0)], 0
    while left:
        value, level = left.pop()
        nodes += 1
        if nodes > NODES or level > LEVELS:
            raise Uncheckable("a message that was torn is a value without end")
        if isinstance(value, dict):
            left += [(each, level + 1) for pair in value.items() for each in pair]
        elif isinstance(value, list | tuple | set | frozenset):
            left += [(each, level + 1) for each in value]
        elif not (value is None or isinstance(value, bool | int | float | str | bytes)):
            raise Uncheckable(f"a message that was torn, or sent as bytes, is a {type(value)}")
