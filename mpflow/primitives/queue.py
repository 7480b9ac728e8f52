"""A queue: any number of processes put, any number get; a feeder thread moves what was put.

CPython: multiprocessing.Queue (queues.py). put returns before anything is in the pipe; get holds
the readers' lock while it waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.kinds import Primitive
from mpflow.primitives._feeding import bases, feed
from mpflow.primitives._queues import OPERATIONS, OPTIONS, Items, check


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import Queue

    return {"": Queue(options["maxsize"])}


PRIMITIVE = Primitive(
    type="queue",
    summary="Items in the order put, for each producer; a feeder thread carries them.",
    options=OPTIONS,
    operations=OPERATIONS,
    make=_make,
    bases=lambda options, merged: bases(options),
    thread=feed,
    rule=Items,
    check=check,
)
