"""Move -> whether it leaves a message in a pipe of which only a part is written.

The body of a long message, and what a pipe has no room for, is written later (_pipes.send). Who
dies before that leaves a part whose rest never comes, and no time limit ends the read of one.
"""

from __future__ import annotations

from mpflow.model.schedule import Taken
from mpflow.model.space import Space

_HEADER = 4  # bytes


def poured(taken: Taken) -> str:
    """The pipe that a move has written to, if it has."""
    if not taken.step.kinds or not isinstance(taken.result, int):
        return ""
    key, _, kind = taken.step.kinds[0].rpartition(":")
    return key if kind in ("send", "pour") else ""


def in_part(space: Space, taken: Taken, before: int, begun: bool) -> bool:
    """Whether more of the message has to be written after this write. `begun`: it is not the first
    of its message."""
    if taken.result:
        return True
    key = poured(taken)
    content, *_ = space.value(taken.state, key)
    if not isinstance(content, bytes):
        _, size, written, _ = content[-1]
        return bool(written < size)
    old = space.value(before, key)
    new = content[len(old[0]) if old else 0 :]
    return not begun and len(new) == _HEADER and any(new)
