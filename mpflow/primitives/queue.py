"""A queue: any number of processes put, any number get; a feeder thread moves what was put.

CPython: multiprocessing.Queue (queues.py): a pipe of 64 KiB, a lock for readers, one for
writers, a bounded semaphore for the slots, and in each putting process a buffer and a thread.
put returns before anything is in the pipe; get holds the readers' lock while it waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import BLOCK, FROM, INTO, TIMEOUT, TO, VALUE, WHAT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

QUEUE = Argument("queue", "subject", "the queue", required=True)


class Items:
    """A queue in the order of events: no item is got before it was put, each producer's items
    in the order of his puts, and never more in it than it has slots.

    Empty and Full are not judged: an item may still be in a feeder's buffer, and a slot is
    given back late.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.slots: int = options.get("maxsize", 0)
        self.inside: dict[str, deque[object]] = {}

    def allows(self, event: Observation) -> bool:
        if event.status != "ok":
            return True
        if event.action == "put":
            return self.slots <= 0 or self._count() < self.slots
        if event.action == "get":
            return self._holder(event.result) is not None
        return True

    def apply(self, event: Observation) -> None:
        if event.action == "put" and event.status in ("ok", "blocked"):
            self.inside.setdefault(event.process, deque()).append(event.value)
        elif event.action == "get" and event.status == "ok":
            holder = self._holder(event.result)
            if holder is not None:
                self.inside[holder].popleft()

    def observes(self, event: Observation) -> bool:
        return False

    def _count(self) -> int:
        return sum(map(len, self.inside.values()))

    def _holder(self, item: object) -> str | None:
        return next((who for who, items in self.inside.items() if items and items[0] == item), None)


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    if (options["maxsize"] or 0) < 2**31:  # None: already found to be no number
        return []
    return [("maxsize", f"a queue has at most 2147483647 slots, not {options['maxsize']}")]


def _make(options: Mapping[str, Any]) -> dict[str, object]:
    from multiprocessing import Queue

    return {"": Queue(options["maxsize"])}


def _put(queue: Any, value: object, block: bool, timeout: float | None) -> None:
    queue.put(value, block, timeout)


def _get(queue: Any, block: bool, timeout: float | None) -> object:
    return queue.get(block, timeout)


PRIMITIVE = Primitive(
    type="queue",
    summary="Items in the order put, for each producer; a feeder thread carries them.",
    options=(Argument("maxsize", "integer", "slots; 0 or less: no bound", default=0),),
    operations=(
        Operation(
            "put",
            "Put an item; waits for a slot where the queue is bounded.",
            TO,
            (VALUE, BLOCK, TIMEOUT),
            _put,
            effect="start",
            shows="value",
        ),
        Operation(
            "get", "Take the next item, waiting for one.", FROM, (BLOCK, TIMEOUT, INTO), _get
        ),
        Operation(
            "qsize",
            "How many items were put and not got.",
            QUEUE,
            (INTO,),
            lambda queue: queue.qsize(),
        ),
        Operation(
            "empty",
            "Whether nothing is in the pipe just now.",
            QUEUE,
            (INTO,),
            lambda queue: queue.empty(),
        ),
        Operation("full", "Whether no slot is left.", QUEUE, (INTO,), lambda queue: queue.full()),
        Operation("close", "This process will put no more.", WHAT, (), lambda queue: queue.close()),
        Operation(
            "join_thread",
            "Wait until the feeder has moved everything; close first.",
            QUEUE,
            (),
            lambda queue: queue.join_thread(),
        ),
        Operation(
            "cancel_join_thread",
            "Do not wait for the feeder at exit: items may be lost.",
            QUEUE,
            (),
            lambda queue: queue.cancel_join_thread(),
        ),
    ),
    make=_make,
    rule=Items,
    check=_check,
)
