"""A bounded semaphore: a release above the value it began with is a ValueError.

CPython: multiprocessing.BoundedSemaphore(value); the check and the release are two steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.kinds import Argument, Primitive
from mpflow.primitives._acquirable import OPERATIONS, Permits, check_permits


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import BoundedSemaphore

    return {"": BoundedSemaphore(options["value"])}


PRIMITIVE = Primitive(
    type="bounded_semaphore",
    summary="A semaphore that refuses more releases than acquires.",
    options=(Argument("value", "integer", "permits at the start, and at most", default=1),),
    operations=OPERATIONS,
    make=_make,
    check=check_permits,
    bases=lambda options, merged: {"": options["value"]},
    rule=lambda options: Permits(options["value"], options["value"]),
)
