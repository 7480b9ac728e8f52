"""A primitive as the model has it: what an operation's model gets as `on`.

In: its declaration, and what is known of the whole program. Out: names of components, and steps on
them (steps.py), so that a primitive's file needs to import nothing of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mpflow.model import sections, steps
from mpflow.model.text import Uses
from mpflow.model.values import FullError


class Detail:
    """How much is told of what lies in a pipe: no more than the search has found to matter.

    `writers`: the processes that may write to each way; `found`: ways, and what of them has to be
    told: `bytes`, since messages may mix, or `room`, since they may fill it. `forget` is called
    when more has.
    """

    def __init__(self, forget: Callable[[], None]) -> None:
        self.writers: dict[str, set[str]] = {}
        self.found: set[tuple[str, str]] = set()
        self.forget = forget

    def need(self, key: str, what: str) -> Any:
        """That has to be told, too: everything begins anew."""
        self.found.add((key, what))
        self.forget()
        raise FullError(key)

    def exact(self, key: str) -> bool:
        """Whether more than its messages is told of a way."""
        return bool({(key, "bytes"), (key, "room")} & self.found)

    def sleeps(self, process: str) -> list[str]:
        """The ways for whose room a process may sleep."""
        return [key for key, names in self.writers.items() if process in names and self.exact(key)]


class Parts:
    """One primitive, or one end of it (`part`).

    `merged`: its operations are told in few steps; `uses`: what may be taken for granted then.
    `only_holders`: whoever releases it holds it. `under_condition`: some condition stands on it, so
    that acquisitions are counted.
    """

    down = staticmethod(steps.down)
    up = staticmethod(steps.up)
    count = staticmethod(steps.count)
    load = staticmethod(steps.load)
    store = staticmethod(steps.store)
    in_one = staticmethod(sections.in_one)
    STAY = steps.STAY

    def __init__(
        self,
        name: str,
        type_name: str,
        options: Mapping[str, Any],
        others: Mapping[str, Parts],
        feeders: frozenset[str] = frozenset(),
        merged: bool = False,
        only_holders: bool = False,
        under_condition: bool = False,
        part: str = "",
        detail: Detail | None = None,
        uses: Uses = Uses(),  # noqa: B008
    ) -> None:
        self.name = name
        self.type = type_name
        self.options = options
        self.others = others
        self.feeders = feeders
        self.merged = merged
        self.only_holders = only_holders
        self.under_condition = under_condition
        self.part = part
        self.detail = detail or Detail(lambda: None)
        self.uses = uses

    def key(self, part: str = "") -> str:
        """The component of that part."""
        return f"{self.name}/{part}" if part else self.name

    def own(self, part: str, process: str) -> str:
        """The component of a part that each process has of its own."""
        return f"{self.name}/{part}>{process}"

    def way(self, end: str) -> str:
        """What lies in a pipe to be received at an end."""
        return self.key(f"{end}~way")

    def holders(self, end: str) -> str:
        """Who has an end open."""
        return self.key(f"{end}~held")

    def other(self, name: str) -> Parts:
        """Another primitive by its name."""
        return self.others[name]

    def fed_by(self, process: str) -> bool:
        """Whether a process may have a feeder thread here."""
        return process in self.feeders

    def writers(self, key: str) -> int:
        """How many processes may write to a way."""
        return len(self.detail.writers.get(key, ()))

    def needs(self, key: str, what: str) -> bool:
        """Whether that is told of a way."""
        return (key, what) in self.detail.found

    def need(self, key: str, what: str) -> Any:
        """Have that told of a way."""
        return self.detail.need(key, what)

    def exact(self, key: str) -> bool:
        """Whether more than its messages is told of a way."""
        return self.detail.exact(key)

    # Steps

    def step(
        self,
        touches: Sequence[str],
        kinds: Sequence[str],
        change: Callable[..., Any],
        late: Callable[..., Any] | None = None,
        timeout: float | None = None,
        effect: bool = False,
    ) -> steps.Step:
        """Any step (steps.Step)."""
        return steps.Step(tuple(touches), tuple(kinds), change, late, timeout, effect)

    def tell(self, key: str, ask: Callable[[Any], Any]) -> steps.Step:
        """What `ask` says of a component."""
        return steps.look((key,), (f"{key}:r",), ask)

    def update(
        self,
        key: str,
        change: Callable[[Any], Any],
        late: Callable[[Any], Any] | None = None,
        timeout: float | None = None,
    ) -> steps.Step:
        """Read and change a component: `change` and `late` give pairs of a result and its new
        value. With a timeout it may give up at any time, even where it could go on."""

        def ways(found: Callable[[Any], Any]) -> Callable[[Any], steps.Ways]:
            return lambda value: [(result, (new,)) for result, new in found(value)]

        if late is None or timeout is None:
            return steps.Step((key,), (f"{key}:w",), ways(change))
        return steps.Step((key,), (f"{key}:w",), ways(change), ways(late), max(timeout, 0))
