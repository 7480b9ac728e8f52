"""Where traces go: a Trace goes in, JSON Lines in a file or on standard output come out."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TextIO

from mpflow.trace import Trace


class Unwritable(Exception):  # noqa: N818 - it says what is the matter
    """A file cannot be written; the message says which and why."""


class Sink:
    """A file that is not touched before there is something to write, or standard output."""

    def __init__(self, name: str | None, stream: TextIO) -> None:
        self.name = name
        self.stream = stream
        self.ascii_only = (stream.encoding or "").lower().replace("-", "") != "utf8"
        self.begun = False

    @staticmethod
    def standard() -> Sink:
        """Standard output."""
        return Sink(None, sys.stdout)

    @staticmethod
    def file(name: str) -> Sink:
        """A file: Unwritable now, and not after a long run, where it cannot be opened."""
        try:
            return Sink(name, open(name, "a", encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _unwritable(name, error) from None

    def write(self, trace: Trace) -> None:
        """Append a trace; the first one replaces what stood in the file."""
        if self.name is None:
            self.stream.writelines(trace.lines(self.ascii_only))
            self.stream.flush()
            return
        try:
            if not self.begun and stat.S_ISREG(os.fstat(self.stream.fileno()).st_mode):
                self.stream.truncate(0)
            self.begun = True
            self.stream.writelines(trace.lines(self.ascii_only))
            self.stream.flush()
        except OSError as error:
            self.close()  # or Python 3.13 says later what we say now
            raise _unwritable(self.name, error) from None

    def close(self) -> None:
        """Give up the file; what could not be written is not tried again."""
        if self.name is not None:
            with suppress(OSError):
                self.stream.close()


def _unwritable(name: str, error: Exception) -> Unwritable:
    reason = getattr(error, "strerror", None) or error
    return Unwritable(f"cannot write the trace to {name}: {reason}")
