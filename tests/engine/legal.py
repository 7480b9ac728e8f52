"""A slow and obvious judge of traces, sharing no code with the engine: what must never fail.

In: a trace. Out: the first event that is impossible where it stands, in words, or None.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from mpflow.trace import Trace


def first_fault(trace: Trace, permits: dict[str, int]) -> str | None:
    """`permits` has how often each lock and semaphore can be acquired at the start."""
    free = dict(permits)
    put: defaultdict[str, Counter[str]] = defaultdict(Counter)
    flags: set[str] = set()
    life: dict[str, str] = {"main": "started"}
    moment = 0.0
    for number, event in enumerate(trace.events, 1):
        where = f"event {number}: {event.process} {event.action} {event.on}"
        on = str(event.on)
        if event.seq != number or event.t < moment or not event.began <= event.t:
            return f"{where}: out of sequence"
        moment = event.t
        if event.action == "begin" and life.get(event.process) != "started":
            return f"{where}: begins before it is started"
        if event.action != "begin" and life.get(event.process) != "begun":
            return f"{where}: does something while it is {life.get(event.process)}"
        if event.status not in ("ok", "timeout") and event.action != "end":
            continue
        if event.action == "start":
            life[on] = "started"
        elif event.action == "begin":
            life[event.process] = "begun"
        elif event.action == "end":
            life[event.process] = "ended"
        elif event.action == "join" and event.result and life.get(on) != "ended":
            return f"{where}: joined before its end"
        elif event.action == "acquire" and event.result:
            free[on] -= 1
            if free[on] < 0:
                return f"{where}: nothing is free"
        elif event.action == "acquire" and free[on] > 0:
            return f"{where}: fails although {free[on]} are free"
        elif event.action == "release":
            free[on] += 1
            if free[on] > permits[on]:
                return f"{where}: nobody had it"
        elif event.action in ("put", "send"):
            put[on.partition(".")[0]][repr(event.value)] += 1
        elif event.action in ("get", "recv"):
            items = put[on.partition(".")[0]]
            items[repr(event.result)] -= 1
            if items[repr(event.result)] < 0:
                return f"{where}: {event.result!r} was not put before"
        elif event.action == "set":
            flags.add(on)
        elif event.action == "clear":
            flags.discard(on)
        elif event.action in ("wait", "is_set") and event.result != (on in flags):
            return f"{where}: the flag is {on in flags}"
    return None
