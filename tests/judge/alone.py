"""The verbs of a process for itself, and those of control."""

from __future__ import annotations

import builtins
import multiprocessing
import pickle
import queue
import threading
from typing import Any

from .bases import Leave, Unsupported, V, error
from .doing import Doing, verb
from .library import Steps


@verb
def print_(do: Doing) -> Steps:
    yield "print", str((yield from do.value("text")))


@verb
def sleep(do: Doing) -> Steps:
    seconds = yield from do.value("seconds")
    if not isinstance(seconds, int | float):
        raise Unsupported(f"sleep {seconds!r}")
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
    if times != "forever" and type(times) is not int:
        raise Unsupported(f"repeat: {times!r} times")
    yield "repeat", do.block, do.pc, 0, -1 if times == "forever" else max(0, times)


@verb
def while_(do: Doing) -> Steps:
    yield "while", do.block, do.pc


@verb
def for_(do: Doing) -> Steps:
    items = yield from do.value("in")
    if not isinstance(items, list | tuple):
        raise Unsupported(f"for each in {items!r}")
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
