"""What a queue and a joinable one share: their options, what is done to them, its order.

CPython: multiprocessing.Queue (queues.py): a pipe of 64 KiB, a lock for readers, one for writers,
a bounded semaphore for the slots, and in each putting process a buffer and a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import BLOCK, FROM, INTO, QUEUE, TIMEOUT, TO, VALUE, WHAT, Argument, Operation
from mpflow.primitives import _feeding
from mpflow.primitives._producers import Producers, State

if TYPE_CHECKING:
    from mpflow.rule import Observation

OPTIONS = (Argument("maxsize", "integer", "slots; 0 or less: no bound", default=0),)


class Items:
    """A queue in the order of events: no item is got before it was put, each producer's items
    in the order of his puts, and never more in it than it has slots.

    Empty, empty() and qsize() are not judged: an item may still be in a feeder's buffer. Nor is
    Full where there is a bound: a slot is given back late.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.slots: int = options.get("maxsize", 0)
        self.code: bool = options.get("code", False)
        self.producers = Producers(drops=True)

    def start(self) -> State:
        return self.producers.start()

    def relax(self) -> bool:
        """A feeder pickles what was put some time later: as it is then, if Python code changes
        it."""
        before, self.producers.changes = self.producers.changes, self.code
        return self.code and not before

    def after(self, state: State, event: Observation) -> State | None:
        status = event.status
        if event.action == "put":
            if status == "error":
                return None if self.slots <= 0 and _full(event) else state
            found: State | None = state
            while found is not None and 0 < self.slots <= found[0]:
                found = self.producers.drop(found)
            return None if found is None else self.producers.put(found, event)
        if event.action == "get":
            if status == "ok":
                return self.producers.get(state, event.result)
            return self.producers.lose(state) if status == "blocked" else state
        return state


def _full(event: Observation) -> bool:
    return event.error is not None and event.error[0] == "Full"


def check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    if (options["maxsize"] or 0) < 2**31:  # None: already found to be no number
        return []
    return [("maxsize", f"a queue has at most 2147483647 slots, not {options['maxsize']}")]


def _put(queue: Any, value: object, block: bool, timeout: float | None) -> None:
    queue.put(value, block, timeout)


def _get(queue: Any, block: bool, timeout: float | None) -> object:
    return queue.get(block, timeout)


EMPTY = Operation(
    "empty",
    "Whether nothing is in the pipe just now.",
    QUEUE,
    (INTO,),
    lambda queue: queue.empty(),
    boolean=True,
    method="empty",
    model=_feeding.empty,
    accesses=lambda on, process, waits: (
        f"{on.key('pipe')}:poll",
        f"{on.own('buffer', process)}:asks",
    ),
)

OPERATIONS = (
    Operation(
        "put",
        "Put an item; waits for a slot where the queue is bounded.",
        TO,
        (VALUE, BLOCK, TIMEOUT),
        _put,
        shows="value",
        method="put",
        model=_feeding.put,
        accesses=lambda on, process, waits: (
            *_feeding.taking_slot(on, waits),
            f"{on.own('buffer', process)}:append",
        ),
    ),
    Operation(
        "get",
        "Take the next item, waiting for one.",
        FROM,
        (BLOCK, TIMEOUT, INTO),
        _get,
        method="get",
        model=_feeding.get,
        accesses=lambda on, process, waits: _feeding.getting(on, waits),
    ),
    Operation(
        "qsize",
        "How many items were put and not got.",
        QUEUE,
        (INTO,),
        lambda queue: queue.qsize(),
        method="qsize",
        model=_feeding.qsize,
        accesses=lambda on, process, waits: (f"{on.key('slots')}:R",),
    ),
    EMPTY,
    Operation(
        "full",
        "Whether no slot is left.",
        QUEUE,
        (INTO,),
        lambda queue: queue.full(),
        boolean=True,
        method="full",
        model=_feeding.full,
        accesses=lambda on, process, waits: (f"{on.key('slots')}:R",),
    ),
    Operation(
        "close",
        "This process will put no more.",
        WHAT,
        (),
        lambda queue: queue.close(),
        method="close",
        model=_feeding.close,
        accesses=lambda on, process, waits: (f"{on.own('buffer', process)}:append",),
    ),
    Operation(
        "join_thread",
        "Wait until the feeder has moved everything; close first.",
        QUEUE,
        (),
        lambda queue: queue.join_thread(),
        method="join_thread",
        model=_feeding.join_thread,
        accesses=lambda on, process, waits: (f"{on.own('buffer', process)}:ended",),
    ),
    Operation(
        "cancel_join_thread",
        "Do not wait for the feeder at exit: items may be lost.",
        QUEUE,
        (),
        lambda queue: queue.cancel_join_thread(),
        method="cancel_join_thread",
        model=_feeding.cancel_join_thread,
        accesses=lambda on, process, waits: (),
    ),
)
