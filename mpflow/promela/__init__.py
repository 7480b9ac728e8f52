"""A Scenario goes in, a model of it in Promela comes out: the text that Spin explores.

The model is exact, or there is none: what Promela cannot say is a Problem. Time is not said: a
sleep lasts any time, and a timeout strikes whenever its action cannot go on. A deadlock is an
invalid end state of Spin's, an `assert` one of its assertions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mpflow.problems import Problem, in_order
from mpflow.promela import declarations, leaving, verbs
from mpflow.promela.body import Body, Identity, World
from mpflow.promela.facts import Facts
from mpflow.promela.values import Texts
from mpflow.scenario import Scenario

MOST_PROCESSES = 250  # Spin has room for 255


class Model(NamedTuple):
    """The text, or what keeps a scenario from having one."""

    text: str
    problems: list[Problem]


def export(scenario: Scenario) -> Model:
    """The model of a scenario that has no problems of its own."""
    identities = _identities(scenario)
    world = World(scenario, identities, Facts(), Facts(), Texts(), verbs.write, leaving.last)
    _written(world)
    world = World(scenario, identities, world.noted, Facts(), Texts(), verbs.write, leaving.last)
    bodies = _written(world)
    problems = [problem for body in bodies for problem in body.problems]
    problems += declarations.problems(world, len(identities), MOST_PROCESSES)
    if problems:
        return Model("", in_order(problems))
    return Model("\n".join(_text(world, bodies)) + "\n", [])


def _identities(scenario: Scenario) -> Mapping[str, Identity]:
    found = {"main": Identity("main", 0, None)}
    for declaration in scenario.processes.values():
        for place, name in enumerate(declaration.replicas):
            index = None if declaration.count is None else place
            found[name] = Identity(name, len(found), index)
    return found


def _written(world: World) -> list[Body]:
    """All processes, main first: who starts a process is known when others are written."""
    bodies = []
    for declaration in (world.scenario.main, *world.scenario.processes.values()):
        for name in declaration.replicas:
            body = Body(world, declaration, world.identities[name])
            if name == "main":
                body.lines.runs += [f"run {each};" for each in declarations.feeders(world)]
            body.write()
            bodies.append(body)
    return bodies


def _text(world: World, bodies: list[Body]) -> Iterator[str]:
    """The lines; the head comes last into being, when all texts are known."""
    processes = [line for body in (*bodies[1:], bodies[0]) for line in _process(body)]
    yield from declarations.head(world)
    yield from declarations.primitives(world)
    yield from processes


def _process(body: Body) -> Iterator[str]:
    yield ""
    yield "init {" if body.name == "main" else f"proctype {body.identity.code}() {{"
    yield from (f"\t{each}" for each in body.declarations())
    yield from body.lines.rendered()
    yield "end:\tfalse;"
    yield "}"
