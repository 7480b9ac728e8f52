"""The atomic steps of the model, over its bases: what an operation's model yields.

A step names the components that it touches and says, for their values, what can come of it:
nothing (it is blocked), or results, each with the new values. Bases: a semaphore is its value, a
cell whatever stands in it, a pipe its messages (pipes.py), a process how far it has come.
CPython: semaphore.c (sem_wait, sem_trywait, sem_timedwait, sem_post, sem_getvalue).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple


class _Stay:
    def __repr__(self) -> str:
        return "stay"


STAY = _Stay()  # the result of a step after which its actor is where it was: it has fallen asleep

Ways = Sequence[tuple[Any, tuple[Any, ...]]]  # each result, and the components' new values


class Step(NamedTuple):
    """One atomic step.

    `kinds` are what it does to what, as `component:kind` (accesses.py): which other steps may
    disturb it. `change(*values)` gives its ways. A step with a time limit says in `late(*values)`
    what can come of it when the time is up: at once where `timeout` is 0, some time where it is
    more. `effect`: with this step the action takes effect, whatever else it has to do. `draws`: a
    run draws among its ways with its seed.
    """

    touches: tuple[str, ...]
    kinds: tuple[str, ...]
    change: Callable[..., Ways]
    late: Callable[..., Ways] | None = None
    timeout: float | None = None
    effect: bool = False
    draws: bool = False

    def ways(self, values: Sequence[Any], late: bool = True) -> Ways:
        """All that can come of it, given its components' values and whether its time may be up."""
        found = list(self.change(*values))
        if self.late is not None and (late or self.timeout == 0):
            found += self.late(*values)
        return found


def resumed(running: Generator[Step, Any, Any], results: Iterable[Any]) -> Step:
    """The step at which a model stands that has just been made, with the results it has had.
    Raises StopIteration where it has come to its end."""
    step = next(running)
    for result in results:
        step = running.send(result)
    return step


def down(key: str, block: bool = True, timeout: float | None = None) -> Step:
    """sem_wait, sem_trywait or sem_timedwait; the result says whether it was taken."""
    timeout = 0 if not block else timeout
    if timeout is None:
        return Step((key,), (f"{key}:P",), _down)
    return Step((key,), (f"{key}:T",), _down, _untaken, max(timeout, 0))


def up(key: str, many: int = 1) -> Step:
    """sem_post."""
    return Step((key,), (f"{key}:V",), lambda value: [(None, (value + many,))])


def count(key: str) -> Step:
    """sem_getvalue."""
    return Step((key,), (f"{key}:R",), lambda value: [(value, (value,))])


def load(key: str) -> Step:
    """What stands in a cell."""
    return Step((key,), (f"{key}:r",), lambda value: [(value, (value,))])


def store(key: str, new: Any) -> Step:
    """Set a cell."""
    return Step((key,), (f"{key}:w",), lambda value: [(None, (new,))])


def update(key: str, change: Callable[[Any], Ways]) -> Step:
    """Read and change a cell in one; `change(value)` gives pairs of a result and a new value."""
    return Step((key,), (f"{key}:w",), lambda value: [(r, (new,)) for r, new in change(value)])


def look(keys: Sequence[str], kinds: Sequence[str], ask: Callable[..., Any]) -> Step:
    """Something that is told by several components at once, and changes none."""
    return Step(tuple(keys), tuple(kinds), lambda *values: [(ask(*values), values)])


def pause() -> Step:
    """Nothing, but a moment at which a process can be killed."""
    return Step((), (), lambda: [(None, ())])


def one(step: Step) -> Callable[[], Any]:
    """A model of one step."""

    def model() -> Any:
        return (yield step)

    return model


def any_of(values: Sequence[Any]) -> Step:
    """Whichever of some values."""
    return Step((), (), lambda: [(value, ()) for value in values], draws=True)


def _down(value: int) -> Ways:
    return [(True, (value - 1,))] if value > 0 else []


def _untaken(value: int) -> Ways:
    return [] if value > 0 else [(False, (value,))]


def sleep(seconds: float) -> Step:
    """Nothing, until the time is up."""
    return Step((), (), list, lambda: [(None, ())], max(seconds, 0.0))


def add(key: str, members: Sequence[str]) -> Step:
    """Put something into a bag, in which there is no order: who else does disturbs nobody."""
    return Step((key,), (f"{key}:add",), lambda bag: [(None, (tuple(sorted((*bag, *members))),))])
