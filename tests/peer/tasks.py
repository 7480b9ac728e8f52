"""What the scenarios about pools and queues call and hand about."""

from __future__ import annotations

from typing import Any


class Unpicklable:
    """An object that cannot be pickled."""

    def __reduce__(self) -> Any:
        raise RuntimeError("cannot be pickled")
