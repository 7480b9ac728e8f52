"""A lock: one process at a time may hold it; it has no owner, anybody may release it.

CPython: multiprocessing.Lock, a POSIX semaphore of value 1 (synchronize.py, semaphore.c).
"""

from __future__ import annotations

from mpflow.kinds import Primitive
from mpflow.primitives._acquirable import OPERATIONS, Permits


def _make(options: object, made: object) -> dict[str, object]:
    from multiprocessing import Lock

    return {"": Lock()}


PRIMITIVE = Primitive(
    type="lock",
    summary="One process at a time; acquired twice by one process, it blocks for ever.",
    options=(),
    operations=OPERATIONS,
    make=_make,
    bases=lambda options, merged: {"": 1},
    rule=lambda options: Permits(1, 1),
)
