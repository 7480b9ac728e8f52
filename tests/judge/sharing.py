"""The verbs on locks, events, conditions, barriers, queues and pipes."""

from __future__ import annotations

from .bases import Unsupported, V
from .doing import Doing, verb
from .library import Steps
from .transport import reader, writer

# ---- locks ----------------------------------------------------------------------------------


@verb
def acquire(do: Doing) -> Steps:
    lock = do.lock((yield from do.primitive("lock")))
    block, timeout = yield from do.waiting()
    got = yield "acquire", lock, block, timeout
    yield from do.into(bool(got))


@verb
def release(do: Doing) -> Steps:
    yield "release", do.lock((yield from do.primitive("lock")))


@verb
def with_(do: Doing) -> Steps:
    lock = do.lock((yield from do.primitive("lock")))
    yield "holding", lock, "do", do.action.blocks["do"], 0


# ---- event, condition, barrier --------------------------------------------------------------


@verb
def set_(do: Doing) -> Steps:
    yield "event", (yield from do.primitive("event", "event")).name, "set"


@verb
def clear(do: Doing) -> Steps:
    yield "event", (yield from do.primitive("event", "event")).name, "clear"


@verb
def is_set(do: Doing) -> Steps:
    told = yield "event", (yield from do.primitive("event", "event")).name, "is_set"
    yield from do.into(bool(told))


@verb
def wait(do: Doing) -> Steps:
    what = yield from do.primitive("for", "event", "condition", "barrier")
    timeout = yield from do.timeout()
    if what.kind == "event":
        told = yield "event", what.name, "wait", timeout
    elif what.kind == "condition":
        told = yield "condition_wait", do.lock(what), what.name, timeout
    else:
        told = yield "barrier", what.name, "wait", what.options["parties"], timeout
        yield from do.into(int(told))
        return
    yield from do.into(bool(told))


@verb
def notify(do: Doing) -> Steps:
    what = yield from do.primitive("condition", "condition")
    n = yield from do.value("n", 1)
    if type(n) is not int:
        raise Unsupported(f"notify {n!r}")
    yield "condition_notify", do.lock(what), what.name, n


@verb
def notify_all(do: Doing) -> Steps:
    what = yield from do.primitive("condition", "condition")
    yield "condition_notify", do.lock(what), what.name, 2**63 - 1


@verb
def abort(do: Doing) -> Steps:
    yield "barrier", (yield from do.primitive("barrier", "barrier")).name, "abort"


@verb
def reset(do: Doing) -> Steps:
    yield "barrier", (yield from do.primitive("barrier", "barrier")).name, "reset"


# ---- queues ---------------------------------------------------------------------------------

QUEUES = ("queue", "joinable_queue", "simple_queue")


@verb
def put(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    q = yield from do.primitive("to", *QUEUES)
    if q.kind == "simple_queue":
        yield "simple_put", q.name, value, (yield ("version",))
        return
    block, timeout = yield from do.waiting()
    yield "queue_put", q.name, q.kind == "joinable_queue", value, block, timeout


@verb
def get(do: Doing) -> Steps:
    q = yield from do.primitive("from", *QUEUES)
    if q.kind == "simple_queue":
        item = yield "simple_get", q.name
    else:
        block, timeout = yield from do.waiting()
        item = yield "queue_get", q.name, block, timeout
    yield from do.into(item.value)


@verb
def qsize(do: Doing) -> Steps:
    q = yield from do.primitive("queue", "queue", "joinable_queue")
    value = yield "val", q.name + ".slots"
    yield from do.into(q.slots() - value)


@verb
def full(do: Doing) -> Steps:
    q = yield from do.primitive("queue", "queue", "joinable_queue")
    yield from do.into((yield "val", q.name + ".slots") == 0)


@verb
def empty(do: Doing) -> Steps:
    q = yield from do.primitive("queue", *QUEUES)
    yield from do.into(not (yield "poll", reader(q.name), "now"))


@verb
def task_done(do: Doing) -> Steps:
    yield "task_done", (yield from do.primitive("queue", "joinable_queue")).name


@verb
def join_thread(do: Doing) -> Steps:
    yield "join_thread", (yield from do.primitive("queue", "queue", "joinable_queue")).name


@verb
def cancel_join_thread(do: Doing) -> Steps:
    yield "cancel_join_thread", (yield from do.primitive("queue", "queue", "joinable_queue")).name


@verb
def close(do: Doing) -> Steps:
    name = yield from do.value("what")
    end = do.program.end(name)
    if end:
        yield "close", end
    elif name in do.program.processes:
        yield "known", name, "close"
        yield "give_up", name
    else:
        q = do.program.primitive(name, *QUEUES)
        if q.kind == "simple_queue":
            yield "close", reader(q.name)
            yield "close", writer(q.name)
        else:
            yield "close_queue", q.name


# ---- pipes ----------------------------------------------------------------------------------


@verb
def send(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    yield "send", (yield from do.end("to")), value, (yield ("version",))


@verb
def recv(do: Doing) -> Steps:
    item = yield "recv", (yield from do.end("from"))
    yield from do.into(item.value)


@verb
def send_bytes(do: Doing) -> Steps:
    value = yield from do.value("value")
    if not isinstance(value, bytes | str):
        raise Unsupported(f"send_bytes of {value!r}")
    data = value.encode() if isinstance(value, str) else value
    yield "send_bytes", (yield from do.end("to")), data


@verb
def recv_bytes(do: Doing) -> Steps:
    end = yield from do.end("from")
    data = yield "recv_bytes", end, (yield from do.value("maxlength"))
    yield from do.into(data)


@verb
def poll(do: Doing) -> Steps:
    end = yield from do.end("from")
    timeout = yield from do.value("timeout", 0)
    told = yield "poll", end, "wait" if timeout is None else "timed"
    yield from do.into(bool(told))


@verb
def wait_any(do: Doing) -> Steps:
    names = yield from do.value("for")
    timeout = yield from do.timeout()
    wanted = []
    for name in names if isinstance(names, list) else [names]:
        end = do.program.end(name)
        if end:
            yield "check", end, True
        for p in [] if end else do.program.chosen(name):
            if not (yield "known", p, "wait_any"):
                raise Unsupported("wait_any for a process that was not started")
            wanted.append((p, p))
        if end:
            wanted.append((name, end))
    ready = yield "ready", tuple(wanted), timeout is not None
    yield from do.into(list(ready))
