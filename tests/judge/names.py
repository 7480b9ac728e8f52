"""What names in expressions mean: while a process runs, and when a run is over."""

from __future__ import annotations

from typing import Any

from .bases import Unsupported, World
from .language import Namespace
from .program import Program


class Own(Namespace):
    """The names that a process's expressions know."""

    def __init__(self, program: Program, w: World, p: str) -> None:
        self.program, self.w, self.p = program, w, p

    def name(self, name: str) -> Any:
        process = self.program.processes[self.p]
        for variable, value in self.w.get(("variables", self.p), ()):
            if variable == name:
                return value.value
        for names in (process.names, self.program.params):
            if name in names:
                return names[name]
        return super().name(name)

    def attribute(self, base: str, index: int | None, attribute: str) -> Any:
        if base == "error" and index is None and attribute in ("type", "message"):
            caught = self.w.get(("caught", self.p))
            if caught is None:
                raise Unsupported("error outside of a handler")
            return caught.value[attribute]
        p = base if index is None else f"{base}[{index}]"
        p = self.p if p == "self" else p
        if p not in self.program.processes or attribute not in ("pid", "name"):
            raise Unsupported(f"{base}.{attribute} in an action")
        if attribute == "name":
            return self.program.processes[p].shown
        if self.p not in (p, "main") or self.w.get(("status", p)) is None:
            raise Unsupported(f"{p}.pid in {self.p}")
        return 1000 + list(self.program.processes).index(p)


class Over(Namespace):
    """The names that an outcome knows, when a run is over."""

    def __init__(self, program: Program, w: World, more: dict[str, Any]) -> None:
        self.program, self.w, self.more = program, w, more

    def name(self, name: str) -> Any:
        if name == "output":
            return list(self.w.get(("output",), ()))
        for names in (self.more, self.program.params):
            if name in names:
                return names[name]
        return super().name(name)

    def attribute(self, base: str, index: int | None, attribute: str) -> Any:
        p = base if index is None else f"{base}[{index}]"
        if p not in self.program.processes:
            raise Unsupported(f"{p}.{attribute} in an outcome")
        if attribute == "exitcode":
            return code_of(self.w, p)
        if attribute == "error":
            return self.w.get(("error", p))
        if attribute == "name":
            return self.program.processes[p].shown
        for variable, value in self.w.get(("variables", p), ()):
            if variable == attribute:
                return value.value
        return None


def code_of(w: World, p: str) -> int | None:
    status = w.get(("status", p))
    return int(status[1]) if isinstance(status, tuple) else None
