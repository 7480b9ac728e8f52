"""Starts the process that will host a run: nothing goes in, its pid and two pipes come out.

This is the first thing that `mpflow run` does, so it imports next to nothing. posix_spawn, not
fork: the user's process may have threads.
"""

from __future__ import annotations

import os
import sys

# The modules are found as the user's process finds them; -P keeps the folder of -c out.
_CODE = """\
import sys
sys.path[:] = {path!r}
from mpflow.engine.host import serve
serve({incoming}, {outgoing})
"""


class EngineError(RuntimeError):
    """The engine itself failed: no fault of the scenario's."""


class Started:
    """A host's pid, the descriptor that goes to it, and the one that comes from it."""

    def __init__(self, pid: int, outgoing: int, incoming: int) -> None:
        self.pid = pid
        self.outgoing = outgoing
        self.incoming = incoming

    def close(self) -> None:
        """End the host, and through it everything that it still runs. May be done twice."""
        if self.outgoing >= 0:
            os.close(self.outgoing)
            os.close(self.incoming)
            self.outgoing = self.incoming = -1
            os.waitpid(self.pid, 0)


def start() -> Started:
    """A host that loads its modules and then waits for its order. EngineError where none can."""
    if not hasattr(os, "fork") or not hasattr(os, "posix_spawn"):
        raise EngineError(
            f"running a scenario needs fork and POSIX signals; {sys.platform} lacks them"
        )
    to_host, outgoing = os.pipe()
    incoming, from_host = os.pipe()
    base = max(to_host, from_host) + 1
    code = _CODE.format(path=sys.path, incoming=base, outgoing=base + 1)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", code],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, to_host, base),
            (os.POSIX_SPAWN_DUP2, from_host, base + 1),
        ],
        setpgroup=0,
    )
    os.close(to_host)
    os.close(from_host)
    return Started(pid, outgoing, incoming)
