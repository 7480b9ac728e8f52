"""How processes end: by their own way out, or when a signal comes."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from mpflow.model import steps
from mpflow.model.facts import has_verb
from mpflow.model.local import Local
from mpflow.model.machine import Done
from mpflow.model.me import Me
from mpflow.model.names import ALIVE, KILL, STOP, TERMINATE, actor, feeder, life, signals, stopped
from mpflow.model.steps import Step
from mpflow.model.values import Abrupt, ends_with
from mpflow.primitives import _feeding, _serving

if TYPE_CHECKING:
    from mpflow.model.world import World


def leave(world: World, me: Me, done: Done) -> Generator[Step, Any, None]:
    """A process's way out when its actions are done (process.py, _bootstrap; util.py,
    _exit_function): feeders are told, daemons terminated, children joined, feeders joined."""
    queues = [world.parts[queue] for queue, process in world.feeders if process == me.name]
    abrupt = done.failure is not None and done.failure.type == Abrupt.__name__
    if not abrupt:
        for on in reversed(queues):
            if not me.get(("closed", on.name)):
                yield from _feeding.tell_feeder(on, me)
        if me.name == "main" and _serving.UP in world.first:
            yield steps.store(_serving.UP, False)
        children = me.get("children", ())
        for child in children:
            if world.program.plans[child].daemon:
                yield world.children[child].send(TERMINATE)
        for child in children:
            yield world.children[child].ended(None)
        for on in queues:
            yield from _feeding.join_feeder(on, me)
    yield death(world, me.name, ends_with(done.failure))


def death(world: World, name: str, code: int) -> Step:
    """A process ends: its threads with it, and what it had open is closed."""
    own, keys, kinds = _belongings(world, name)

    def change(*values: Any) -> Any:
        return [(code, (code, *own(values[1:])))]

    return Step((life(name), *keys), (f"{life(name)}:end", *kinds), change)


def _belongings(world: World, name: str) -> tuple[Any, list[str], list[str]]:
    """What goes with a process: a function from the values of the components to those they
    have then, the components, and what happens to them."""
    held = [key for _, _, key in world.ends]
    feeders = [each for each in world.feeders if each[1] == name and _cut_off(world, name)]
    fed = [feeder(queue, process) for queue, process in feeders]
    buffers = [world.parts[q].own("buffer", p) for q, p in feeders]
    sections = [key for key in sorted(world.facts.log) if key.startswith("section ")]
    pending = [signals(name)] if name in world.facts.signalled else []

    def gone(values: tuple[Any, ...]) -> list[Any]:
        new: list[Any] = [each - {name} for each in values[: len(held)]]
        new += [*[()] * len(fed), *[None] * len(buffers)]
        for inside, most in values[len(new) : len(new) + len(sections)]:
            new.append((tuple(each for each in inside if each != name), most))
        return [*new, *[()] * len(pending)]

    keys = [*held, *fed, *buffers, *sections, *pending]
    kinds = [f"{key}:drop" for key in held] + [f"{key}:end" for key in (*fed, *buffers)]
    kinds += [f"{key}:w" for key in sections]
    return gone, keys, [*kinds, *[f"{key}:end" for key in pending]]


def _cut_off(world: World, name: str) -> bool:
    """Whether a process may end before its feeder threads have."""
    plan = world.program.plans[name]
    return name in world.facts.killable or has_verb(plan, "os_exit", "crash", "cancel_join_thread")


def arrival(world: World, name: str) -> Step:
    """A signal comes to a process that is alive, at whatever time. In a stopped one all but
    SIGKILL wait until it goes on."""
    own, keys, kinds = _belongings(world, name)
    process = world.processes[name]
    halts = (stopped(name),) if name in world.facts.suspendable else ()

    def change(pending: Any, alive: Any, up_to: Any, *values: Any) -> Any:
        if alive != ALIVE or not isinstance(up_to, Local):
            return []
        found = []
        is_stopped, values = values[: len(halts)], values[len(halts) :]
        for number in map(abs, pending):
            if number == STOP:
                left = tuple(each for each in pending if each != STOP)
                found.append((number, (left, alive, up_to, True, *values)))
            elif number == KILL or not any(is_stopped):
                new = own(values)
                new[-1:] = []
                dead = process.killed(up_to, number)
                halted = [False] * len(halts)
                found.append((number, ((), -number, dead, *halted, *new)))
        return found

    first = (signals(name), life(name), actor(name), *halts)
    whole = (f"{signals(name)}:arrive", f"{life(name)}:end", f"{actor(name)}:kill")
    halting = tuple(f"{each}:stop" for each in halts)
    return Step((*first, *keys[:-1]), (*whole, *halting, *kinds[:-1]), change)
