"""Hosts of runs by fork: many short runs, without the time that each host takes to load.

A helper process loads what a host needs, once, and forks a host for each order. A host is as it
would be otherwise: a process group of its own, of one thread, told over two pipes.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from types import TracebackType

from mpflow.engine.launch import Host
from mpflow.engine.start import Started

DEADLINE = 60.0  # seconds that a host may take to be there, or to be gone
_CODE = """\
import os, signal, socket, sys
sys.path[:] = {path!r}
from mpflow.engine.host import serve
here = socket.socket(fileno={descriptor})
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # hosts that have ended are nobody's business
while True:
    message, descriptors, _, _ = socket.recv_fds(here, 1, 2)
    if not message:
        os._exit(0)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        here.close()
        for number, descriptor in enumerate(descriptors):
            os.set_inheritable(descriptor, False)
        serve(*descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    here.sendall(pid.to_bytes(8, "little"))
"""


class _Forked(Started):
    """A host that is no child of ours."""

    def close(self) -> None:
        """End it, and wait until it is gone."""
        if self.outgoing < 0:
            return
        try:
            watch = os.pidfd_open(self.pid)
        except ProcessLookupError:
            watch = -1
        os.close(self.outgoing)
        os.close(self.incoming)
        self.outgoing = self.incoming = -1
        if watch >= 0:
            ready = select.select([watch], [], [], DEADLINE)[0]
            os.close(watch)
            assert ready, f"the host {self.pid} does not end"


class Hosts:
    """The helper process; `host()` has it fork one more. To be used in a `with`."""

    def __enter__(self) -> Hosts:
        self.lock = threading.Lock()
        self.here, there = socket.socketpair()
        self.here.settimeout(DEADLINE)
        there.set_inheritable(True)
        code = _CODE.format(path=sys.path, descriptor=there.fileno())
        arguments = [sys.executable, "-P", "-c", code]
        nowhere = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        self.pid = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=[nowhere])
        there.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.here.close()
        os.waitpid(self.pid, 0)

    def host(self) -> Host:
        """A host that waits for its order; whoever asked for it closes it."""
        to_host, outgoing = os.pipe()
        incoming, from_host = os.pipe()
        with self.lock:
            socket.send_fds(self.here, [b"!"], [to_host, from_host])
            pid = int.from_bytes(self.here.recv(8), "little")
        os.close(to_host)
        os.close(from_host)
        return Host(_Forked(pid, outgoing, incoming))
