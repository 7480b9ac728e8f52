"""A semaphore that lets somebody in before anything was released -> one that begins at 0."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit


def _candidates(case: Case) -> Iterator[Candidate]:
    data = case.scenario.document.data.get("primitives") or {}
    for name, declared in case.scenario.names.primitives.items():
        if declared.type not in ("semaphore", "bounded_semaphore"):
            continue
        why = f"`{name}` begins at 0: nobody passes before somebody has released it."
        if isinstance(data.get(name), str):
            new = {"type": declared.type, "value": 0}
            yield Candidate(case.source.replace(("primitives", name), new), why)
        elif declared.options.get("value") and "value" in data[name]:
            yield Candidate(case.source.replace(("primitives", name, "value"), 0), why)


EDIT = Edit("semaphore's value", 2, _candidates)
