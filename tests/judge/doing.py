"""An action about to be done: what its verb's function in the modules beside this one is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .bases import Unsupported, V
from .library import Lock, Steps
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
            value = options.get("value", 1)
            if kind == "semaphore" and value >= 2**30:
                return ("bounded_semaphore", name, 2**31 - 1)
            return (kind, name, value if kind == "bounded_semaphore" else 1)
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
