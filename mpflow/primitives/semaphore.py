"""A semaphore: a number of permits; a release may raise it above where it began.

CPython: multiprocessing.Semaphore(value), a POSIX semaphore.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.kinds import Argument, Primitive
from mpflow.primitives._acquirable import OPERATIONS, Permits, check_permits


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import Semaphore

    return {"": Semaphore(options["value"])}


PRIMITIVE = Primitive(
    type="semaphore",
    summary="So many processes at once; release adds a permit, without any bound.",
    options=(Argument("value", "integer", "permits at the start", default=1),),
    operations=OPERATIONS,
    make=_make,
    check=check_permits,
    bases=lambda options, merged: {"": options["value"]},
    rule=lambda options: Permits(options["value"], 2**31 - 1),
)
