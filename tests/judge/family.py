"""The verbs on processes."""

from __future__ import annotations

import signal

from .bases import Unsupported
from .doing import Doing, verb
from .library import Steps


def processes(do: Doing) -> Steps:
    return do.program.chosen((yield from do.value("process")))


@verb
def start(do: Doing) -> Steps:
    for p in (yield from processes(do)):
        yield "start", p


@verb
def join(do: Doing) -> Steps:
    names = yield from processes(do)
    timeout = yield from do.timeout()
    for p in names:
        if p in do.program.primitives:
            yield "queue_join", do.program.primitive(p, "joinable_queue").name
        else:
            yield "known", p, "join"
            yield "wait", p, timeout is not None
    if "into" in do.action.arguments:
        ended = True
        for p in names:
            if p in do.program.processes and (yield "alive", p):
                ended = False
        yield from do.into(ended)


def signalled(do: Doing, number: int, what: str = "terminate") -> Steps:
    for p in (yield from processes(do)):
        yield "known", p, what
        yield "kill", p, number


@verb
def terminate(do: Doing) -> Steps:
    yield from signalled(do, 15)


@verb
def kill(do: Doing) -> Steps:
    yield from signalled(do, 9)


DEADLY = (
    "SIGHUP SIGQUIT SIGILL SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGALRM SIGTERM "
    "SIGVTALRM SIGPROF"
)


@verb
def signal_(do: Doing) -> Steps:
    given = yield from do.value("signal")
    if isinstance(given, str) and not given.isdigit():
        given = getattr(signal, given if given.startswith("SIG") else "SIG" + given, 0)
    number = int(given)
    if number not in {getattr(signal, name) for name in DEADLY.split()}:
        raise Unsupported(f"signal {given}")
    yield from signalled(do, number, "signal")


@verb
def suspend(do: Doing) -> Steps:
    for p in (yield from processes(do)):
        yield "known", p, "signal"
        yield "stop", p


@verb
def resume(do: Doing) -> Steps:
    for p in (yield from processes(do)):
        yield "known", p, "signal"
        yield "cont", p


@verb
def crash(do: Doing) -> Steps:
    yield ("crash",)


@verb
def is_alive(do: Doing) -> Steps:
    (p,) = yield from processes(do)
    started = yield "known", p, "alive"
    yield from do.into(bool(started and (yield "alive", p)))


@verb
def exitcode(do: Doing) -> Steps:
    (p,) = yield from processes(do)
    started = yield "known", p, "exitcode"
    yield from do.into((yield "exitcode", p) if started else None)


@verb
def active_children(do: Doing) -> Steps:
    """Each child is asked for itself, in the order of a set."""
    left = yield "children", False
    found = []
    while left:
        p = left[0] if len(left) == 1 else (yield "either", left)
        left = tuple(q for q in left if q != p)
        if (yield "alive", p):
            found.append(do.program.processes[p].shown)
    yield from do.into(sorted(found))
