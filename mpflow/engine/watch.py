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
from mpflow.engine.reading import Lane, lanes

_WORTH_A_PROOF = (1, 2, 4)  # looks after which the system is asked; then every eighth

_Last = tuple[int, int, int, bool]  # as Lane.last has it


class Watch:
    """Looks at the records of a run, again and again, as cheaply as can be."""

    def __init__(self, folder: str, host: int, tracker: int | None, pools: bool = False) -> None:
        self.folder = folder
        self.pools = pools  # whether there are pools, idle while main does something else
        self.host = host
        self.tracker = tracker
        self.lanes: dict[tuple[int, int], Lane] = {}  # by pid and number
        self.seen: dict[tuple[int, int], _Last | None] = {}
        self.helpers: set[int] = set()
        self.looks = 0  # since a record last grew

    def living(self) -> set[int]:
        """The living processes of the run, without those that Python keeps for itself."""
        found = system.descendants(self.host, self.tracker)
        if found - self.helpers:
            self._find_helpers()
        return found - self.helpers

    def full(self) -> bool:
        """Whether a process has found no room for its record."""
        return not os.path.exists(os.path.join(self.folder, record.ROOM))

    def deadlocked(self) -> bool:
        """Whether every living process waits for what nobody left can bring."""
        if not system.LINUX or self._grown():
            self.looks = 0
            return False
        self.looks += 1
        if self.looks not in _WORTH_A_PROOF and self.looks % 8:
            return False  # a child that begins, a feeder at work: they need their time
        if any(self._busy(pid) for pid, number in self.lanes if number == 0):
            return False
        before = self._proof()
        return before is not None and before == self._proof()

    def _busy(self, pid: int) -> bool:
        """Whether a process is alive and, by its own record, not waiting."""
        return not _waits(self.seen.get((pid, 0))) and system.alive(pid) and not system.stopped(pid)

    def _grown(self) -> bool:
        """The cheap look: whether any record has grown since the last one."""
        self._discover()
        grown = not self.lanes
        for key, lane in self.lanes.items():
            now = lane.last()
            if key not in self.seen or now != self.seen[key]:
                self.seen[key] = now
                grown = True
        return grown

    def _discover(self) -> None:
        for lane in lanes(self.folder):
            self.lanes.setdefault((lane.pid, lane.lane), lane)

    def _proof(self) -> tuple[Any, ...] | None:
        """The state of all living processes if each of them waits; equal proofs are one state."""
        living = self.living()
        unknown = {pid for pid in living if (pid, 0) not in self.lanes and not system.stopped(pid)}
        if not living or (unknown and not self.pools):
            return None
        proof: list[Any] = []
        for pid in sorted(living | self.helpers):
            switches = system.asleep(pid, pid in self.helpers)
            if switches is None and (pid in living or os.path.exists(f"/proc/{pid}")):
                return None
            if (pid, 0) in self.lanes and pid in living:
                last = self.lanes[pid, 0].last()
                if not _waits(last) and not system.stopped(pid):
                    return None
                proof.append(last)
            proof.append(switches)
        return tuple(proof)

    def _find_helpers(self) -> None:
        for lane in self.lanes.values():
            self.helpers.update(pid for site, pid, _ in lane.notes() if site == record.HELPER)


def _waits(last: _Last | None) -> bool:
    """Whether a record's last entry says: waiting, without a limit; or with one, where the system
    tells whether it still counts."""
    if last is None:
        return False
    _, _, site, over = last
    if over:
        return site == record.LEAVE_WAITING
    limited = site >= record.FIRST and site & record.LIMITED and system.TELLS_LIMITS
    return bool(site & 1 or limited)
