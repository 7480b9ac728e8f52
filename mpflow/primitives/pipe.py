"""A pipe: two ends; what is sent on one is received on the other, in order.

CPython: multiprocessing.Pipe (connection.py): a socket pair, or with duplex false a pipe whose
first end only receives and whose second only sends. The header and the body of a message are
read apart, so two readers of one end can tear it; end of file needs every copy of the writing
end closed, inherited ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow.kinds import FROM, INTO, TO, VALUE, WHAT, Argument, Operation, Primitive
from mpflow.primitives import _pipes
from mpflow.primitives._bytes import BYTES, encoded, raw
from mpflow.primitives._producers import ANY, Got, Producers, State, Turn

if TYPE_CHECKING:
    from mpflow.rule import Observation

POLL_TIMEOUT = Argument("timeout", "seconds", "seconds to wait at most; null: for ever", default=0)

MOST = Argument("maxlength", "integer", "how many bytes at most")
OF = Argument("of", "subject", "of which end", required=True)


class Pending(NamedTuple):
    """What is under way to each end; the ends closed; by which verbs messages have been sent."""

    ways: tuple[State, State]
    closed: frozenset[int] = frozenset()
    sent: frozenset[str] = frozenset()


class Messages:
    """A pipe in the order of events: what one end received was sent on the other before, and
    messages come in the order in which they were sent, whoever sent them.

    A poll tells whether a message is under way: the bytes are in the kernel as soon as send has
    written them, no feeder holds them back. After a close of the other end, poll is not judged:
    it may be true of the end of file as well. (Without any close there is no end of file: the
    process that started the others holds every end.)
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.ends = _ends(options)
        self.lines = Producers(in_line=True), Producers(in_line=True)  # to the first end; second

    def start(self) -> Pending:
        first, second = self.lines
        return Pending((first.start(), second.start()))

    def after(self, state: Pending, event: Observation) -> Pending | None:
        action, status = event.action, event.status
        if status == "error":
            return state
        ways, closed, sent = state
        if _end(event) not in self.ends:
            return None  # no trace of ours names such an end
        end = self.ends.index(_end(event))
        other = 1 - end
        if action in ("send", "send_bytes"):
            item = raw(event.value) if action == "send_bytes" else event.value
            state = state if action in sent else state._replace(sent=sent | {action})
            return _with(state, other, self.lines[other].put(ways[other], event, item))
        if action in ("recv", "recv_bytes"):
            item = _received(state, event)
            if item is ANY:
                return _with(state, end, self.lines[end].lose(ways[end]))
            return _with(state, end, self.lines[end].get(ways[end], item))
        if action == "wait_any":  # it found an end ready: something is there, or end of file
            return state if ways[end][0] or closed else None
        if action == "poll" and status != "blocked" and other not in closed:
            return state if bool(event.result) == (ways[end][0] > 0) else None
        return state._replace(closed=closed | {end}) if action == "close" else state

    def certain(self, state: Pending) -> bool:
        return all(line.certain(way) for line, way in zip(self.lines, state.ways, strict=True))

    def turns(
        self,
        seen: Sequence[tuple[Pending, Observation, Pending]],
        place: Callable[[Observation], Any],
    ) -> Iterator[Turn]:
        """Sends that came before others, as receipts tell (rule.Lined)."""
        for end, line in enumerate(self.lines):
            yield from line.line(
                [
                    Got(before.ways[end], _received(before, event), after.ways[end])
                    for before, event, after in seen
                    if event.action in ("recv", "recv_bytes")
                    and event.status != "error"
                    and _end(event) == self.ends[end]
                ],
                place,
            )


def _received(state: Pending, event: Observation) -> object:
    """What a receipt tells; ANY where nobody knows what it was."""
    if event.status == "blocked" or _sent_otherwise(state.sent, event.action):
        return ANY
    return raw(event.result) if event.action == "recv_bytes" else event.result


def _with(state: Pending, end: int, way: State | None) -> Pending | None:
    if way is None:
        return None
    first, second = state.ways
    return Pending((first, way) if end else (way, second), state.closed, state.sent)


def _sent_otherwise(sent: frozenset[str], action: str) -> bool:
    """Whether a message may have been sent otherwise than it is received: then nobody can say
    whether it is the same."""
    return not sent <= {"send" if action == "recv" else "send_bytes"}


def _end(event: Observation) -> str:
    name = event.result[0] if event.action == "wait_any" else event.on  # type: ignore[index]
    return str(name).rpartition(".")[2]


def _ends(options: Mapping[str, Any]) -> tuple[str, str]:
    first, second = options["ends"]
    return first, second


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
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
    if verb in ("send", "send_bytes") and part == f".{first}":
        return f"with `duplex: false` this end only receives; `{second}` sends"
    if verb in ("recv", "recv_bytes", "poll") and part == f".{second}":
        return f"with `duplex: false` this end only sends; `{first}` receives"
    return None


def _close(end: Any) -> None:
    end.close()


# The model (connection.py). Each way has a component; each end one with who holds it open


def _send(on: Any, me: Any, value: object) -> Any:
    _check_open(on, me)
    if _refuses("send", on.part, on.options):
        raise OSError("connection is read-only")
    yield from _sending(on, me, me.number(value))


def _send_bytes(on: Any, me: Any, value: Any) -> Any:
    _check_open(on, me)
    if _refuses("send", on.part, on.options):
        raise OSError("connection is read-only")
    yield from _sending(on, me, me.raw(bytes(memoryview(encoded(value)))))


def _sending(on: Any, me: Any, item: int) -> Any:
    other = _other(on)
    yield from _pipes.send(on, me, on.way(other), item, on.holders(other), _back(on, on.part))


def _recv(on: Any, me: Any) -> Any:
    _check_readable(on, me)
    item = yield from _receiving(on, me, None, plain=True)
    return me.received(item)


def _recv_bytes(on: Any, me: Any, most: int | None) -> Any:
    _check_readable(on, me)
    if most is not None and most < 0:
        raise ValueError("negative maxlength")
    item = yield from _receiving(on, me, most, plain=False)
    if item is None:
        yield from _bad_length(on, me)
    return me.body(item)


def _receiving(on: Any, me: Any, most: int | None, plain: bool) -> Any:
    other = _other(on)
    back = _back(on, other)
    return _pipes.receive(on, me, on.way(on.part), on.holders(other), back, most, plain)


def _back(on: Any, end: str) -> str | None:
    """What lies at an end, where both may receive."""
    return on.way(end) if on.options["duplex"] else None


def _bad_length(on: Any, me: Any) -> Any:
    """Who can also write keeps the end, but may read no more."""
    if on.options["duplex"]:
        me.set("closed", me.get("closed", frozenset()) | {(on.name, f"{on.part}~deaf")})
    else:
        yield from _model_close(on, me)
    raise OSError("bad message length")


def _fileno(on: Any, me: Any) -> Any:
    _check_open(on, me)
    if me.keeps:
        hint = "leave `into` away, and it can be checked"
        raise me.uncheckable("which number a descriptor has is not part of the model", hint)


def _poll(on: Any, me: Any, timeout: float | None) -> Any:
    _check_readable(on, me)
    return (yield _pipes.poll(on, on.way(on.part), timeout, on.holders(_other(on))))


def _model_close(on: Any, me: Any) -> Any:
    if (on.name, on.part) in me.get("closed", frozenset()):
        return
    me.set("closed", me.get("closed", frozenset()) | {(on.name, on.part)})
    key = on.holders(on.part)
    yield on.step((key,), (f"{key}:drop",), lambda held: [(None, (held - {me.name},))])


def _check_open(on: Any, me: Any) -> None:
    if (on.name, on.part) in me.get("closed", frozenset()):
        raise OSError("handle is closed")


def _check_readable(on: Any, me: Any) -> None:
    _check_open(on, me)
    deaf = (on.name, f"{on.part}~deaf") in me.get("closed", frozenset())
    if deaf or _refuses("recv", on.part, on.options):
        raise OSError("connection is write-only")


# What each does to what


def _sends(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    other = _other(on)
    return _pipes.sending(on, on.way(other), on.holders(other), _back(on, on.part))


def _receives(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    other = _other(on)
    return (
        *_pipes.receiving(on, on.way(on.part), on.holders(other), _back(on, other)),
        f"{on.holders(on.part)}:drop",
    )


def _polls(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    way, holders = on.way(on.part), on.holders(_other(on))
    return f"{way}:wait", f"{holders}:wait", f"{way}:poll", f"{holders}:r"


def _other(on: Any) -> str:
    first, second = _ends(on.options)
    return f".{first if on.part == f'.{second}' else second}"


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
            shows="value",
            method="send",
            model=_send,
            accesses=_sends,
        ),
        Operation(
            "recv",
            "Receive an object, waiting for it.",
            FROM,
            (INTO,),
            lambda end: end.recv(),
            method="recv",
            model=_recv,
            accesses=_receives,
        ),
        Operation(
            "send_bytes",
            "Send bytes as they are; waits while the pipe is full.",
            TO,
            (BYTES,),
            lambda end, value: end.send_bytes(encoded(value)),
            shows="value",
            code="send_bytes(value)",
            model=_send_bytes,
            accesses=_sends,
        ),
        Operation(
            "recv_bytes",
            "Receive a message as bytes; one that is too long is an error and closes the end.",
            FROM,
            (MOST, INTO),
            lambda end, maxlength: end.recv_bytes(maxlength),
            code="recv_bytes() | recv_bytes_into(buf)",
            model=_recv_bytes,
            accesses=_receives,
        ),
        Operation(
            "fileno",
            "The number of its descriptor in this process.",
            OF,
            (INTO,),
            lambda end: end.fileno(),
            model=_fileno,
            accesses=lambda on, process, waits: (),
        ),
        Operation(
            "poll",
            "Whether there is something to receive.",
            FROM,
            (POLL_TIMEOUT, INTO),
            lambda end, timeout: end.poll(timeout),
            boolean=True,
            method="poll",
            model=_poll,
            accesses=_polls,
        ),
        Operation(
            "close",
            "Close this process's copy of the end.",
            WHAT,
            (),
            _close,
            method="close",
            model=_model_close,
            accesses=lambda on, process, waits: (f"{on.holders(on.part)}:drop",),
        ),
    ),
    make=_make,
    bases=lambda options, merged: {
        f"{part}~way": _pipes.EMPTY for part in (f".{end}" for end in _ends(options))
    },
    ends=True,
    parts=lambda options: tuple(f".{end}" for end in _ends(options)),
    rule=Messages,
    check=_check,
    refuses=_refuses,
)
