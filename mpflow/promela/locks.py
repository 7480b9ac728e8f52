"""Locks and semaphores in Promela: counters, or an owner and how often he has acquired.

In: a node of one process, and what it is on. Out: lines of its Body.
"""

from __future__ import annotations

from mpflow import registry
from mpflow.promela import leaving
from mpflow.promela.body import Body, Operations, waits
from mpflow.promela.frames import With
from mpflow.promela.lines import Step
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target, target
from mpflow.promela.variables import sets
from mpflow.scenario import Node, nodes_of

COUNTED = ("lock", "semaphore", "bounded_semaphore")
OWNED = ("rlock", "value", "array")


def _acquire(body: Body, node: Node, found: Target) -> None:
    note = body.note(node, found.shown)
    step, key = _taken(body, found), _key(found)
    patient = waits(body, node)
    into = body.into(node)
    if patient:
        effects = (*step.effects, f"{into} = 1") if into else step.effects
        body.lines.step(step.guard, *effects, note=note)
        body.flow = body.flow.holding(key)
        return
    got = Step(step.guard, (*step.effects, *([f"{into} = 1"] if into else [])))
    body.lines.choice(got, Step(f"!({step.guard})", (f"{into} = 0",) if into else ()), note=note)


def _release(body: Body, node: Node, found: Target) -> None:
    _release_it(body, found, body.note(node, found.shown))


def _release_it(body: Body, found: Target, note: str) -> None:
    """Release what was acquired. Who surely holds it can do so in one step: nobody can see the
    difference. Else CPython looks whether it is held, and in a second step gives it back."""
    key, sure = _key(found), False
    if body.flow.held[key]:
        body.flow, sure = body.flow.holding(key, -1), True
    if found.type == "semaphore":
        body.lines.step("", f"{key}++", note=note)
        return
    if not sure:
        body.world.noted.loose.add(found.name)
    sure = found.name not in body.world.facts.loose
    if found.type in OWNED:
        held_by, depth = owner(found)
        effects = (f"{depth}--", f"{held_by} = ({depth} > 0 -> {held_by} : NOBODY)")
        step = Step(f"{held_by} == {body.number}", effects)
        if sure:
            body.lines.step("", *effects, note=note)
        else:
            leaving.attempt(body, step, "AssertionError", note)
        return
    if not sure:
        most = found.declared.options.get("value", 1)
        leaving.attempt(body, Step(f"{key} < {most}"), "ValueError", note)
    body.lines.step("", f"{key}++", note=note if sure else "")


def _taken(body: Body, found: Target) -> Step:
    """The step that acquires."""
    if found.type in COUNTED:
        key = _key(found)
        return Step(f"{key} > 0", (f"{key}--",))
    if found.type != "rlock":
        if found.declared.options["lock"] is not True:
            raise Refusal(f"`{found.name}` has no lock of its own", "acquire the lock by its name")
        body.world.noted.guarded.add(found.name)
    held_by, depth = owner(found)
    return Step(mine(body, held_by), (f"{held_by} = {body.number}", f"{depth}++"))


def mine(body: Body, owner: str) -> str:
    """That a process may have what has an owner: nobody does, or it does already."""
    return f"({owner} == NOBODY || {owner} == {body.number})"


def owner(found: Target) -> tuple[str, str]:
    """The variables for who has acquired it, and how often."""
    return f"owner_{found.name}{found.at}", f"depth_{found.name}{found.at}"


def _key(found: Target) -> str:
    """What counts its permits; or names it, where an owner is kept."""
    prefix = {"lock": "lock", "rlock": "owner", "value": "owner", "array": "owner"}
    return f"{prefix.get(found.type, 'sem')}_{found.name}{found.at}"


def with_(body: Body, node: Node) -> None:
    """Acquire, the block, and release on every way out of it."""
    verb = registry.verbs()["with"]
    found = target(node, verb, "lock", body.terms, body.world.scenario.names)
    if found.type not in (*COUNTED, *OWNED):
        known = ", ".join((*COUNTED, *OWNED))
        raise Refusal(f"a {found.type} cannot be exported", f"these can be: {known}")
    inside = next(each.nodes for each in node.blocks)
    if any(f"v_{v}" in found.variables for each in nodes_of(inside) for v in sets(each)):
        raise Refusal("what the block sets decides which lock is released", "", "lock")
    body.need(found)
    step = _taken(body, found)
    body.lines.step(step.guard, *step.effects, note=body.note(node, found.shown))
    body.flow = body.flow.holding(_key(found))

    def release() -> None:
        _release_it(body, found, f"line {node.line}: leave with {found.shown}")

    body.inside(inside, With(release))
    if body.flow.alive:
        release()


OPERATIONS: dict[str, Operations] = {
    "acquire": dict.fromkeys((*COUNTED, *OWNED), _acquire),
    "release": dict.fromkeys((*COUNTED, *OWNED), _release),
}
