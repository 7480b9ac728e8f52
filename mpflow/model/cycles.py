"""Search -> the states from which no end can be reached: a loop that nobody can leave.

In: a search that went to its end. Out: one state of each such loop, the nearest first. A loop in
which somebody could always go on, and out of it, is no livelock: he will (weak fairness).
"""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.model.explore import Choice, Search
from mpflow.model.space import Space


def endless(space: Space, found: Search, choice: Choice | None) -> list[int]:
    """A state of each strongly connected part that has no way out and is no end, in the order of
    the search (Tarjan's algorithm, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    leads_out: set[int] = set()  # states whose part has a way out
    ends = set(found.ends)
    traps: list[int] = []
    first = space.first
    work: list[tuple[int, Iterator[int]]] = [(first, _after(space, choice, first))]
    index[first] = low[first] = 0
    stack.append(first)
    on_stack.add(first)
    while work:
        state, following = work[-1]
        for new in following:
            if new not in index:
                index[new] = low[new] = len(index)
                stack.append(new)
                on_stack.add(new)
                work.append((new, _after(space, choice, new)))
                break
            if new in on_stack:
                low[state] = min(low[state], index[new])
            else:
                leads_out.add(state)
        else:
            work.pop()
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[state])
            if low[state] == index[state]:
                part = _part(stack, on_stack, state)
                if not any(each in leads_out or each in ends for each in part):
                    traps.append(min(part, key=lambda each: index[each]))
                if work:
                    leads_out.add(work[-1][0])
    order = {state: place for place, state in enumerate(found.came_from)}
    return sorted(traps, key=lambda state: order[state])


def _part(stack: list[int], on_stack: set[int], root: int) -> list[int]:
    part = []
    while True:
        part.append(stack.pop())
        on_stack.discard(part[-1])
        if part[-1] == root:
            return part


def _after(space: Space, choice: Choice | None, state: int) -> Iterator[int]:
    """The states that a search goes on to."""
    if choice is None:
        yield from (new for new, _ in space.successors(state))
        return
    for number in choice.actors(state):
        for difference in space.differences(space.actors[number], state):
            yield choice.run_on(state + difference, number)[0]
