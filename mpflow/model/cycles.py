"""Search -> the states from which no end can be reached: a loop that nobody can leave.

In: a search that went to its end. Out: the states of each such loop, the nearest loop first. A
loop in which somebody could always go on, and out of it, is no livelock: he will (weak fairness).
"""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.model.explore import Search


def endless(found: Search) -> list[list[int]]:
    """The strongly connected parts that have no way out and are no end: their states, in the order
    of the search (Tarjan's algorithm, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    leads_out: set[int] = set()  # states whose part has a way out
    ends = set(found.ends)
    traps: list[list[int]] = []
    first = found.graph.first
    work: list[tuple[int, Iterator[int]]] = [(first, _after(found, first))]
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
                work.append((new, _after(found, new)))
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
                    traps.append(part)
                if work:
                    leads_out.add(work[-1][0])
    order = {state: place for place, state in enumerate(found.came_from)}
    return sorted(
        (sorted(part, key=order.__getitem__) for part in traps), key=lambda p: order[p[0]]
    )


def _part(stack: list[int], on_stack: set[int], root: int) -> list[int]:
    part = []
    while True:
        part.append(stack.pop())
        on_stack.discard(part[-1])
        if part[-1] == root:
            return part


def _after(found: Search, state: int) -> Iterator[int]:
    """The states that the search went on to."""
    return (new for new, _ in found.graph.after(state))
