"""Breadth-first search over all states; what the endings are, and what else can be reached."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from .bases import Leave, TooBig, Unsupported, World
from .language import evaluate
from .machine import Machine
from .names import Over, code_of
from .program import Program


class Ending(NamedTuple):
    exitcodes: tuple[tuple[str, int | None], ...]
    errors: tuple[tuple[str, str | None], ...]
    variables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    output: tuple[str, ...]


class Judged(NamedTuple):
    endings: frozenset[Ending]
    deadlock: bool
    never: bool
    outcomes: frozenset[str]
    states: int
    most_inside: dict[str, int]
    orders: frozenset[tuple[str, str]]


def canonical(outcome: Any) -> str:
    return json.dumps(outcome, sort_keys=True, default=repr)


def explore(
    data: dict[str, Any],
    *,
    start_method: str = "fork",
    version: tuple[int, int] = (3, 11),
    most_states: int = 200_000,
    params: dict[str, Any] | None = None,
) -> Judged:
    """All that can come of a scenario, as yaml.safe_load gave it.

    The start method is the one given here, whatever the file says; a matrix's params have to be
    given. Raises Unsupported or TooBig where there is no answer.
    """
    machine = Machine(Program(data, params), start_method, version)
    first = machine.first()
    numbers = {first: 0}
    states = [first]
    before: list[list[int]] = [[]]  # the states from which each one was reached
    ends: list[int] = []
    endings: set[Ending] = set()
    outcomes: set[str] = set()
    most_inside: Counter[str] = Counter()
    deadlock = False
    here = 0
    while here < len(states):
        state = states[here]
        look_inside(machine, state, most_inside)
        following = list(machine.successors(state))
        for next_state in following:
            number = numbers.get(next_state)
            if number is None:
                number = numbers[next_state] = len(states)
                if number >= most_states:
                    raise TooBig(f"over {most_states} states")
                states.append(next_state)
                before.append([])
            before[number].append(here)
        if not following:
            ends.append(here)
            w = World(machine.table, state)
            if any(w.get(("status", p)) == "run" for p in machine.program.processes):
                deadlock = True
                outcomes.add("deadlock")
            else:
                endings.add(ending(machine, w))
                outcomes.add(outcome(machine, w))
        here += 1
    never = not can_all_end(before, ends)
    if never:
        outcomes.add("timeout")
    return Judged(
        frozenset(endings), deadlock, never, frozenset(outcomes), len(states),
        dict(most_inside), frozenset(machine.orders),
    )  # fmt: skip


def look_inside(machine: Machine, state: tuple[int, ...], most: Counter[str]) -> None:
    inside: Counter[str] = Counter()
    for p in machine.program.processes:
        place = machine.table.places.get(("thread", p, ""))
        if place is not None and place < len(state):
            inside.update(machine.sections(state[place]))
    for name, count in inside.items():
        most[name] = max(most[name], count)


def can_all_end(before: list[list[int]], ends: list[int]) -> bool:
    """Whether from each state one can be reached that nothing follows."""
    reached = [False] * len(before)
    todo = list(ends)
    while todo:
        number = todo.pop()
        if not reached[number]:
            reached[number] = True
            todo += before[number]
    return all(reached)


def ending(machine: Machine, w: World) -> Ending:
    names = sorted(machine.program.processes)
    return Ending(
        tuple((p, code_of(w, p)) for p in names),
        tuple((p, w.get(("error", p))) for p in names),
        tuple(
            (p, tuple(sorted((x, repr(v.value)) for x, v in w.get(("variables", p), ()))))
            for p in names
        ),
        tuple(w.get(("output",), ())),
    )


def outcome(machine: Machine, w: World) -> str:
    told: dict[str, Any] = {}
    for key, text in machine.program.outcome.items():
        try:
            told[key] = (
                evaluate(text, Over(machine.program, w, told)) if isinstance(text, str) else text
            )
        except Leave as leave:
            raise Unsupported(f"the outcome {key}: {leave.what}") from None
    return canonical(told)
