"""What the user's command and the host say to each other over pipes: an order, an answer.

A message is its length and its bytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mpflow.plan import Program


class Order(NamedTuple):
    """What the command asks for."""

    program: Program
    timeout: float
    quiet: bool


class Answer(NamedTuple):
    """How a run ended: `end`, when it began and ended (perf_counter seconds), the exit codes
    that the host saw by pid with the time, and the pids that it had to end itself."""

    end: str
    began: float
    ended: float
    exits: dict[int, tuple[int, float]]
    killed: frozenset[int]


def send(descriptor: int, data: bytes) -> None:
    """One message; BrokenPipeError when nobody reads."""
    left = len(data).to_bytes(8, "little") + data
    while left:
        left = left[os.write(descriptor, left) :]


class Reader:
    """The messages that arrive on a descriptor; an interrupted read can be taken up again."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.arrived = bytearray()

    def ready(self, seconds: float) -> bool:
        """Whether something arrives in that time."""
        import select

        return bool(select.select([self.descriptor], [], [], seconds)[0])

    def receive(self) -> bytes:
        """One message; EOFError when the other side is gone."""
        self._wait_for(8)
        length = int.from_bytes(self.arrived[:8], "little")
        self._wait_for(8 + length)
        message = bytes(self.arrived[8 : 8 + length])
        del self.arrived[: 8 + length]
        return message

    def _wait_for(self, count: int) -> None:
        while len(self.arrived) < count:
            part = os.read(self.descriptor, 1 << 20)
            if not part:
                raise EOFError("the other side of the pipe is gone")
            self.arrived += part
