"""What the engine asks of the operating system beyond Python's os: Linux, and what others lack.

Only this module knows /proc and prctl. Elsewhere the answers are the weaker ones that are
written beside each function.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of orphans below it, to see them end. Linux only: elsewhere
    they go to init, and are ended with their process group."""
    if LINUX:
        from ctypes import CDLL

        CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have this process killed when its parent dies. Linux only."""
    if LINUX:
        from ctypes import CDLL

        CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def death_descriptor(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where there is none: then
    its end is seen at the next tick."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def descendants(root: int, besides: int | None = None) -> set[int]:
    """All living processes below one, without one branch. Elsewhere than on Linux: none known."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if LINUX else ():
        if name.isdigit():
            state, parent = _state_and_parent(name)
            if state not in ("", "Z", "X"):
                parents[int(name)] = parent
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    left = [root]
    while left:
        for pid in children.get(left.pop(), ()):
            if pid not in found and pid != besides:
                found.add(pid)
                left.append(pid)
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and has not ended. Linux only: elsewhere nobody asks."""
    return _state_and_parent(str(pid))[0] not in ("", "Z", "X")


def stopped(pid: int) -> bool:
    """Whether a signal has stopped a process, until another one resumes it. Linux only."""
    return LINUX and _state_and_parent(str(pid))[0] == "T"


def _state_and_parent(pid: str) -> tuple[str, int]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        return fields[0].decode(), int(fields[1])
    except (OSError, IndexError):
        return "", 0


def asleep(pid: int, served: bool = False) -> tuple[object, ...] | None:
    """How often each thread of a process has been switched away from, if all of them sleep
    without limit, or were stopped by a signal; None if any runs, will wake by itself, or cannot be
    told. Equal answers at two times mean that nothing of it ran in between. `served`: it acts for
    those who ask it alone, and may look up now and then (a manager does, every second)."""
    switches: list[object] = []
    try:
        for thread in sorted(os.listdir(f"/proc/{pid}/task")):
            with open(f"/proc/{pid}/task/{thread}/status", "rb") as stream:
                status = stream.read()
            state = status[status.index(b"\nState:\t") + 8 :][:1]
            if state != b"T" and (state != b"S" or (not served and _timed(pid, thread))):
                return None
            switches += [thread, status[status.index(b"\nvoluntary_ctxt_switches") :]]
    except (OSError, ValueError):
        return None
    return tuple(switches)


# System calls that wait, by machine: the number, and the argument that holds the limit; a call
# without one (-1) always has a limit. From the kernel's tables.
_WAITS = {
    "x86_64": {35: -1, 230: -1, 202: 3, 7: 2, 271: 2, 23: 4, 270: 4, 232: 3, 281: 3, 128: 2},
    "aarch64": {101: -1, 115: -1, 98: 3, 73: 2, 72: 4, 22: 3, 137: 2},
}
TELLS_LIMITS = LINUX and os.uname().machine in _WAITS and os.access("/proc/self/syscall", os.R_OK)
_POLLS = {"x86_64": (7, 232, 281), "aarch64": (22,)}  # their limit is a number, -1 for none


def _timed(pid: int, thread: str) -> bool:
    """Whether a sleeping thread is in a system call that ends by itself after some time."""
    machine = os.uname().machine
    try:
        with open(f"/proc/{pid}/task/{thread}/syscall", "rb") as stream:
            number, *arguments = stream.read().split()
        place = _WAITS[machine][int(number)]
        if place < 0:
            return True
        limit = int(arguments[place], 16)
    except (OSError, KeyError, ValueError, IndexError):
        return False  # no wait, or nobody tells: then the records alone must say it
    if int(number) in _POLLS[machine]:
        return limit & 0xFFFFFFFF != 0xFFFFFFFF
    return limit != 0


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    """SIGKILL to a process group, if it is still there."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
