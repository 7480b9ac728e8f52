"""A recursive lock: the process that holds it may acquire it again; only it may release it.

CPython: multiprocessing.RLock; the owner is (process, thread), kept in process-local memory.
"""

from __future__ import annotations

from mpflow.kinds import Primitive
from mpflow.primitives._acquirable import OPERATIONS, Owned


def _make(options: object, made: object) -> dict[str, object]:
    from multiprocessing import RLock

    return {"": RLock()}


PRIMITIVE = Primitive(
    type="rlock",
    summary="A lock that its holder may acquire again; released as often as acquired.",
    options=(),
    operations=OPERATIONS,
    make=_make,
    bases=lambda options, merged: {"": 1},
    rule=lambda options: Owned(),
)
