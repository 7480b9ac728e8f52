"""The base of the process table: who lives, who is its parent, which signals are under way."""

from __future__ import annotations

from typing import Any

from .bases import Results, World
from .pipes import end_closed


def alive(w: World, p: str) -> bool:
    return bool(w.get(("status", p)) == "run")


def forked_from(w: World, p: str) -> list[str]:
    """Who, by fork, has all that p had open: its children and theirs."""
    found = [c for c in w.get(("processes",)) if w.get(("parent", c)) == p]
    return found + [d for c in found for d in forked_from(w, c)]


def sentinel_ready(w: World, p: str) -> bool:
    if alive(w, p):
        return False
    return not (w.get(("method",)) == "fork" and any(alive(w, d) for d in forked_from(w, p)))


def wait_process(w: World, me: Any, p: str, timed: bool) -> Results:
    """True: it has ended. False (timed only): the time was up."""
    if not timed:
        return [] if alive(w, p) else [(True, w)]
    return [(sentinel_ready(w, p), w)]


def is_process_alive(w: World, me: Any, p: str) -> Results:
    return [(alive(w, p), w)]


def exitcode(w: World, me: Any, p: str) -> Results:
    status = w.get(("status", p))
    return [(int(status[1]) if isinstance(status, tuple) else None, w)]


def send_signal(w: World, me: Any, p: str, number: int) -> Results:
    """A deadly signal decides the exit code at once, whatever follows; not so in a stopped process.

    There it is only noted: seen on Linux, SIGTERM after SIGSTOP strikes if it comes before the
    process has really stopped, and else waits until SIGCONT. SIGKILL waits for nothing.
    """
    if alive(w, p):
        pending = w.get(("pending", p), ())
        if not any(sure for _, sure in pending):
            w.set(("pending", p), (*pending, (number, not w.get(("stop", p)))))
    return [(None, w)]


def deaths(w: World, p: str) -> list[int]:
    """The signals of which p may die now."""
    stopped = w.get(("stop", p)) == "stopped"
    return sorted({n for n, _ in w.get(("pending", p), ()) if n == 9 or not stopped})


def stop_process(w: World, me: Any, p: str) -> Results:
    if alive(w, p) and not w.get(("stop", p)):
        w.set(("stop", p), "stopping")
    return [(None, w)]


def continue_process(w: World, me: Any, p: str) -> Results:
    """What it slept in for want of room is begun again."""
    if w.get(("stop", p)):
        for key in list(w.table.places):
            if key[0] == "asleep":
                w.set(key, tuple(each for each in w.get(key, ()) if each[0] != p) or None)
    w.set(("stop", p), None)
    return [(None, w)]


def die(w: World, me: Any, p: str, code: int) -> Results:
    """All of p's threads, buffers and open ends go; semaphores, pipes and cells stay."""
    w.set(("status", p), ("dead", int(code)))
    for key in list(w.table.places):
        if isinstance(key, tuple) and len(key) > 1 and key[1] == p and key[0] in PRIVATE:
            w.set(key, None)
            if key[0] == "end":
                end_closed(w, key[2], key[3])
    return [(None, w)]


PRIVATE = ("thread", "end", "count", "queue", "pending", "stop")

STEPS = {
    "wait": wait_process,
    "alive": is_process_alive,
    "exitcode": exitcode,
    "kill": send_signal,
    "stop": stop_process,
    "cont": continue_process,
    "die": die,
}
