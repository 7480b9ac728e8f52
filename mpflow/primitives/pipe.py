"""A pipe: two ends; what is sent on one is received on the other, in order.

CPython: multiprocessing.Pipe (connection.py): a socket pair, or with duplex false a pipe whose
first end only receives and whose second only sends. The header and the body of a message are
read apart, so two readers of one end can tear it; end of file needs every copy of the writing
end closed, inherited ones too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import FROM, INTO, TO, VALUE, WHAT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

POLL_TIMEOUT = Argument("timeout", "seconds", "seconds to wait at most; null: for ever", default=0)


class Messages:
    """A pipe in the order of events: what one end received was sent on the other before, and
    each sender's messages come in the order in which he sent them."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        first, second = _ends(options)
        self.other = {first: second, second: first}
        self.under_way: dict[tuple[str, str], deque[object]] = {}

    def allows(self, event: Observation) -> bool:
        if event.action == "recv" and event.status == "ok":
            return self._source(event) is not None
        return True

    def apply(self, event: Observation) -> None:
        if event.action == "send" and event.status in ("ok", "blocked"):
            self.under_way.setdefault((_end(event), event.process), deque()).append(event.value)
        elif event.action == "recv" and event.status == "ok":
            source = self._source(event)
            if source is not None:
                self.under_way[source].popleft()

    def observes(self, event: Observation) -> bool:
        return False

    def _source(self, event: Observation) -> tuple[str, str] | None:
        sent_on = self.other.get(_end(event))
        for source, messages in self.under_way.items():
            if source[0] == sent_on and messages and messages[0] == event.result:
                return source
        return None


def _end(event: Observation) -> str:
    return str(event.on).rpartition(".")[2]


def _ends(options: Mapping[str, Any]) -> tuple[str, str]:
    first, second = options["ends"]
    return first, second


def _make(options: Mapping[str, Any]) -> dict[str, object]:
    from multiprocessing import Pipe

    first, second = _ends(options)
    one, other = Pipe(options["duplex"])
    return {f".{first}": one, f".{second}": other}


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    ends = options["ends"]
    two = isinstance(ends, list) and len(ends) == 2 and ends[0] != ends[1]
    if two and all(isinstance(e, str) and e.isascii() and e.isidentifier() for e in ends):
        return []
    return [("ends", "a pipe has two ends with different names: letters, digits and _")]


def _refuses(verb: str, part: str, options: Mapping[str, Any]) -> str | None:
    """Why an end can never do this: with duplex false the first only receives."""
    if options["duplex"]:
        return None
    first, second = _ends(options)
    if verb == "send" and part == f".{first}":
        return f"with `duplex: false` this end only receives; `{second}` sends"
    if verb in ("recv", "poll") and part == f".{second}":
        return f"with `duplex: false` this end only sends; `{first}` receives"
    return None


def _close(end: Any) -> None:
    end.close()


PRIMITIVE = Primitive(
    type="pipe",
    summary="Two ends; what is sent on one is received on the other, in order.",
    options=(
        Argument("duplex", "boolean", "false: the first end only receives", default=True),
        Argument("ends", "list", "the names of the two ends", default=["conn1", "conn2"]),
    ),
    operations=(
        Operation(
            "send",
            "Send an object; waits while the pipe is full.",
            TO,
            (VALUE,),
            lambda end, value: end.send(value),
            effect="start",
            shows="value",
        ),
        Operation(
            "recv", "Receive an object, waiting for it.", FROM, (INTO,), lambda end: end.recv()
        ),
        Operation(
            "poll",
            "Whether there is something to receive.",
            FROM,
            (POLL_TIMEOUT, INTO),
            lambda end, timeout: end.poll(timeout),
        ),
        Operation("close", "Close this process's copy of the end.", WHAT, (), _close),
    ),
    make=_make,
    parts=lambda options: tuple(f".{end}" for end in _ends(options)),
    rule=Messages,
    check=_check,
    refuses=_refuses,
)
