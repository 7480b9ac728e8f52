"""What is said on standard error when an exception ends a process: the line, not our frames."""

from __future__ import annotations

import os
from collections.abc import Sequence

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def notice(process: str, error: BaseException, file_name: str, lines: Sequence[int]) -> str:
    """A sentence for what a scenario's action did; the user's own frames for Python code."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    line = next((lines[f.lineno - 1] for f in frames if f.filename == file_name and f.lineno), 0)
    theirs = [f for f in frames if f.filename != file_name and not f.filename.startswith(_OURS)]
    theirs = [f for f in theirs if not f.filename.startswith("<frozen")]
    place = f" at line {line}" if line else ""
    told = "".join(traceback.format_exception_only(error)).strip()
    what = told.replace("\n", "\n    ")  # a message of several lines stays one sentence's
    head = f"Process {process} was ended{place} by {what}\n"
    outside = [f for f in theirs if "multiprocessing" not in f.filename]
    return head + "".join(traceback.format_list(outside)) if outside else head
