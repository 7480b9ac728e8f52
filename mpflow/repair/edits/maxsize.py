"""A put that waits for a free place -> a queue with more places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow.document import Path
from mpflow.repair.kinds import Candidate, Case, Edit, said, subject
from mpflow.repair.source import together

MORE = (1, 2, 3, 4, 6, 8, 16, 32)


def _candidates(case: Case) -> Iterator[Candidate]:
    bounded = list(_bounded(case))
    for more in MORE:
        for name, size in bounded:
            yield _larger(case, [(name, size)], more)
    if len(bounded) > 1:
        for more in MORE:
            yield _larger(case, bounded, more)


def _bounded(case: Case) -> Iterator[tuple[str, Any]]:
    """The queues in whose put somebody waits, and their maxsize as written."""
    found: dict[str, Any] = {}
    for spot in case.waiting("put"):
        declared = case.declared(subject(spot.node))
        if declared and declared.options.get("maxsize"):
            data = case.scenario.document.data["primitives"][declared.name]
            found[declared.name] = data["maxsize"]
    yield from found.items()


def _larger(case: Case, queues: list[tuple[str, Any]], more: int) -> Candidate:
    changes = []
    for name, size in queues:
        path: Path = ("primitives", name, "maxsize")
        changes.append(case.source.replace(path, _plus(size, more)))
    names = [name for name, _ in queues]
    why = f"{said(*names)} can hold {more} more: a put need not wait for a get that comes later."
    return Candidate(together(*changes), why)


def _plus(size: Any, more: int) -> Any:
    return size + more if isinstance(size, int) else f"$({str(size).removeprefix('$')} + {more})"


EDIT = Edit("maxsize", 1, _candidates)
