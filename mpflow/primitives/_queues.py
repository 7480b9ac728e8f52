"""What a queue and a joinable one share: their options, what is done to them, its order.

CPython: multiprocessing.Queue (queues.py): a pipe of 64 KiB, a lock for readers, one for writers,
a bounded semaphore for the slots, and in each putting process a buffer and a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.exceptions import named
from mpflow.kinds import BLOCK, FROM, INTO, QUEUE, TIMEOUT, TO, VALUE, WHAT, Argument, Operation
from mpflow.primitives import _pipes as on_pipe
from mpflow.primitives._locking import MOST
from mpflow.primitives._producers import Producers, State

if TYPE_CHECKING:
    from mpflow.rule import Observation

SENTINEL, ENDED = "sentinel", ("ended",)  # in a buffer: what ends its thread; it has ended

OPTIONS = (Argument("maxsize", "integer", "slots; 0 or less: no bound", default=0),)


class Items:
    """A queue in the order of events: no item is got before it was put, each producer's items
    in the order of his puts, and never more in it than it has slots.

    Empty, empty() and qsize() are not judged: an item may still be in a feeder's buffer. Nor is
    Full where there is a bound: a slot is given back late.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.slots: int = options.get("maxsize", 0)
        # A feeder pickles what was put some time later: as it is then, if Python code changes it.
        self.producers = Producers(drops=True, changes=options.get("code", False))

    def start(self) -> State:
        return self.producers.start()

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


# The model (queues.py): slots, a lock for readers and one for writers, a pipe; and in each process
# that puts a buffer, which its feeder thread empties


def bases(options: Mapping[str, Any]) -> dict[str, object]:
    slots = options["maxsize"] if options["maxsize"] > 0 else MOST
    return {"slots": slots, "readers": 1, "writers": 1, "pipe": on_pipe.EMPTY}


def put(on: Any, me: Any, value: object, block: bool, timeout: float | None) -> Any:
    """Queue.put: a slot, and into the buffer of this process."""
    _check_open(on, me)
    if not (yield on.down(on.key("slots"), block, timeout)):
        raise named("Full")
    yield append(on, me, me.number(value))


def append(on: Any, me: Any, item: Any) -> Any:
    """The step that hands an item to the feeder thread, which is started with the first."""
    key = on.own("buffer", me.name)
    return on.step((key,), (f"{key}:append",), lambda items: [(None, ((*(items or ()), item),))])


def get(on: Any, me: Any, block: bool, timeout: float | None) -> Any:
    """Queue.get: the readers' lock is held while it waits."""
    _check_open(on, me)
    readers, pipe, slots = on.key("readers"), on.key("pipe"), on.key("slots")
    if block and timeout is None:
        yield on.down(readers)
        item = yield from on_pipe.receive(on, pipe)
        yield on.up(readers)
        yield on.up(slots)
        return me.value(item)
    if not (yield on.down(readers, block, timeout)):
        raise named("Empty")
    if not (yield on_pipe.poll(on, pipe, timeout if block else 0)):
        yield on.up(readers)
        raise named("Empty")
    item = yield from on_pipe.receive(on, pipe)
    yield on.up(slots)
    yield on.up(readers)
    return me.value(item)


def getting(on: Any, waits: bool) -> tuple[str, ...]:
    """What get does to what."""
    readers, pipe = on.key("readers"), on.key("pipe")
    timed = () if waits else (f"{readers}:T", f"{pipe}:poll")
    return (f"{readers}:P", f"{readers}:V", f"{pipe}:recv", f"{on.key('slots')}:V", *timed)


def feed(on: Any, me: Any) -> Any:
    """Queue._feed, once round: one item on its way from the buffer into the pipe. True at the
    sentinel: the thread ends."""
    buffer = on.own("buffer", me.name)

    def pop(items: Any) -> Any:
        if not items or items == ENDED:
            return []
        return [(items[0], (ENDED if items[0] == SENTINEL else items[1:],))]

    item = yield on.step((buffer,), (f"{buffer}:pop",), pop)
    if item == SENTINEL:
        return True
    yield on.down(on.key("writers"))
    yield from on_pipe.send(on, on.key("pipe"), item, me.size(item))
    yield on.up(on.key("writers"))
    return False


def qsize(on: Any, me: Any) -> Any:
    slots = on.options["maxsize"] if on.options["maxsize"] > 0 else MOST
    return slots - (yield on.count(on.key("slots")))


def empty(on: Any, me: Any) -> Any:
    return not (yield on_pipe.poll(on, on.key("pipe"), 0))


def full(on: Any, me: Any) -> Any:
    return (yield on.count(on.key("slots"))) == 0


def close(on: Any, me: Any) -> Any:
    """Queue.close: the feeder thread, if there is one, is told to end."""
    if not me.get(("closed", on.name)):
        me.set(("closed", on.name), True)
        yield from tell_feeder(on, me)


def tell_feeder(on: Any, me: Any) -> Any:
    """Behind all that is in the buffer comes the sentinel, where there is a thread."""
    if on.fed_by(me.name):
        key = on.own("buffer", me.name)

        def add(items: Any) -> Any:
            silent = items is None or items == ENDED or SENTINEL in items
            return [(None, (items if silent else (*items, SENTINEL),))]

        yield on.step((key,), (f"{key}:append",), add)


def join_thread(on: Any, me: Any) -> Any:
    if not me.get(("closed", on.name)):
        raise AssertionError(f"Queue {on.name} not closed")
    yield from join_feeder(on, me)


def join_feeder(on: Any, me: Any) -> Any:
    """Wait until the feeder thread has ended, unless nobody is to wait for it."""
    if on.fed_by(me.name) and not me.get(("cancelled", on.name)):
        key = on.own("buffer", me.name)
        done = (None, ENDED)
        ended = lambda items: [(None, (items,))] if items in done else []  # noqa: E731
        yield on.step((key,), (f"{key}:ended",), ended)


def cancel_join_thread(on: Any, me: Any) -> Any:
    me.set(("cancelled", on.name), True)


def _check_open(on: Any, me: Any) -> None:
    if me.get(("closed", on.name)):
        raise ValueError(f"Queue {on.name} is closed")


OPERATIONS = (
    Operation(
        "put",
        "Put an item; waits for a slot where the queue is bounded.",
        TO,
        (VALUE, BLOCK, TIMEOUT),
        _put,
        shows="value",
        method="put",
        model=put,
        accesses=lambda on, process, waits: (
            f"{on.key('slots')}:P",
            f"{on.own('buffer', process)}:append",
            *(() if waits else (f"{on.key('slots')}:T",)),
        ),
    ),
    Operation(
        "get",
        "Take the next item, waiting for one.",
        FROM,
        (BLOCK, TIMEOUT, INTO),
        _get,
        method="get",
        model=get,
        accesses=lambda on, process, waits: getting(on, waits),
    ),
    Operation(
        "qsize",
        "How many items were put and not got.",
        QUEUE,
        (INTO,),
        lambda queue: queue.qsize(),
        method="qsize",
        model=qsize,
        accesses=lambda on, process, waits: (f"{on.key('slots')}:R",),
    ),
    Operation(
        "empty",
        "Whether nothing is in the pipe just now.",
        QUEUE,
        (INTO,),
        lambda queue: queue.empty(),
        boolean=True,
        method="empty",
        model=empty,
        accesses=lambda on, process, waits: (f"{on.key('pipe')}:poll",),
    ),
    Operation(
        "full",
        "Whether no slot is left.",
        QUEUE,
        (INTO,),
        lambda queue: queue.full(),
        boolean=True,
        method="full",
        model=full,
        accesses=lambda on, process, waits: (f"{on.key('slots')}:R",),
    ),
    Operation(
        "close",
        "This process will put no more.",
        WHAT,
        (),
        lambda queue: queue.close(),
        method="close",
        model=close,
        accesses=lambda on, process, waits: (f"{on.own('buffer', process)}:append",),
    ),
    Operation(
        "join_thread",
        "Wait until the feeder has moved everything; close first.",
        QUEUE,
        (),
        lambda queue: queue.join_thread(),
        method="join_thread",
        model=join_thread,
        accesses=lambda on, process, waits: (f"{on.own('buffer', process)}:ended",),
    ),
    Operation(
        "cancel_join_thread",
        "Do not wait for the feeder at exit: items may be lost.",
        QUEUE,
        (),
        lambda queue: queue.cancel_join_thread(),
        method="cancel_join_thread",
        model=cancel_join_thread,
        accesses=lambda on, process, waits: (),
    ),
)
