"""How blocks of actions, loops, handlers and whole processes run."""

from __future__ import annotations

from collections.abc import Callable

from . import alone, family, memory, sharing
from .bases import Leave, Unsupported, V
from .doing import VERBS, Doing
from .library import Steps
from .memory import cell_of
from .program import Program

__all__ = ["alone", "family", "functions", "memory", "sharing"]


def functions(program: Program) -> dict[str, Callable[..., Steps]]:
    def do(block: int, pc: int) -> Steps:
        if pc < len(program.blocks[block]):
            yield "act", block, pc
            yield "become", "do", block, pc + 1

    def act(block: int, pc: int) -> Steps:
        doing = Doing(program, block, pc)
        if doing.action.verb not in VERBS:
            raise Unsupported(f"the verb {doing.action.verb}")
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
        if kind:
            yield "erred", kind
        yield ("names_go",)
        yield ("exit_function",)
        yield "die", name, code

    return {
        "do": do, "act": act, "attempt": attempt, "handle": handle, "inside": inside,
        "turn": turn, "repeat": repeat_, "while": while_again, "for": for_next, "run": run,
        "cell_of": cell_of,
    }  # fmt: skip
