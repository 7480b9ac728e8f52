"""A semaphore that lets somebody in before anything was released -> one that begins at 0; one that
lets too many in at once -> one that lets fewer in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow.repair.kinds import Candidate, Case, Edit, subject

MOST = 3  # smaller values that are tried


def _candidates(case: Case) -> Iterator[Candidate]:
    for name, declared in case.scenario.names.primitives.items():
        if declared.type not in ("semaphore", "bounded_semaphore"):
            continue
        if not _is_lock(case, name):
            why = f"`{name}` begins at 0: nobody passes before somebody has released it."
            yield from _with_value(case, name, 0, why)
        else:
            before = declared.options.get("value") or 0
            for fewer in range(before - 1, max(before - 1 - MOST, 0), -1):
                yield from _with_value(case, name, fewer, f"`{name}` lets in {fewer} at once.")


def _with_value(case: Case, name: str, value: int, why: str) -> Iterator[Candidate]:
    """The file with another value of a semaphore, where it is written as a number or not at all."""
    declared = case.scenario.names.primitives[name]
    written: Any = (case.scenario.document.data.get("primitives") or {}).get(name)
    if isinstance(written, str):
        new = {"type": declared.type, "value": value}
        yield Candidate(case.source.replace(("primitives", name), new), why)
    elif declared.options.get("value") and "value" in written:
        yield Candidate(case.source.replace(("primitives", name, "value"), value), why)


def _is_lock(case: Case, name: str) -> bool:
    """Whether some process gives back what it has taken: then it is no signal."""
    takes, gives = (
        {spot.process for spot in case.of(*verbs) if subject(spot.node) == name}
        for verbs in (("acquire", "with"), ("release", "with"))
    )
    return bool(takes & gives)


EDIT = Edit("semaphore's value", 2, _candidates)
