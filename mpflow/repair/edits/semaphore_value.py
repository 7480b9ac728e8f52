"""A semaphore that lets somebody in before anything was released -> one that begins at 0."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, subject


def _candidates(case: Case) -> Iterator[Candidate]:
    data = case.scenario.document.data.get("primitives") or {}
    for name, declared in case.scenario.names.primitives.items():
        if declared.type not in ("semaphore", "bounded_semaphore") or _is_lock(case, name):
            continue
        why = f"`{name}` begins at 0: nobody passes before somebody has released it."
        if isinstance(data.get(name), str):
            new = {"type": declared.type, "value": 0}
            yield Candidate(case.source.replace(("primitives", name), new), why)
        elif declared.options.get("value") and "value" in data[name]:
            yield Candidate(case.source.replace(("primitives", name, "value"), 0), why)


def _is_lock(case: Case, name: str) -> bool:
    """Whether some process gives back what it has taken: then it is no signal."""
    takes, gives = (
        {spot.process for spot in case.of(*verbs) if subject(spot.node) == name}
        for verbs in (("acquire", "with"), ("release", "with"))
    )
    return bool(takes & gives)


EDIT = Edit("semaphore's value", 2, _candidates)
