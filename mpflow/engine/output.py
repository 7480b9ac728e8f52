"""Standard output of Python code: each line goes out as it is printed, and into the record.

In: a function that notes a line. Out: a stream that stands in for sys.stdout.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable


def write_line(text: str) -> None:
    """One line on standard output by as few writes as can be, so that lines do not mix."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(1, data) :]


class TracedOutput(io.TextIOWrapper):
    """A line-buffered text stream on descriptor 1 that notes each line and where it was printed."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._lines = _Lines(note)
        super().__init__(
            self._lines, encoding="utf-8", errors="backslashreplace", line_buffering=True
        )

    def finish(self) -> None:
        """Let out and note a last line that has no end."""
        self.flush()
        self._lines.finish()


class _Lines(io.BufferedIOBase):
    """Bytes to descriptor 1; whole lines to `note` with the place in the code that printed."""

    name = "<stdout>"

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note
        self._rest = b""
        self._place = ""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(1)

    def fileno(self) -> int:
        return 1

    def write(self, data: object) -> int:
        whole = bytes(data)  # type: ignore[call-overload]
        rest = whole
        while rest:
            rest = rest[os.write(1, rest) :]
        *lines, self._rest = (self._rest + whole).split(b"\n")
        self._place = _caller()
        for line in lines:
            self._note(line.decode("utf-8", "replace"), self._place)
        return len(whole)

    def finish(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._note(rest.decode("utf-8", "replace"), self._place)


def _caller() -> str:
    """`module:line` of the innermost frame outside of this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}"
