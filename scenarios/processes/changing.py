"""The function that the process of shared_with_code.yaml runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Lock


def change(num: Any, arr: Any, guard: Lock, end: Connection) -> None:
    """A new number, every item of the array with the other sign, and a word about it."""
    with guard:
        num.value = 3.25
        for i in range(len(arr)):
            arr[i] = -arr[i]
    end.send("changed")
