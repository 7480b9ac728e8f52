"""Where traces go: a Trace goes in, JSON Lines in a file or on standard output come out."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, BinaryIO, TextIO

from mpflow.trace import Trace


class Unwritable(Exception):  # noqa: N818 - it says what is the matter
    """A file cannot be written; the message says which and why."""


class Sink:
    """A file that is not touched before there is something to write, or standard output. A file
    whose name ends in .gz is compressed."""

    def __init__(self, name: str | None, raw: BinaryIO | None = None, new: bool = False) -> None:
        self.name = name
        self.raw = raw
        self.new = new  # whether there was no such file before
        self.stream: TextIO | None = None if raw is not None else sys.stdout

    @staticmethod
    def standard() -> Sink:
        """Standard output."""
        return Sink(None)

    @staticmethod
    def file(name: str, scenarios: Iterable[str]) -> Sink:
        """A file: Unwritable now, and not after a long run, where it cannot be opened, or is one of
        the scenarios."""
        for path in scenarios:
            if os.path.exists(name) and os.path.exists(path) and os.path.samefile(name, path):
                raise Unwritable(f"--trace {name} would overwrite the scenario")
        try:
            new = not os.path.exists(name)
            return Sink(name, open(name, "ab"), new)
        except (OSError, ValueError) as error:
            raise _unwritable(name, error) from None

    def write(self, trace: Trace) -> None:
        """Append a trace; the first one replaces what stood in the file."""
        if self.name is None:
            self._lines(trace)
            return
        try:
            self._lines(trace)
        except OSError as error:
            self.close()  # or Python 3.13 says later what we say now
            raise _unwritable(self.name, error) from None

    def _lines(self, trace: Trace) -> None:
        if self.stream is None:
            self.stream = self._begun()
        utf8 = (self.stream.encoding or "").lower().replace("-", "") == "utf8"
        self.stream.writelines(trace.lines(ascii_only=not utf8))
        self.stream.flush()

    def _begun(self) -> TextIO:
        assert self.raw is not None
        assert self.name is not None
        if stat.S_ISREG(os.fstat(self.raw.fileno()).st_mode):
            self.raw.truncate(0)
        whole: Any = self.raw
        if self.name.endswith(".gz"):
            from gzip import GzipFile

            # Level 1 takes a fifth of the time of 9, and makes a file half as long again.
            whole = GzipFile("", "wb", compresslevel=1, fileobj=self.raw)
        return TextIOWrapper(whole, encoding="utf-8", newline="\n")

    def close(self) -> None:
        """Give up the file, and take it away if it is new and nothing was written; what could not
        be written is not tried again."""
        if self.raw is None:
            return
        for each in (self.stream, self.raw):
            with suppress(OSError, ValueError):
                if each is not None:
                    each.close()
        if self.new and self.stream is None and self.name is not None:
            with suppress(OSError):
                os.unlink(self.name)


def _unwritable(name: str, error: Exception) -> Unwritable:
    reason = getattr(error, "strerror", None) or error
    return Unwritable(f"cannot write the trace to {name}: {reason}")
