"""What each verb of the language does, as calls of the library (language.md, 4).

Like the functions of library.py these are run anew for each step; so what they look up in the
process's variables they ask for ("arg") and are told once.
"""

from __future__ import annotations

import builtins
import ctypes
import multiprocessing
import pickle
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.sharedctypes import typecode_to_type
from typing import Any

from .bases import Leave, Unsupported, V, error
from .library import Lock, Steps, reader, writer
from .program import SEMLOCKS, Action, Primitive, Program

VERBS: dict[str, Callable[..., Steps]] = {}


def verb(function: Callable[..., Steps]) -> Callable[..., Steps]:
    VERBS[function.__name__.strip("_")] = function
    return function


class Doing:
    """An action about to be done: its arguments, asked for one by one."""

    def __init__(self, program: Program, block: int, pc: int) -> None:
        self.program = program
        self.block = block
        self.pc = pc
        self.action: Action = program.blocks[block][pc]

    def value(self, name: str, default: Any = None) -> Steps:
        if name not in self.action.arguments:
            return default
        return (yield "arg", self.block, self.pc, name).value

    def into(self, value: Any) -> Steps:
        name = yield from self.value("into")
        if name is not None:
            yield "assign", name, V(value)

    def primitive(self, argument: str, *kinds: str) -> Steps:
        return self.program.primitive((yield from self.value(argument)), *kinds)

    def end(self, argument: str) -> Steps:
        name = yield from self.value(argument)
        end = self.program.end(name)
        if end is None:
            raise Unsupported(f"no pipe end: {name!r}")
        return end

    def lock(self, primitive: Primitive) -> Lock:
        kind, name, options = primitive
        if kind in SEMLOCKS:
            maximum = 1 if kind in ("lock", "rlock") else 0
            if kind == "bounded_semaphore":
                maximum = options.get("value", 1)
            elif kind == "semaphore" and options.get("value", 1) < 2**30:
                return ("semaphore", name, 2**31 - 1)
            return (kind, name, maximum)
        if kind == "condition":
            if "lock" in options:
                return self.lock(self.program.primitive(options["lock"], "lock", "rlock"))
            return ("rlock", name + ".lock", 1)
        if kind in ("value", "array"):
            how = options.get("lock", True)
            if isinstance(how, str):
                return self.lock(self.program.primitive(how, "lock", "rlock"))
            if how:
                return ("rlock", name + ".lock", 1)
        raise Unsupported(f"{name} as a lock")

    def timeout(self) -> Steps:
        value = yield from self.value("timeout")
        if value is not None and not (isinstance(value, int | float) and value < 1e9):
            raise Unsupported(f"a timeout of {value!r}")
        return value

    def waiting(self) -> Steps:
        """block and timeout; a block of false makes a timeout ignored."""
        block = yield from self.value("block", True)
        timeout = yield from self.timeout()
        return bool(block), timeout if block else None


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


def slots(q: Primitive) -> int:
    maxsize = q.options.get("maxsize", 0)
    return maxsize if maxsize > 0 else 2**31 - 1


@verb
def qsize(do: Doing) -> Steps:
    q = yield from do.primitive("queue", "queue", "joinable_queue")
    value = yield "val", q.name + ".slots"
    yield from do.into(slots(q) - value)


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


# ---- memory ---------------------------------------------------------------------------------

MEMORY = ("value", "array", "manager_value", "manager_list", "manager_dict", "shared_memory")


@verb
def load(do: Doing) -> Steps:
    what = yield from do.primitive("from", *MEMORY)
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    if what.kind == "shared_memory":
        start = at.value if at else 0
        size = yield from do.value("size")
        request = ("manager", what.name, "bytes", V((start, size)))
    elif what.kind.startswith("manager"):
        request = ("manager", what.name, "load", at)
    else:
        request = ("cell_of", what.name, what.options.get("typecode", "i"), at, None)
    if what.kind in ("value", "array") and what.options.get("lock", True) is not False:
        request = ("holding", do.lock(what), *request)
    yield from do.into((yield request).value)


@verb
def store(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    what = yield from do.primitive("to", *MEMORY)
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    if what.kind == "shared_memory":
        request = ("manager", what.name, "overwrite", V((at.value if at else 0, value.value)))
    elif what.kind.startswith("manager"):
        request = ("manager", what.name, "store", V((at and at.value, value.value)), at is None)
    else:
        request = ("cell_of", what.name, what.options.get("typecode", "i"), at, value)
    if what.kind in ("value", "array") and what.options.get("lock", True) is not False:
        request = ("holding", do.lock(what), *request)
    yield request


def cell_of(name: str, typecode: str, at: V | None, new: V | None) -> Steps:
    """One access to a ctypes object, which checks and converts as ctypes does."""
    if typecode not in typecode_to_type:
        raise Unsupported(f"typecode {typecode}")
    c_type = typecode_to_type[typecode]
    here = name if at is None else f"{name}:{at.key}"
    if at is not None:
        size = yield "length", name
        if not isinstance(at.value, int):
            raise Unsupported("an index that is no number")
        if not -size <= at.value < size:
            raise error("IndexError", "invalid index")
        here = f"{name}:{at.value % size}"
    if new is None:
        return (yield "ld", here)
    yield "st", here, c_value(c_type, new.value)
    return None


def c_value(c_type: Any, value: Any) -> V:
    try:
        return V(c_type(value).value)
    except (TypeError, ValueError, OverflowError) as caught:
        raise error(type(caught).__name__, str(caught)) from None


@verb
def append(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    what = yield from do.primitive("to", "manager_list")
    yield "manager", what.name, "append", value


@verb
def pop(do: Doing) -> Steps:
    what = yield from do.primitive("from", "manager_list", "manager_dict")
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    yield from do.into((yield "manager", what.name, "pop", at).value)


@verb
def delete(do: Doing) -> Steps:
    what = yield from do.primitive("from", "manager_list", "manager_dict")
    yield "manager", what.name, "delete", V((yield from do.value("at")))


@verb
def length(do: Doing) -> Steps:
    what = yield from do.primitive("of", "manager_list", "manager_dict")
    yield from do.into((yield "manager", what.name, "length", None).value)


# ---- processes ------------------------------------------------------------------------------


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


DEADLY = set(
    ["SIGHUP", "SIGQUIT", "SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGVTALRM", "SIGPROF"]
)


@verb
def signal_(do: Doing) -> Steps:
    given = yield from do.value("signal")
    if isinstance(given, str) and not given.isdigit():
        given = getattr(signal, given if given.startswith("SIG") else "SIG" + given, 0)
    number = int(given)
    if number not in {getattr(signal, name) for name in DEADLY}:
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


# ---- in the process itself ------------------------------------------------------------------


@verb
def print_(do: Doing) -> Steps:
    yield "print", str((yield from do.value("text")))


@verb
def sleep(do: Doing) -> Steps:
    seconds = yield from do.value("seconds")
    if seconds < 0:
        raise error("ValueError", "sleep length must be non-negative")


@verb
def let(do: Doing) -> Steps:
    yield "let", do.block, do.pc


@verb
def call(do: Doing) -> Steps:
    if "returns" not in do.action.arguments:
        raise Unsupported("a call without returns")
    choices = yield from do.value("returns")
    chosen = yield "either", tuple(V(choice) for choice in choices)
    yield from do.into(chosen.value)


@verb
def choose(do: Doing) -> Steps:
    choices = yield from do.value("from")
    if not choices:
        raise Unsupported("a choice of nothing")
    chosen = yield "either", tuple(V(choice) for choice in choices)
    yield from do.into(chosen.value)


@verb
def mark(do: Doing) -> Steps:
    yield "mark", str((yield from do.value("name")))


@verb
def section(do: Doing) -> Steps:
    name = yield from do.value("name")
    yield ("pause",)
    yield "inside", str(name), do.action.blocks["do"]


@verb
def assert_(do: Doing) -> Steps:
    if not (yield "condition", do.block, do.pc):
        message = yield from do.value("message", "")
        raise error("AssertionError", str(message))


@verb
def raise_(do: Doing) -> Steps:
    kind = yield from do.value("error")
    message = yield from do.value("message", "")
    if not issubclass(exception(kind), Exception) or issubclass(exception(kind), UnicodeError):
        raise Unsupported(f"raise {kind}")
    raise error(kind, str(exception(kind)(message) if message else exception(kind)()))


@verb
def return_(do: Doing) -> Steps:
    yield from ()
    raise Leave("return")


@verb
def break_(do: Doing) -> Steps:
    yield from ()
    raise Leave("break")


@verb
def continue_(do: Doing) -> Steps:
    yield from ()
    raise Leave("continue")


@verb
def exit_(do: Doing) -> Steps:
    raise Leave("exit", V((yield from do.value("code", 0))))


@verb
def os_exit(do: Doing) -> Steps:
    code = yield from do.value("code", 0)
    if not isinstance(code, int):
        raise error("TypeError", f"'{type(code).__name__}' object cannot be interpreted as an int")
    yield "os_exit", code & 0xFF


@verb
def pass_(do: Doing) -> Steps:
    yield from ()


# ---- control --------------------------------------------------------------------------------


@verb
def repeat(do: Doing) -> Steps:
    times = yield from do.value("times")
    yield "repeat", do.block, do.pc, 0, -1 if times == "forever" else max(0, times)


@verb
def while_(do: Doing) -> Steps:
    yield "while", do.block, do.pc


@verb
def for_(do: Doing) -> Steps:
    items = yield from do.value("in")
    yield "for", do.block, do.pc, V(list(items)), 0


@verb
def if_(do: Doing) -> Steps:
    way = "then" if (yield "condition", do.block, do.pc) else "else"
    if way in do.action.blocks:
        yield "do", do.action.blocks[way], 0


@verb
def try_(do: Doing) -> Steps:
    blocks = do.action.blocks
    left = None
    try:
        left = yield "attempt", blocks["do"]
        handler = left and handler_of(left, blocks)
        if left and not handler:
            raise Leave(*left)
        if handler:
            yield "handle", handler, left[1], left[2]
        elif "else" in blocks:
            yield "do", blocks["else"], 0
    except Leave as leave:
        if "finally" in blocks:
            yield "do", blocks["finally"], 0
        raise leave
    if "finally" in blocks:
        yield "do", blocks["finally"], 0


def handler_of(left: tuple[Any, ...], blocks: dict[str, int]) -> int | None:
    if left[0] == "exit" and ("except SystemExit" in blocks or "except BaseException" in blocks):
        raise Unsupported("except SystemExit")
    if left[0] != "error":
        return None
    for name, block in blocks.items():
        if name.startswith("except ") and issubclass(exception(left[1]), exception(name[7:])):
            return block
    return None


def exception(name: str) -> type[BaseException]:
    for place in (builtins, queue, threading, pickle, multiprocessing):
        found = getattr(place, name, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    raise Unsupported(f"the exception {name}")


def initial_cells(what: Primitive) -> dict[str, V]:
    """What stands in the memory of a value or an array at first."""
    c_type = typecode_to_type[what.options.get("typecode", "i")]
    if what.kind == "value":
        return {what.name: c_value(c_type, what.options.get("initial", 0))}
    if "size" in what.options:
        items = [V(ctypes.sizeof(c_type) and c_type().value)] * what.options["size"]
    else:
        items = [c_value(c_type, item) for item in what.options.get("initial", [])]
    return {f"{what.name}:{i}": item for i, item in enumerate(items)}


# ---- the functions of a program -------------------------------------------------------------


def functions(program: Program) -> dict[str, Callable[..., Steps]]:
    def do(block: int, pc: int) -> Steps:
        if pc < len(program.blocks[block]):
            yield "act", block, pc
            yield "become", "do", block, pc + 1

    def act(block: int, pc: int) -> Steps:
        doing = Doing(program, block, pc)
        yield from VERBS[doing.action.verb](doing)

    def attempt(block: int) -> Steps:
        try:
            yield "do", block, 0
        except Leave as leave:
            return leave.what
        return None

    def handle(block: int, kind: str, message: str) -> Steps:
        before = yield "error", V({"type": kind, "message": message})
        try:
            yield "do", block, 0
        except Leave as leave:
            yield "error", before
            raise leave
        yield "error", before

    def inside(name: str, block: int) -> Steps:
        left = yield "attempt", block
        yield ("pause",)
        if left:
            raise Leave(*left)

    def turn(block: int, pc: int) -> Steps:
        """One turn of a loop: whether there may be another one."""
        left = yield "attempt", program.blocks[block][pc].blocks["do"]
        if left and left[0] not in ("break", "continue"):
            raise Leave(*left)
        return not left or left[0] == "continue"

    def repeat_(block: int, pc: int, i: int, times: int) -> Steps:
        variable = program.blocks[block][pc].arguments.get("as")
        if times < 0 or i < times:
            if variable is not None:
                yield "assign", variable, V(i)
            if (yield "turn", block, pc):
                more = 0 if times < 0 and variable is None else i + 1
                yield "become", "repeat", block, pc, more, times

    def while_again(block: int, pc: int) -> Steps:
        if (yield "condition", block, pc) and (yield "turn", block, pc):
            yield "become", "while", block, pc

    def for_next(block: int, pc: int, items: V, i: int) -> Steps:
        if i < len(items.value):
            yield "assign", program.blocks[block][pc].arguments["each"], V(items.value[i])
            if (yield "turn", block, pc):
                yield "become", "for", block, pc, items, i + 1

    def run(name: str) -> Steps:
        """A process from its begin to its end."""
        yield "begin", name
        left = yield "attempt", program.processes[name].block
        code, kind = 0, None
        if left and left[0] == "error":
            code, kind = 1, left[1]
        elif left and left[0] == "exit":
            given = left[1].value
            if isinstance(given, int) and not 0 <= abs(given) < 2**31:
                raise Unsupported(f"exit code {given}")
            code = 0 if given is None else int(given) & 0xFF if isinstance(given, int) else 1
        yield ("names_go",)
        yield ("exit_function",)
        yield "die", name, code, kind

    return {
        "do": do, "act": act, "attempt": attempt, "handle": handle, "inside": inside,
        "turn": turn, "repeat": repeat_, "while": while_again, "for": for_next, "run": run,
        "cell_of": cell_of,
    }  # fmt: skip
