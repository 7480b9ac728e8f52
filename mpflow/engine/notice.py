"""What is said on standard error when an exception ends a process: the line, not our frames."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from traceback import TracebackException
from types import TracebackType
from typing import Any

from mpflow.exceptions import told

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SHIPPED = os.path.join(_OURS, "_shipped")  # scenarios, with their code
_PYTHON = os.path.dirname(os.path.abspath(os.__file__))
_INSTALLED = tuple(os.path.join(_PYTHON, name) for name in ("site-packages", "dist-packages"))
_REMOTE = ("RemoteTraceback", "_RemoteTraceback")  # a traceback as text, from a pool's worker
_FRAME = '  File "'


def notice(
    process: str, error: BaseException, file_name: str, lines: Sequence[int], folder: str
) -> str:
    """A sentence that names the line; below it, for Python code, Python's own traceback with the
    user's frames alone. `file_name` is the source's, `folder` the run's: what is in it is ours."""
    numbers = (at.tb_lineno for at in _frames(error) if _file(at) == file_name)
    line = next((lines[number - 1] for number in numbers), 0)
    place = f" at line {line}" if line else ""
    name, message = told(error)
    try:
        below = [*_handing_over(error), *_Users(file_name, folder).traceback(error)]
    except Exception as fault:  # the user's exceptions may be of any kind
        below = [f"  its traceback cannot be shown: {told(fault)[0]}\n"]
    message = message.strip()
    if below:
        message = message.partition("\n")[0]  # all of it stands below
    message = message.replace("\n", "\n    ")  # several lines stay one sentence's
    head = f"Process {process} was ended{place} by {name}{': ' if message else ''}{message}\n"
    return head + "".join(below)


def _frames(error: BaseException) -> Iterator[TracebackType]:
    at = error.__traceback__
    while at is not None:
        yield at
        at = at.tb_next


def _file(at: TracebackType) -> str:
    return at.tb_frame.f_code.co_filename


def _handing_over(error: BaseException) -> Iterator[str]:
    """What to know of a process that could not be pickled."""
    for at in _frames(error):
        found = at.tb_frame.f_locals.get("obj")
        if at.tb_frame.f_code.co_name == "dump" and isinstance(found, BaseProcess):
            yield f"  when `{found.name}` was pickled to be started: all that it holds must be\n"
            yield "  picklable, unless the start method is fork\n"


class _Users:
    """Which frames are the user's: neither mpflow's nor those of Python's own modules."""

    def __init__(self, file_name: str, folder: str) -> None:
        self.file_name = file_name
        self.folder = folder

    def traceback(self, error: BaseException) -> Iterator[str]:
        """The lines of a traceback, of chained exceptions too, if any frame is the user's."""
        worth = [self._shorten(each) for each in _linked(error)]
        whole = TracebackException.from_exception(error)
        worth += [self._keep(each) for each in _linked(whole)]
        if any(worth):
            yield from whole.format()

    def _keep(self, part: Any) -> bool:
        """Leave only the user's frames of one exception; whether that is worth showing."""
        stack = [each for each in part.stack or () if self._is_users(each.filename)]
        part.stack = traceback.StackSummary.from_list(stack) if stack else None
        return bool(stack) or issubclass(part.exc_type, SyntaxError) or bool(part.__notes__)

    def _is_users(self, name: str) -> bool:
        if name == self.file_name or name.startswith(("<frozen ", "<mpflow ")):
            return False
        if _in(name, self.folder) or (_in(name, _OURS) and not _in(name, _SHIPPED)):
            return False
        return not _in(name, _PYTHON) or any(_in(name, each) for each in _INSTALLED)

    def _shorten(self, error: Any) -> bool:
        """The same where a traceback is a text."""
        if type(error).__name__ not in _REMOTE or "tb" not in vars(error):
            return False
        error.tb = "".join(self._users_lines(error.tb))
        return _FRAME in error.tb

    def _users_lines(self, text: str) -> Iterator[str]:
        kept = True
        for line in text.splitlines(keepends=True):
            if line.startswith(_FRAME):
                kept = self._is_users(line.removeprefix(_FRAME).partition('"')[0])
            elif not line.startswith("    "):
                kept = True
            if kept:
                yield line


def _linked(first: Any) -> list[Any]:
    """An exception, or what is to be shown of it, and all that are chained to it or grouped in it;
    however long the chain is."""
    found, left = {id(first): first}, [first]
    while left:
        each = left.pop()
        for other in (each.__cause__, each.__context__, *(getattr(each, "exceptions", ()) or ())):
            if isinstance(other, BaseException | TracebackException) and id(other) not in found:
                found[id(other)] = other
                left.append(other)
    return list(found.values())


def _in(name: str, folder: str) -> bool:
    return name.startswith(folder + os.sep)
