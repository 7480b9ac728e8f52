"""Events in Promela: a flag; who waits is noted where the event is cleared, too.

In: a node of one process, and what it is on. Out: lines of its Body.
"""

from __future__ import annotations

from mpflow.promela.body import Body, Operations, waits
from mpflow.promela.lines import Step
from mpflow.promela.targets import Target
from mpflow.scenario import Node


def _set(body: Body, node: Node, found: Target) -> None:
    """Set, and wake all that wait."""
    waiting = body.world.facts.waiting.get(found.name, {})
    parked = [
        f"parked_{found.name}{found.within(len(waiting), str(i))}" for i in range(len(waiting))
    ]
    wake = [f"{each} = 0" for each in parked] if found.name in body.world.facts.cleared else []
    note = body.note(node, found.shown)
    body.lines.step("", f"event_{found.name}{found.at} = 1", *wake, note=note)


def _clear(body: Body, node: Node, found: Target) -> None:
    body.world.noted.cleared.add(found.name)
    note = body.note(node, found.shown)
    body.lines.step("", f"event_{found.name}{found.at} = 0", note=note)


def _is_set(body: Body, node: Node, found: Target) -> None:
    into = body.into(node)
    if into:
        note = body.note(node, found.shown)
        body.lines.step("", f"{into} = event_{found.name}{found.at}", note=note)


def _wait(body: Body, node: Node, found: Target) -> None:
    """Where the event is cleared, too, who waits may be woken and then find it cleared again."""
    flag, patient = f"event_{found.name}{found.at}", waits(body, node)
    note, into = body.note(node, found.shown), body.into(node)
    yes, no = ([f"{into} = 1"], [f"{into} = 0"]) if into else ([], [])
    body.world.noted.waits(found.name, body.name)
    if found.name not in body.world.facts.cleared:
        if patient:
            body.lines.step(flag, *yes, note=note)
        else:
            body.lines.choice(Step(flag, tuple(yes)), Step(f"!{flag}", tuple(no)), note=note)
        return
    width = len(body.world.facts.waiting.get(found.name, ()))
    place = str(body.world.facts.place(found.name, body.name))
    parked = f"parked_{found.name}{found.within(width, place)}"
    woken = Step(f"!{parked}", (f"{into} = {flag}",) if into else ())
    late = Step(parked, (f"{parked} = 0", *no))
    lines = body.lines
    lines.line(f"if\t/* {note} */")
    lines.line(f":: {Step(flag, tuple(yes))}")
    again = (
        (lambda: lines.step(woken.guard, *woken.effects))
        if patient
        else (lambda: lines.choice(woken, late))
    )
    body.branch(f":: {Step(f'!{flag}', (f'{parked} = 1',)).bare}", again)
    lines.line("fi;")


OPERATIONS: dict[str, Operations] = {
    "set": {"event": _set},
    "clear": {"event": _clear},
    "is_set": {"event": _is_set},
    "wait": {"event": _wait},
}
