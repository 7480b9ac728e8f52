"""A simple queue: a pipe with a lock for those who put and one for those who get; no thread.

CPython: multiprocessing.SimpleQueue (queues.py). When put returns, the item is in the pipe: items
come out in the order in which they were put, whoever put them. A put waits while the pipe is full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mpflow.kinds import FROM, INTO, TO, VALUE, WHAT, Operation, Primitive
from mpflow.primitives import _pipes
from mpflow.primitives._producers import ANY, Got, Producers, State, Turn
from mpflow.primitives._queues import EMPTY

if TYPE_CHECKING:
    from mpflow.rule import Observation


class Line:
    """A simple queue in the order of events: first in, first out, and empty when nothing is in."""

    def __init__(self) -> None:
        self.items = Producers(in_line=True)

    def start(self) -> State:
        return self.items.start()

    def after(self, state: State, event: Observation) -> State | None:
        status = event.status
        if status == "error":
            return state
        if event.action == "put":
            return self.items.put(state, event)
        if event.action == "get":
            return (
                self.items.lose(state)
                if status == "blocked"
                else self.items.get(state, event.result)
            )
        if event.action == "empty" and status == "ok":
            return state if bool(event.result) == (not state[0]) else None
        return state

    def certain(self, state: State) -> bool:
        return self.items.certain(state)

    def turns(
        self, seen: Sequence[tuple[State, Observation, State]], place: Callable[[Observation], Any]
    ) -> list[Turn]:
        """Puts that came before others, as what was got tells (rule.Lined)."""
        return self.items.line(
            [
                Got(before, ANY if event.status == "blocked" else event.result, after)
                for before, event, after in seen
                if event.action == "get" and event.status != "error"
            ],
            place,
        )


# The model (queues.py, SimpleQueue)


def _put(on: Any, me: Any, value: object) -> Any:
    _check_open(on, me)
    item = me.number(value)
    yield from _locked(on, "writers", lambda: _pipes.send(on, me, on.key("pipe"), item))


def _get(on: Any, me: Any) -> Any:
    _check_open(on, me)
    item = yield from _locked(on, "readers", lambda: _pipes.receive(on, me, on.key("pipe")))
    return me.value(item)


def _locked(on: Any, lock: str, make: Any) -> Any:
    """What is done with one of the two locks. Nobody sees who has it, where nobody dies with it
    and messages are read and written whole: then it is left out."""
    if on.merged and not on.exact(on.key("pipe")):
        return (yield from make())
    yield on.down(on.key(lock))
    found = yield from make()
    yield on.up(on.key(lock))
    return found


def _putting(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    writers = on.key("writers")
    return f"{writers}:P", f"{writers}:V", _pipes.writing(on, on.key("pipe"))


def _getting(on: Any, process: str, waits: bool) -> tuple[str, ...]:
    readers = on.key("readers")
    return f"{readers}:P", f"{readers}:V", _pipes.reading(on, on.key("pipe"))


def _empty(on: Any, me: Any) -> Any:
    _check_open(on, me)
    return not (yield _pipes.poll(on, on.key("pipe"), 0))


def _close(on: Any, me: Any) -> None:
    me.set(("closed", on.name), True)


def _check_open(on: Any, me: Any) -> None:
    if me.get(("closed", on.name)):
        raise OSError("handle is closed")


def _make(options: object, made: object) -> dict[str, object]:
    from multiprocessing import SimpleQueue

    return {"": SimpleQueue()}


PRIMITIVE = Primitive(
    type="simple_queue",
    summary="Items in the order put, whoever put them; no thread, and no time limits.",
    options=(),
    operations=(
        Operation(
            "put",
            "Put an item; waits while the pipe is full.",
            TO,
            (VALUE,),
            lambda queue, value: queue.put(value),
            shows="value",
            method="put",
            model=_put,
            accesses=_putting,
        ),
        Operation(
            "get",
            "Take the next item, waiting for one.",
            FROM,
            (INTO,),
            lambda queue: queue.get(),
            method="get",
            model=_get,
            accesses=_getting,
        ),
        EMPTY._replace(model=_empty),
        Operation(
            "close",
            "Close this process's ends of the pipe.",
            WHAT,
            (),
            lambda queue: queue.close(),
            method="close",
            model=_close,
            accesses=lambda on, process, waits: (),
        ),
    ),
    make=_make,
    bases=lambda options, merged: {"readers": 1, "writers": 1, "pipe": _pipes.EMPTY},
    rule=lambda options: Line(),
)
