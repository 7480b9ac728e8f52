"""Items of several producers that overtake each other -> a queue without feeder threads."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit


def _candidates(case: Case) -> Iterator[Candidate]:
    data = case.scenario.document.data.get("primitives") or {}
    for name, declared in case.scenario.names.primitives.items():
        if declared.type == "queue" and not declared.options.get("maxsize"):
            path = ("primitives", name)
            whole = path if isinstance(data.get(name), str) else (*path, "type")
            why = f"`{name}` is a simple_queue: its put is done when the item is in the pipe."
            yield Candidate(case.source.replace(whole, "simple_queue"), why)


EDIT = Edit("simple queue", 2, _candidates)
