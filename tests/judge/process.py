"""What happens inside of a process: its feeders' buffers, its children, how it starts and ends."""

from __future__ import annotations

from typing import Any, NamedTuple

from .bases import Leave, Left, Results, Unsupported, V, World, error
from .pipes import end_closed
from .table import alive
from .transport import End

# ---- a queue, as its process sees it --------------------------------------------------------


class Queue(NamedTuple):
    closed: bool = False
    cancelled: bool = False
    feeder: str = ""  # "", "runs" or "ended"
    buffer: tuple[Any, ...] = ()
    held: bool = False  # notempty, by a put of a joinable queue


def queue_of(w: World, me: Any, q: str) -> Queue:
    return Queue(*(w.get(("queue", me[0], q)) or Queue()))


def keep(w: World, me: Any, q: str, new: Queue) -> Results:
    w.set(("queue", me[0], q), None if new == Queue() else tuple(new))
    return [(None, w)]


def queue_is_closed(w: World, me: Any, q: str) -> Results:
    return [(queue_of(w, me, q).closed, w)]


def notempty(w: World, me: Any, q: str, held: int) -> Results:
    return keep(w, me, q, queue_of(w, me, q)._replace(held=bool(held)))


def append(w: World, me: Any, q: str, value: V) -> Results:
    queue = queue_of(w, me, q)
    if not queue.feeder:
        if w.get(("end", me[0], q + ".pipe", 1)) is None:
            raise Unsupported("a put on a queue whose descriptors the parent had closed")
        w.set(("thread", me[0], q), (("feeder", (q, w.get(("version",)), False), ()),))
        queue = queue._replace(feeder="runs")
    return keep(w, me, q, queue._replace(buffer=(*queue.buffer, value)))


def take(w: World, me: Any, q: str, inside: bool) -> Results:
    """The feeder's popleft: inside its inner loop it needs no lock for that."""
    queue = queue_of(w, me, q)
    if not queue.buffer:
        return [("nothing", w)] if inside and w.get(("joinable", q)) else []
    if queue.held and not inside:
        return []
    keep(w, me, q, queue._replace(buffer=queue.buffer[1:]))
    return [(queue.buffer[0], w)]


def feeder_ends(w: World, me: Any, q: str, *ends: End) -> Results:
    for end in ends:
        w.set(("end", me[0], *end), None)
        end_closed(w, *end)
    keep(w, me, q, queue_of(w, me, q)._replace(feeder="ended"))
    w.set(("thread", me[0], q), None)
    return [(None, w)]


def close_queue(w: World, me: Any, q: str) -> Results:
    queue = queue_of(w, me, q)
    if queue.feeder and not queue.closed:
        queue = queue._replace(buffer=(*queue.buffer, "end"))
    return keep(w, me, q, queue._replace(closed=True))


def cancel_join_thread(w: World, me: Any, q: str) -> Results:
    return keep(w, me, q, queue_of(w, me, q)._replace(cancelled=True))


def fed(w: World, me: Any, q: str) -> Results:
    return [] if queue_of(w, me, q).feeder == "runs" else [(None, w)]


def join_thread(w: World, me: Any, q: str) -> Results:
    queue = queue_of(w, me, q)
    if not queue.closed:
        return [(Left(error("AssertionError", "Queue not closed").what), w)]
    return [(None, w)] if queue.cancelled else fed(w, me, q)


def sentinels(w: World, me: Any) -> Results:
    for q in feeders(w, me, False)[0][0]:
        queue = queue_of(w, me, q)
        if not queue.closed:
            keep(w, me, q, queue._replace(buffer=(*queue.buffer, "end")))
    return [(None, w)]


def feeders(w: World, me: Any, to_join: bool) -> Results:
    """The process's queues with a feeder, or only those whose exit waits for it."""
    found = [q for q in w.get(("queues",)) if queue_of(w, me, q).feeder]
    if to_join:
        found = [q for q in found if not queue_of(w, me, q).cancelled]
    return [(tuple(found), w)]


# ---- what a process holds -------------------------------------------------------------------


def count(w: World, me: Any, sem: str) -> Results:
    return [(int(w.get(("count", me[0], sem), 0)), w)]


def counted(w: World, me: Any, sem: str, change: int) -> Results:
    if sem in w.get(("counts",)):
        w.set(("count", me[0], sem), (w.get(("count", me[0], sem), 0) + change) or None)
    return [(None, w)]


# ---- its children ---------------------------------------------------------------------------


def children(w: World, me: Any, daemonic: bool) -> Results:
    mine = [p for p in w.get(("processes",)) if w.get(("parent", p)) == me[0]]
    if daemonic:
        mine = [p for p in mine if p in w.get(("daemons",))]
    return [(tuple(mine), w)]


def start(w: World, me: Any, p: str) -> Results:
    wrong = start_refused(w, me, p)
    if wrong:
        return [(Left(wrong.what), w)]
    w.set(("status", p), "run")
    w.set(("parent", p), me[0])
    w.set(("thread", p, ""), (("run", (p,), ()),))
    for key in list(w.table.places):
        if key[0] == "end" and key[1] == me[0]:
            _, _, pipe, k = key
            state = w.get(key)
            if w.get(("method",)) == "fork" or pipe in w.get(("queue_pipes",)):
                if state is None and w.get(("method",)) != "fork":
                    raise Unsupported("start by spawn after a queue was closed")
                w.set(("end", p, pipe, k), state)
            elif (pipe, k) in dict(w.get(("named",)))[p]:
                if state != "open":
                    raise Unsupported("start by spawn after one of the child's ends was closed")
                w.set(("end", p, pipe, k), state)
    return [(None, w)]


def start_refused(w: World, me: Any, p: str) -> Leave | None:
    if w.get(("given up", p)):
        return error("ValueError", "process object is closed")
    if w.get(("status", p)) is not None:
        if w.get(("parent", p)) != me[0]:
            raise Unsupported("start of a process that another one has started")
        return error("AssertionError", "cannot start a process twice")
    if me[0] in w.get(("daemons",)):
        return error("AssertionError", "daemonic processes are not allowed to have children")
    return None


def known(w: World, me: Any, p: str, verb: str) -> Results:
    """May `me` do this to p at all? What Process's methods look at before anything else.

    main has made an object for each declared process, which knows nothing of it if another process
    makes one for itself and starts that; to all others, what they did not start is no child.
    """
    if w.get(("given up", p)):
        return [(Left(error("ValueError", "process object is closed").what), w)]
    started = w.get(("parent", p)) == me[0]
    wrong = None
    if verb in ("alive", "exitcode") and p == me[0]:
        raise Unsupported("a process that asks for itself")
    if not started and me[0] != "main":
        if verb == "join":
            wrong = error("AssertionError", "can only join a child process")
        elif verb == "alive":
            wrong = error("AssertionError", "can only test a child process")
        else:
            raise Unsupported(f"{verb} of another's child")
    elif not started:
        if verb == "join":
            wrong = error("AssertionError", "can only join a started process")
        elif verb == "terminate":
            wrong = error("AttributeError", "'NoneType' object has no attribute 'terminate'")
        elif verb not in ("alive", "exitcode"):
            raise Unsupported(f"{verb} of a process that was not started")
    return [(Left(wrong.what) if wrong else started, w)]


def give_up(w: World, me: Any, p: str) -> Results:
    """Process.close"""
    if w.get(("given up", p)):
        return [(None, w)]
    if alive(w, p):
        message = (
            "Cannot close a process while it is still running. "
            "You should first call join() or terminate()."
        )
        return [(Left(error("ValueError", message).what), w)]
    w.set(("given up", p), True)
    return [(None, w)]


def either(w: World, me: Any, choices: tuple[Any, ...]) -> Results:
    return [(choice, w.fork()) for choice in choices]


def pause(w: World, me: Any) -> Results:
    return [(None, w)]


STEPS = {
    "append": append,
    "take": take,
    "feeder_ends": feeder_ends,
    "close_queue": close_queue,
    "join_thread": join_thread,
    "fed": fed,
    "sentinels": sentinels,
    "start": start,
    "give_up": give_up,
    "either": either,
    "pause": pause,
}

OWN = {
    "queue_is_closed": queue_is_closed,
    "cancel_join_thread": cancel_join_thread,
    "notempty": notempty,
    "feeders": feeders,
    "count": count,
    "counted": counted,
    "children": children,
    "known": known,
}
