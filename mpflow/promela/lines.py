"""What a process does goes in, step by step; the lines of its Promela come out.

A Step is what happens at once: a guard that it waits for, and what it changes then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """One transition of the model: Spin stores no state between the guard and the last effect.

    Nothing but the guard can block. (No `d_step`: a `break` must not lead to one.)"""

    guard: str
    effects: tuple[str, ...] = ()
    note: str = ""

    @property
    def bare(self) -> str:
        """It as it stands before a `->` or a `;`."""
        if not self.effects:
            return self.guard or "skip"
        if not self.guard and len(self.effects) == 1:
            return self.effects[0]
        first = f"{self.guard} -> " if self.guard else ""
        return f"atomic {{ {first}{'; '.join(self.effects)} }}"

    def __str__(self) -> str:
        return f"{self.bare};" + (f"\t/* {self.note} */" if self.note else "")


class Lines:
    """The text of one process while it is written."""

    def __init__(self, depth: int = 1) -> None:
        self.written: list[tuple[int, Step | str]] = []
        self.depth = depth
        self.runs: list[str] = []  # processes to be started with whatever else is started here
        self.used: set[str] = set()  # labels that something jumps to

    def step(self, guard: str, *effects: str, note: str = "") -> None:
        """One transition."""
        self._put(Step(guard, effects, note))

    def choice(self, *steps: Step, note: str = "") -> None:
        """Any one of several steps that can be taken."""
        self.line("if" + (f"\t/* {note} */" if note else ""))
        for each in steps:
            self.line(f":: {each}")
        self.line("fi;")

    def line(self, text: str) -> None:
        """A line as it is."""
        self._put(text)

    def label(self, name: str) -> None:
        """A place to jump to; none if nothing does."""
        if name in self.used:
            self.line(f"{name}:\tskip;")

    def goto(self, name: str) -> None:
        """Jump to a label."""
        self.used.add(name)
        self.line(f"goto {name};")

    def start(self, name: str) -> None:
        """Start a process, at once with those that are started directly before and after it.

        Nothing can tell whether a process that has done nothing yet has been started."""
        self.runs.append(f"run {name}();")

    def flush(self) -> None:
        """Write the starts that were held back."""
        runs, self.runs = self.runs, []
        if runs:
            self.written.append((self.depth, f"atomic {{ {' '.join(runs)} }};"))

    def append(self, effect: str) -> bool:
        """Add an effect to the last step, if that is what everything leads to."""
        if self.runs or not self.written:
            return False
        depth, last = self.written[-1]
        if depth != 1 or not isinstance(last, Step):
            return False
        self.written[-1] = depth, last._replace(effects=(*last.effects, effect))
        return True

    def rendered(self) -> Iterator[str]:
        """The lines with their indentation."""
        for depth, each in self.written:
            outdent = isinstance(each, str) and ":\tskip" in each
            yield "\t" * (0 if outdent else depth) + str(each)

    def _put(self, what: Step | str) -> None:
        self.flush()
        self.written.append((self.depth, what))


def both(conditions: Sequence[str]) -> str:
    """A condition that holds when all of these do."""
    return " && ".join(conditions)
