"""Starts the host of a run from the user's process: a Program goes in, the records come out.

posix_spawn, not subprocess: no import, no fork of a process that may have threads.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import NamedTuple

from mpflow.engine import record, system
from mpflow.engine.wire import Answer, Order, Reader, send
from mpflow.plan import Program

# The modules are found as the user's process finds them; -P keeps the folder of -c out.
_CODE = """\
import sys
sys.path[:] = {path!r}
from mpflow.engine.host import serve
serve({incoming}, {outgoing})
"""


class EngineError(RuntimeError):
    """The engine itself failed: no fault of the scenario's."""


class Records(NamedTuple):
    """What is left of a run: how it ended, and each process's record as it stands on disk."""

    end: str
    began: int
    ended: int
    exits: dict[int, tuple[int, int]]
    killed: frozenset[int]
    files: dict[int, bytes]


class Host:
    """A host that has been started and waits for its order. Started early, it loads what it
    needs while the scenario is still being read."""

    def __init__(self, quiet: bool = False) -> None:
        reason = system.supported()
        if reason is not None:
            raise EngineError(reason)
        self.quiet = quiet
        to_host, self._outgoing = os.pipe()
        incoming, from_host = os.pipe()
        self._incoming = Reader(incoming)
        base = max(to_host, from_host) + 1
        code = _CODE.format(path=sys.path, incoming=base, outgoing=base + 1)
        actions: list[tuple[object, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, to_host, base),
            (os.POSIX_SPAWN_DUP2, from_host, base + 1),
        ]
        if quiet:
            actions.append((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0))
        command = [sys.executable, "-P", "-c", code]
        self.pid = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=actions, setpgroup=0
        )
        os.close(to_host)
        os.close(from_host)

    def run(self, program: Program, timeout: float) -> Records:
        """Run a program to its end; Ctrl-C ends it as `interrupted`."""
        folder = None
        try:
            send(self._outgoing, pickle.dumps(Order(program, timeout, self.quiet)))
            folder = pickle.loads(self._incoming.receive())
            answer = self._answer()
            return Records(*answer, files=_files(folder))
        except (EOFError, BrokenPipeError):
            _end_orphans(folder)
            raise EngineError("the process that hosts the run has died") from None
        finally:
            self.close()
            if folder is not None:
                _remove(folder)

    def _answer(self) -> Answer:
        """Wait for the end; a Ctrl-C is passed on, and the answer awaited all the same."""
        try:
            answer: Answer = pickle.loads(self._incoming.receive())
        except KeyboardInterrupt:
            os.write(self._outgoing, b"!")
            answer = pickle.loads(self._incoming.receive())
        return answer

    def close(self) -> None:
        """End the host, and through it everything that it still runs."""
        if self._outgoing >= 0:
            os.close(self._outgoing)
            os.close(self._incoming.descriptor)
            self._outgoing = -1
            os.waitpid(self.pid, 0)


def _files(folder: str) -> dict[int, bytes]:
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as stream:
            found[int(name.partition(".")[0])] = stream.read()
    return found


def _remove(folder: str) -> None:
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def _end_orphans(folder: str | None) -> None:
    """Without a host nobody watches any more: end main's process group."""
    for pid, data in _files(folder).items() if folder else ():
        first = next(record.frames(data), None)
        if first is not None and first[1] == "main":
            system.kill_group(pid)
