"""wait_any as steps: names go in, those of them that are ready come out.

CPython: multiprocessing.connection.wait; selectors.py. poll(2) looks at one after the other, and
when none was ready it sleeps until one is, and looks at all of them again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow import registry
from mpflow.model.steps import Step
from mpflow.primitives import _pipes

if TYPE_CHECKING:
    from mpflow.model.me import Me
    from mpflow.model.world import World


class Awaited(NamedTuple):
    """An end or a process: the components that tell whether it is ready, how one who asks and one
    who waits touches them, and what they tell."""

    touches: tuple[str, ...]
    asks: tuple[str, ...]
    waits: tuple[str, ...]
    ready: Callable[..., bool]


def wait_any(me: Me, names: Any, timeout: float | None) -> Generator[Step, Any, list[str]]:
    """The names that are ready, in the order in which they were given."""
    given = [names] if isinstance(names, str) else names
    found = [each for name in given for each in me.world.meant(me, "wait_any", "", str(name))]
    for name, type_name in found:
        _check(me, name, type_name)
    if len(set(found)) < len(found):
        raise KeyError("one of them is already registered")
    awaited = [of(me.world, name, type_name) for name, type_name in found]
    late = timeout is not None and timeout <= 0
    while True:
        ready: list[str] = []
        for (name, _), each in zip(found, awaited, strict=True):
            if (yield Step(each.touches, each.asks, _asking(each.ready))):
                ready.append(name)
        if ready or late:
            return ready
        late = yield _sleeping(awaited, timeout)


def _check(me: Me, name: str, type_name: str) -> None:
    """What has no descriptor cannot be waited for (selectors.py, _fileobj_to_fd)."""
    if type_name not in ("pipe", "process"):
        raise ValueError("Invalid file object")
    if type_name == "process":
        if me.get(("gone", name)):
            raise ValueError("process object is closed")
        if name not in me.get("children", ()):
            raise ValueError("process not started")
        return
    on = me.world.parts[name]
    if (on.name, on.part) in me.get("closed", frozenset()):
        raise OSError("handle is closed")


def of(world: World, name: str, type_name: str) -> Awaited:
    """What to look at for one."""
    on = world.parts[name]
    if type_name == "process":
        step = world.children[name].ended(0)
        touches, kinds = step.touches, step.kinds
        return Awaited(touches, kinds, tuple(f"{key}:join" for key in touches), _ended(step))
    ends = registry.primitive(on.type).parts(on.options)
    other = next(end for end in ends if end != on.part)
    way, held = on.way(on.part), on.holders(other)
    return Awaited(
        (way, held),
        (f"{way}:poll", f"{held}:r"),
        (f"{way}:wait", f"{held}:wait"),
        lambda content, holding: _pipes.filled(content) or not holding,
    )


def _ended(step: Step) -> Callable[..., bool]:
    return lambda *stages: bool(step.change(*stages))


def _asking(ready: Callable[..., bool]) -> Callable[..., Any]:
    return lambda *values: [(ready(*values), values)]


def _sleeping(awaited: list[Awaited], timeout: float | None) -> Step:
    """The step that goes on when one of them is ready, or the time is up: whether it is."""
    touches = tuple(dict.fromkeys(key for each in awaited for key in each.touches))
    kinds = tuple(dict.fromkeys(kind for each in awaited for kind in each.waits))

    def woken(*values: Any) -> bool:
        now = dict(zip(touches, values, strict=True))
        return any(each.ready(*(now[key] for key in each.touches)) for each in awaited)

    def change(*values: Any) -> Any:
        return [(False, values)] if woken(*values) else []

    def late(*values: Any) -> Any:
        return [] if woken(*values) else [(True, values)]

    if timeout is None:
        return Step(touches, kinds, change)
    return Step(touches, kinds, change, late, max(timeout, 0))
