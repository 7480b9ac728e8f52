"""Consumers that wait for a last item which never comes -> one for each of them."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, subject

FEW = 3  # as many are written one below the other; more as a `repeat`


def _candidates(case: Case) -> Iterator[Candidate]:
    for queue, missing in _missing(case).items():
        puts = [spot for spot in case.of("put") if subject(spot.node) == queue]
        for spot in sorted(puts, key=lambda spot: -spot.at):
            yield from _repeated(case, spot, missing)


def _missing(case: Case) -> dict[str, int]:
    """For each queue how many wait in its get at most, in one wrong run."""
    found: dict[str, set[str]] = {}
    for each in case.clues.waits("get"):
        for queue in each.on:
            found.setdefault(queue, set()).add(each.process)
    return {queue: len(processes) for queue, processes in found.items()}


def _repeated(case: Case, spot: Spot, missing: int) -> Iterator[Candidate]:
    given = spot.node.written
    if "value" not in given or given.keys() - {"value", "to"}:
        return
    queue = subject(spot.node)
    if not case.is_sentinel(given["value"], queue):
        return
    for more in range(1, missing + 1):
        why = f"`{spot.process}` puts `{given['value']}` {_times(more)} into `{queue}`: one for"
        why += " each who waits for it."
        if more <= FEW:
            put = ("put", {"value": given["value"], "to": queue})
            yield Candidate(case.source.insert(spot.path, True, *[put] * more), why)
    changes = case.source.wrap(spot.path, spot.path, "repeat", "times", f"$({missing} + 1)", "do")
    yield Candidate(changes, f"`{spot.process}` puts it {missing + 1} times.")


def _times(more: int) -> str:
    return "once more" if more == 1 else f"{more} times more"


EDIT = Edit("a sentinel for each consumer", 0, _candidates)
