"""Which variables have to be written to their slots, and where, when a process's source is made.

In: its steps, as the source comes by them. Out: names of variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mpflow import registry
from mpflow.naming import set_by
from mpflow.plan import Step


class Unsaved:
    """Which variables may have changed since they were last written to their slots.

    Only what is certainly set can be written. So what a block sets for the first time is written
    at its end; the rest can wait for the next action, if need be in the next turn of a loop.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.names: dict[str, None] = {}
        self.certain: set[str] = set()
        self.around: list[tuple[set[str], dict[str, None]]] = []  # certain and unsaved before
        self.within = dict(_set_within(steps))

    def set(self, name: str) -> None:
        self.names[name] = None
        self.certain.add(name)

    def written(self, name: str) -> None:
        """A variable was set and written to its slot at once."""
        self.names.pop(name, None)

    def take(self) -> list[str]:
        """What is to be written now."""
        names, self.names = list(self.names), {}
        return names

    def open(self, step: Step) -> None:
        structure = registry.action(step.verb).structure
        if structure is not None and structure.loop:
            again = (name for name in self.within[step.number] if name in self.certain)
            self.names.update(dict.fromkeys(again))
        self.around.append((set(self.certain), dict(self.names)))

    def end(self) -> list[str]:
        """A block's end, or that of a part of it: what is to be written there."""
        certain, before = self.around[-1]
        first = [name for name in self.names if name not in certain]
        before.update((name, None) for name in self.names if name in certain)
        self.certain, self.names = set(certain), dict(before)
        return first

    def close(self) -> None:
        self.around.pop()


def _set_within(steps: Sequence[Step]) -> Iterator[tuple[int, dict[str, None]]]:
    """For each block that opens, the variables set in it."""
    open_: list[tuple[Step, dict[str, None]]] = []
    for step in steps:
        if step.kind == "open":
            open_.append((step, {}))
        if step.kind in ("do", "open"):
            for name in set_by(step):
                for _, names in open_:
                    if name is not None:
                        names[name] = None
        elif step.kind == "close":
            opened, names = open_.pop()
            yield opened.number, names
