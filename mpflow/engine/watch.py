"""Whether a run can still go on: the processes' records and the system's word go in, yes or no.

A deadlock is proved, not guessed from time. Every living process's record must say that it is
in an action that may wait for ever, or in its exit hooks; then the system is asked twice, and
if at both times every thread slept and none had run in between, there was a moment at which
nobody could wake anybody: feeder threads, starting children and Python's fork server included.
"""

from __future__ import annotations

import os
from typing import Any

from mpflow.engine import record, system

_WORTH_A_PROOF = (1, 2, 4)  # looks after which the system is asked; then every eighth


class Watch:
    """Looks at the records of a run, again and again, as cheaply as can be."""

    def __init__(self, folder: str, host: int, tracker: int | None) -> None:
        self.folder = folder
        self.host = host
        self.tracker = tracker
        self.open: dict[int, tuple[int, int]] = {}  # pid: descriptor, size when last looked at
        self.helpers: set[int] = set()
        self.looks = 0  # since a record last grew

    def living(self) -> set[int]:
        """The living processes of the run, without those that Python keeps for itself."""
        found = system.descendants(self.host, self.tracker)
        if found - self.helpers:
            self._find_helpers()
        return found - self.helpers

    def deadlocked(self) -> bool:
        """Whether every living process waits for what nobody left can bring."""
        if not system.LINUX or self._grown():
            self.looks = 0
            return False
        self.looks += 1
        if self.looks not in _WORTH_A_PROOF and self.looks % 8:
            return False  # a child that begins, a feeder at work: they need their time
        if any(self._busy(pid) for pid in self.open):
            return False
        before = self._proof()
        return before is not None and before == self._proof()

    def _busy(self, pid: int) -> bool:
        """Whether a process is alive and, by its own record, not waiting."""
        descriptor, size = self.open[pid]
        frame = record.last_frame(descriptor, size)
        return not _waits(frame) and system.alive(pid)

    def _grown(self) -> bool:
        """The cheap look: whether any record has grown since the last one."""
        self._discover()
        grown = not self.open
        for pid, (descriptor, size) in self.open.items():
            now = os.fstat(descriptor).st_size
            if now != size:
                self.open[pid] = descriptor, now
                grown = True
        return grown

    def _discover(self) -> None:
        names = (n for n in os.listdir(self.folder) if n.endswith(record.SUFFIX))
        for name in names:
            pid = int(name.removesuffix(record.SUFFIX))
            if pid not in self.open:
                self.open[pid] = os.open(os.path.join(self.folder, name), os.O_RDONLY), -1

    def _proof(self) -> tuple[Any, ...] | None:
        """The state of all living processes if each of them waits; equal proofs are one state."""
        living = self.living()
        if not living or not living <= self.open.keys():
            return None
        proof: list[Any] = []
        for pid in sorted(living | self.helpers):
            switches = system.asleep(pid)
            if switches is None and (pid in living or os.path.exists(f"/proc/{pid}")):
                return None
            if pid in living:
                descriptor, _ = self.open[pid]
                size = os.fstat(descriptor).st_size
                if not _waits(record.last_frame(descriptor, size)):
                    return None
                proof.append(size)
            proof.append(switches)
        return tuple(proof)

    def _find_helpers(self) -> None:
        for descriptor, _ in self.open.values():
            data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            self.helpers.update(f[1] for f in record.frames(data) if f[0] == record.HELPER)


def _waits(frame: tuple[Any, ...] | None) -> bool:
    """Whether a record's last frame says: waiting, without a limit."""
    if frame is None:
        return False
    if frame[0] == record.ACT:
        return bool(frame[7])
    return bool(frame[0] == record.LEAVE and frame[5])
