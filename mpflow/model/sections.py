"""A model -> the same model with its critical sections as one step each.

What a process does from taking a lock until it has given it up is one step, since nobody sees what
stands in between: all who look take the same lock, and wait for it, and nobody dies who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from mpflow.model.steps import Step, Ways, resumed

Model = Generator[Step, Any, Any]


def in_one(
    lock: str, others: Sequence[str], kinds: Sequence[str], make: Callable[[], Model]
) -> Model:
    """What `make` models. `others`: the components that it touches while it has the lock; `kinds`:
    what it does to them (steps.Step). The result of such a step are those of the steps in it."""
    touches = (lock, *others)
    running, results = make(), list[Any]()
    step = next(running)
    while True:
        if step.kinds == (f"{lock}:P",):
            before = tuple(results)
            inside = Step(touches, tuple(kinds), _Section(make, before, touches).ways, effect=True)
            found = yield inside
        else:
            found = ((yield step),)
        for each in found:
            results.append(each)
            try:
                step = running.send(each)
            except StopIteration as end:
                return end.value


class _Section:
    """What a model does while it has a lock, the first component touched; `before`: the results of
    its steps until then."""

    def __init__(
        self, make: Callable[[], Model], before: tuple[Any, ...], touches: tuple[str, ...]
    ) -> None:
        self.make = make
        self.before = before
        self.touches = touches

    def ways(self, *values: Any) -> Ways:
        """All that can come of it: the results of its steps, and the components' new values."""
        lock, found = self.touches[0], []
        left: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            ((), dict(zip(self.touches, values, strict=True)))
        ]
        while left:
            got, held = left.pop()
            step = resumed(self.make(), (*self.before, *got))
            for result, new in step.ways([held[key] for key in step.touches], late=False):
                after = {**held, **dict(zip(step.touches, new, strict=True))}
                path = (*got, result)
                if lock in step.touches and after[lock] > 0:
                    found.append((path, tuple(after.values())))
                else:
                    left.append((path, after))
        return found
