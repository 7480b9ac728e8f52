"""Consumers that wait for a last item which never comes -> one for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, subject
from mpflow.repair.source import yaml

FEW = 3  # as many are written one below the other; more as a `repeat`


def _candidates(case: Case) -> Iterator[Candidate]:
    for queue, processes in _stuck(case).items():
        puts = [spot for spot in case.of("put") if subject(spot.node) == queue]
        for spot in sorted(puts, key=lambda spot: -spot.at):
            given = spot.node.written
            plain = not given.keys() - {"value", "to"}
            if plain and case.is_sentinel(given.get("value"), queue):
                yield from _repeated(case, spot, processes)


def _stuck(case: Case) -> dict[str, dict[str, str]]:
    """For each queue the processes that wait in its get, and their names as declared."""
    found: dict[str, dict[str, str]] = {}
    for each in case.clues.waits("get"):
        for queue in each.on:
            found.setdefault(queue, {})[each.process] = each.base
    return found


def _repeated(case: Case, spot: Spot, stuck: dict[str, str]) -> Iterator[Candidate]:
    value, queue = spot.node.written["value"], subject(spot.node)
    why = (
        f"`{spot.process}` puts `{yaml(value)}` into `{queue}` {{}}: one for each who waits for it."
    )
    put = ("put", {"value": value, "to": queue})
    for more in range(1, min(len(stuck), FEW) + 1):
        times = "once more" if more == 1 else f"{more} times more"
        yield Candidate(case.source.insert(spot.path, True, *[put] * more), why.format(times))
    loop = spot.around[-1] if spot.around else None
    for number in (*_written(case, stuck), len(stuck), len(stuck) + 1):
        told = why.format(f"{_told(number)} times")
        if loop is not None and loop.verb == "repeat":
            yield Candidate(case.source.replace(loop.places["times"], number), told)
        wrapped = case.source.wrap(spot.path, spot.path, "repeat", "times", number, "do")
        yield Candidate(wrapped, told)


def _told(number: Any) -> str:
    return f"`{number.removeprefix('$')}`" if isinstance(number, str) else str(number)


def _written(case: Case, stuck: dict[str, str]) -> Iterator[Any]:
    """How many there are, as the file has it: `$consumers`."""
    for base in dict.fromkeys(stuck.values()):
        count = (case.scenario.document.data["processes"].get(base) or {}).get("count")
        if isinstance(count, str):
            yield count


EDIT = Edit("a sentinel for each consumer", 0, _candidates)
