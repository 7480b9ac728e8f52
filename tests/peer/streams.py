"""Standard streams that are watched, closed or gone, for the scenarios about them."""

from __future__ import annotations

import io
import sys
from typing import Any


class Watched(io.TextIOBase):
    """A stream that keeps what is written and sends it off when it is flushed."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.kept = ""

    def write(self, text: str) -> int:
        self.kept += text
        return len(text)

    def flush(self) -> None:
        if self.kept:
            self.connection.send(self.kept)
        self.kept = ""


def divide(connection: Any) -> None:
    sys.stderr = Watched(connection)
    sys.stderr.write("last words")
    1 / 0  # noqa: B018


def leave(reason: Any, connection: Any) -> None:
    sys.stderr = Watched(connection)
    sys.exit(reason)


def break_stream(name: str, closed: bool) -> Any:
    """Put a closed stream, or none, in a standard stream's place; the old one comes back."""
    old, new = getattr(sys, name), None
    if closed:
        new = io.StringIO()
        new.close()
    setattr(sys, name, new)
    return old


def mend_stream(name: str, old: Any) -> None:
    setattr(sys, name, old)


def release(semaphore: Any) -> None:
    semaphore.release()


def break_and_release(semaphore: Any, name: str, closed: bool) -> None:
    break_stream(name, closed)
    semaphore.release()
