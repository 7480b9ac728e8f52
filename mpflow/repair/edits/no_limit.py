"""A wait that gives up too early -> a wait without a limit."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit
from mpflow.repair.source import together

_WAITS = ("get", "put", "wait", "acquire", "join", "poll", "wait_any")


def _candidates(case: Case) -> Iterator[Candidate]:
    limited = []
    for spot in case.of(*_WAITS):
        given = spot.node.written
        keys = [key for key in ("block", "timeout") if key in given and given[key] is not True]
        if keys:
            changes = together(*(case.source.drop(spot.node.places[key]) for key in keys))
            limited.append(changes)
            why = f"`{spot.process}` waits in its `{spot.node.verb}` of line {spot.node.line}"
            yield Candidate(changes, f"{why} until it succeeds: no limit is long enough for sure.")
    if len(limited) > 1:
        yield Candidate(together(*limited), "No wait gives up before what it waits for.")


EDIT = Edit("a wait without a limit", 1, _candidates)
