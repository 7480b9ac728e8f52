"""A model -> the same model with its critical sections as one step each.

What a process does from taking a lock until it has given it up is one step, since nobody sees what
stands in between: all who look take the same lock, and wait for it, and nobody dies who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
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
            change = partial(_through, make, tuple(results), touches)
            found = yield Step(touches, tuple(kinds), change, effect=True)
        else:
            found = ((yield step),)
        for each in found:
            results.append(each)
            try:
                step = running.send(each)
            except StopIteration as end:
                return end.value


def _through(
    make: Callable[[], Model], before: tuple[Any, ...], touches: tuple[str, ...], *values: Any
) -> Ways:
    """All that can come of what a model does while it has a lock, the first component touched: the
    results of its steps, and the components' new values. `before`: its results until then."""
    found = []
    left: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), dict(zip(touches, values, strict=True)))
    ]
    while left:
        got, held = left.pop()
        step = resumed(make(), (*before, *got))
        for result, new in step.ways([held[key] for key in step.touches], late=False):
            after = {**held, **dict(zip(step.touches, new, strict=True))}
            path = (*got, result)
            if touches[0] in step.touches and after[touches[0]] > 0:
                found.append((path, tuple(after.values())))
            else:
                left.append((path, after))
    return found
