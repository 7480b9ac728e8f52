"""Report -> Clues: what its counterexamples tell about where to mend.

Who waits at the end of a wrong run, in which action and for what; which locks each holds; who
died of which error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from mpflow.model.check import Report, Violation
from mpflow.model.local import Dead, Local
from mpflow.model.machine import State
from mpflow.model.names import actor
from mpflow.model.schedule import Taken, replay
from mpflow.model.space import Space
from mpflow.model.world import World

MOST = 8  # counterexamples that are looked at


class Waiting(NamedTuple):
    """A process that has not ended: as declared, by name; its action's verb and line, and what
    that is on. On its way out the verb is empty, and `on` has the queues that it still writes."""

    base: str
    process: str
    verb: str
    line: int
    on: tuple[str, ...]


class Clues(NamedTuple):
    """What is known of the wrong runs. `held`: each process's locks; `kept`: by the names of the
    declared, those that a process held when it ended, or when it asked for them again."""

    waiting: tuple[Waiting, ...] = ()
    held: Mapping[str, frozenset[str]] = {}
    errors: Mapping[str, str] = {}
    kept: Mapping[str, frozenset[str]] = {}

    def waits(self, *verbs: str) -> tuple[Waiting, ...]:
        """Those who wait in an action of these verbs."""
        return tuple(each for each in self.waiting if each.verb in verbs)


def clues(report: Report) -> Clues:
    """What all counterexamples tell together."""
    space = Space(report.world)
    waiting: dict[Waiting, None] = {}
    held: dict[str, frozenset[str]] = {}
    errors: dict[str, str] = {}
    kept: dict[str, frozenset[str]] = {}
    for violation in _telling(report)[:MOST]:
        taken = space.laid_out(partial(replay, space, violation.schedule))
        state = taken[-1].state if taken else space.first
        locks = _held(taken)
        for name, plan in report.world.program.plans.items():
            value, own = space.value(state, actor(name)), locks.get(name, frozenset())
            held[name] = held.get(name, frozenset()) | own
            if isinstance(value, Local):
                one = _waiting(report.world, name, value)
                waiting[one] = None
                own &= {*one.on} if one.verb else own
            elif isinstance(value, Dead) and value.error:
                errors[name] = value.error
            kept[plan.base] = kept.get(plan.base, frozenset()) | own
    return Clues(tuple(waiting), held, errors, kept)


def _telling(report: Report) -> tuple[Violation, ...]:
    """Deadlocks and runs without an end, if there are any; else all that is wrong."""
    wrong: tuple[Violation, ...] = report.violations
    return tuple(each for each in wrong if each.end in ("deadlock", "timeout")) or wrong


def _waiting(world: World, name: str, local: Local) -> Waiting:
    base = world.program.plans[name].base
    if not isinstance(local.state, State):
        step = world.step(actor(name), local)
        keys = step.touches if step is not None else ()
        fed = dict.fromkeys(re.split("[/>]", key)[0] for key in keys if ">" in key)
        return Waiting(base, name, "", 0, tuple(fed))
    ask = world.processes[name].machine.ask(local.state)
    step_ = ask.step
    named = ask.arguments.get(step_.operates)
    listed = named if isinstance(named, list | tuple) else [named]
    return Waiting(base, name, step_.verb, step_.line, tuple(str(each) for each in listed if each))


def _held(taken: Sequence[Taken]) -> dict[str, frozenset[str]]:
    """What each process has acquired and not released."""
    found: dict[str, frozenset[str]] = {}
    for each in taken:
        name = each.move.actor.removeprefix("@")
        for moment in each.moments:
            if moment.on is None or moment.failure is not None:
                continue
            known = found.get(name, frozenset())
            verb = {"enter": "acquire", "leave": "release"}.get(moment.phase, moment.step.verb)
            if verb == "acquire" and moment.result is not False:
                found[name] = known | {moment.on}
            elif verb == "release":
                found[name] = known - {moment.on}
    return found
