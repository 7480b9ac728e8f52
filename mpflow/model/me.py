"""A process as the models of its actions see it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from mpflow.model import files, pickles, steps, waiting
from mpflow.model.names import ALIVE, life
from mpflow.model.steps import Step
from mpflow.model.values import Abrupt, Uncheckable

if TYPE_CHECKING:
    from mpflow.model.local import Mem
    from mpflow.model.process import Process


class Me:
    """The process, as the model of an action sees it. What it remembers is kept with the action's
    end only: a model that is run again remembers it again."""

    def __init__(self, process: Process, mem: Mem) -> None:
        self.process = process
        self.name = process.name
        self.world = process.world
        self.mem: dict[Any, Any] = dict(mem)
        self.keeps = True  # whether the action keeps its result

    def get(self, key: Any, default: Any = None) -> Any:
        """What it remembers."""
        return self.mem.get(key, default)

    def set(self, key: Any, value: Any) -> None:
        """Remember something."""
        self.mem[key] = value

    def count(self, key: str) -> int:
        """How often it has acquired a lock."""
        found: int = self.mem.get(("count", key), 0)
        return found

    def set_count(self, key: str, count: int) -> None:
        """How often it has acquired a lock now."""
        if count:
            self.mem["count", key] = count
        else:
            self.mem.pop(("count", key), None)

    def number(self, value: object) -> int:
        """A value as components hold it."""
        return self.world.values.number(value)

    def value(self, number: int) -> Any:
        """The value of a number."""
        return self.world.values.value(number)

    def size(self, number: int) -> int:
        """The bytes that a value takes in a pipe: 4 that say how many follow, and its pickle."""
        return 4 + len(self.world.body(number))

    def raw(self, body: bytes) -> int:
        """The number of a message that is sent as bytes."""
        return self.number(pickles.Raw(body))

    def body(self, number: int) -> bytes:
        """What stands behind the header of a message."""
        return self.world.body(number)

    def message(self, number: int) -> bytes:
        """A message with its header (connection.py, _send_bytes)."""
        body = self.body(number)
        return len(body).to_bytes(4) + body

    def received(self, number: int) -> Any:
        """What is unpickled from a message."""
        value = self.value(number)
        return self.world.loads(value.body) if isinstance(value, pickles.Raw) else value

    def arrived(self, body: bytes | None, plain: bool) -> int:
        """The number of a message of which this was read; the exception of what is no pickle."""
        if body is None:
            return self.number(None)
        return self.number(self.world.loads(body)) if plain else self.raw(body)

    def unseen(self, body: bytes) -> bool:
        """Whether nobody will ask what was in a message that can be unpickled."""
        try:
            self.world.loads(body)
        except Exception:
            return False
        return not self.keeps and not self.world.facts.shown

    # Actions of its own

    def log(self, key: str, change: Any) -> Any:
        """Change what a monitor keeps, if somebody wants to know."""
        if key in self.world.facts.log:
            return self._one(steps.update(key, lambda value: [(None, change(value))]))
        return None

    def printed(self, text: str) -> Any:
        """Lines of output, in their order, or as many as there are of each."""
        lines = text.split("\n")
        if "lines" in self.world.facts.log:
            return self._one(steps.add("lines", lines))
        return self.log("output", lambda before: (*before, *lines))

    def mark(self, name: str) -> Any:
        """A mark: the first of its name counts."""
        return self.log("marks", lambda seen: seen if name in seen else (*seen, name))

    def section(self, name: str, phase: str) -> Any:
        """In or out: who is inside, and how many there were at most."""

        def change(value: tuple[tuple[str, ...], int]) -> Any:
            inside, most = list(value[0]), value[1]
            if phase == "enter":
                inside.append(self.name)
            elif self.name in inside:
                inside.remove(self.name)
            return tuple(sorted(inside)), max(most, len(set(inside)))

        return self.log(f"section {name}", change)

    def any_of(self, values: Any) -> Any:
        """Any one of some values."""
        if not values:
            raise IndexError("Cannot choose from an empty sequence")
        return self._one(steps.any_of(values))

    def sleep(self, seconds: float) -> Any:
        """Nothing, unless time is told exactly."""
        if self.world.facts.exact:
            return self._one(steps.sleep(seconds))
        return None

    def die(self, code: int) -> Any:
        """The end, at once."""
        raise Abrupt(code)

    def living_children(self) -> Any:
        """The names of the children that have not ended, sorted."""
        children = self.get("children", ())
        keys = [life(child) for child in children]
        plans = self.world.program.plans

        def ask(*stages: Any) -> Any:
            pairs = zip(children, stages, strict=True)
            return sorted(plans[child].system_name for child, stage in pairs if stage == ALIVE)

        return self._one(steps.look(keys, [f"{key}:look" for key in keys], ask))

    def write(self, text: str, file: str, mode: str) -> Any:
        """Write to a file."""
        return files.write(self, text, file, mode)

    def read(self, file: str) -> Any:
        """What stands in a file."""
        return files.read(self, file)

    def wait_any(self, names: Any, timeout: float | None) -> Any:
        """Which of these are ready."""
        return waiting.wait_any(self, names, timeout)

    def uncheckable(self, what: str, hint: str) -> Uncheckable:
        """What to raise for something that the model cannot say."""
        return Uncheckable(what, None, hint)

    def _one(self, step: Step) -> Generator[Step, Any, Any]:
        return (yield step)

    def kept(self) -> Mem:
        """All that it remembers, hashable."""
        return tuple(sorted(self.mem.items(), key=repr))
