"""Plan -> the instructions of a process: a flat table, with what leads out of it by the way.

Python's control flow without Python: a test and a jump for each loop, and for each try, with and
section a region of instructions that has an entry for what leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mpflow.model.values import Uncheckable
from mpflow.naming import constant, set_by
from mpflow.plan import Plan, Step


class Instruction(NamedTuple):
    """`what` is the name of a method of Machine; `slot` and `to` are its operands."""

    what: str
    step: Step | None = None
    slot: int = 0
    to: int = 0
    source: str = ""


class Region(NamedTuple):
    """Instructions `first` to `last` (not included) and where a way out of them leads: `entry`,
    with the way itself in a slot. `always`: every way out, not only an exception's."""

    first: int
    last: int
    entry: int
    slot: int
    always: bool


class Writer:
    """Writes the instructions of one process; what lies ahead is filled in when it is reached."""

    def __init__(self, plan: Plan) -> None:
        self.steps = plan.steps
        self.code: list[Instruction] = []
        self.regions: list[Region] = []
        self.errors: list[tuple[int, ...]] = []
        self.handling: tuple[int, ...] = ()  # slots of `error`, the innermost first
        self.loops: list[tuple[int, list[int]]] = []  # where to go on; the breaks in it
        named = dict.fromkeys([name for name, _ in plan.vars])
        for step in plan.steps:
            if step.kind in ("do", "open"):
                named.update(dict.fromkeys(_sets(step)))
        self.names = {name: place for place, name in enumerate(named)}
        self.slots = len(self.names)
        self.at = 0  # of the next step
        self._block(0)
        self._emit("end")

    def _emit(self, what: str, step: Step | None = None, **operands: Any) -> int:
        self.code.append(Instruction(what, step, **operands))
        self.errors.append(self.handling)
        return len(self.code) - 1

    def _aim(self, *places: int) -> None:
        """Instructions that lead to what comes next."""
        for place in places:
            self.code[place] = self.code[place]._replace(to=len(self.code))

    def _slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _block(self, depth: int) -> None:
        """The steps of one block, up to the next part or the end of what it is in."""
        while self.at < len(self.steps) and self.steps[self.at].depth >= depth:
            step = self.steps[self.at]
            if step.kind in ("part", "close"):
                return
            self.at += 1
            if step.kind == "open":
                getattr(self, f"_{step.verb}")(step)
            else:
                self._do(step)

    def _do(self, step: Step) -> None:
        if step.verb == "let":
            self._emit("let", step, source=step.arguments["variables"])
        elif step.verb == "break":
            self.loops[-1][1].append(self._emit("jump", step))
        elif step.verb == "continue":
            self._emit("jump", step, to=self.loops[-1][0])
        elif step.verb != "pass":
            self._emit("do", step)

    def _part(self) -> Step:
        """The part or the close that stands next."""
        self.at += 1
        return self.steps[self.at - 1]

    def _if(self, step: Step) -> None:
        test = self._emit("test", step, source=step.arguments["condition"])
        self._block(step.depth + 1)
        if self._part().kind == "part":
            over = self._emit("goto")
            self._aim(test)
            self._block(step.depth + 1)
            self._part()
            self._aim(over)
        else:
            self._aim(test)

    def _while(self, step: Step) -> None:
        again = len(self.code)
        test = self._emit("test", step, source=step.arguments["condition"])
        self._turns(step, again, test)

    def _repeat(self, step: Step) -> None:
        self._items(step, step.arguments["times"], step.arguments.get("as", "None"))

    def _for(self, step: Step) -> None:
        self._items(step, step.arguments["in"], step.arguments["each"])

    def _items(self, step: Step, items: str, target: str) -> None:
        slot = self._slot()
        self._emit("begin", step, slot=slot, source=items)
        name = "" if target == "None" else constant(target) or ""
        turn = self._emit("turn", step, slot=slot, source=name)
        self._turns(step, turn, turn)
        self._emit("forget", slot=slot)

    def _turns(self, step: Step, again: int, test: int) -> None:
        breaks: list[int] = []
        self.loops.append((again, breaks))
        self._block(step.depth + 1)
        self._part()
        self.loops.pop()
        self._emit("goto", to=again)
        self._aim(test, *breaks)

    def _with(self, step: Step) -> None:
        held, way = self._slot(), self._slot()
        self._emit("enter", step, slot=held)
        first = len(self.code)
        self._block(step.depth + 1)
        self._part()
        self._finally(first, way, lambda: self._emit("leave", step, slot=held))

    _section = _with

    def _finally(self, first: int, way: int, write: Any) -> None:
        last = self._emit("through", slot=way)
        self.regions.append(Region(first, last, last + 1, way, always=True))
        handling, self.handling = self.handling, (way, *self.handling)
        write()
        self.handling = handling
        self._emit("again", slot=way)

    def _try(self, step: Step) -> None:
        first, failed = len(self.code), self._slot()
        way = self._slot()
        self._block(step.depth + 1)
        last = len(self.code)
        part = self._part()
        over: list[int] = []
        handlers = []
        while part.part == "except":
            handlers.append((part, self.at))
            self._skip(step.depth + 1)
            part = self._part()
        if part.part == "else":
            self._block(step.depth + 1)
            part = self._part()
        over.append(self._emit("goto"))
        if handlers:
            self.regions.append(Region(first, last, len(self.code), failed, always=False))
            after = self.at
            for handler, start in handlers:
                self.at = start
                over.append(self._handler(step, handler, failed))
            self.at = after
            self._emit("again", slot=failed)
        self._aim(*over)
        if part.part == "finally":
            self._finally(first, way, lambda: self._block(step.depth + 1))
            self._part()

    def _handler(self, step: Step, handler: Step, failed: int) -> int:
        name = handler.arguments["exception"][1:-1]
        catch = self._emit("catch", handler, slot=failed, source=name)
        handling, self.handling = self.handling, (failed, *self.handling)
        self._block(step.depth + 1)
        self.handling = handling
        self._emit("forget", slot=failed)
        over = self._emit("goto")
        self._aim(catch)
        return over

    def _skip(self, depth: int) -> None:
        while self.steps[self.at].depth >= depth:
            self.at += 1


def _sets(step: Step) -> Iterator[str]:
    """The variables that a step sets."""
    for name in set_by(step):
        if name is None:
            raise Uncheckable("a variable whose name only the run decides", step.line)
        yield name
