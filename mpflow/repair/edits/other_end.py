"""A reader that waits for a pipe's end and holds the writing end itself -> it closes that first."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow import registry
from mpflow.repair.kinds import Candidate, Case, Edit, Spot, item_path, subject
from mpflow.scenario import Node


def _candidates(case: Case) -> Iterator[Candidate]:
    ends: dict[str, None] = {}
    for spot in case.waiting("recv"):
        for end in _others(case, spot):
            ends[end] = None
            yield from _first(case, spot, end)
    for end in ends:
        for spot in case.of("start"):
            yield _closed(case, spot.process, spot.node, True, end)
        for spot in case.of("send"):
            if subject(spot.node) == end:
                for node in (spot.node, *(spot.around[:1])):
                    yield _closed(case, spot.process, node, True, end)


def _others(case: Case, spot: Spot) -> Iterator[str]:
    """The other ends of the pipe that an action is on."""
    declared = case.declared(subject(spot.node))
    if declared is not None and declared.count is None:
        for part in registry.primitive(declared.type).parts(declared.options):
            if part and f"{declared.name}{part}" != subject(spot.node):
                yield f"{declared.name}{part}"


def _first(case: Case, spot: Spot, end: str) -> Iterator[Candidate]:
    """The reader closes its copy before anything else."""
    first = (spot.declaration.nodes or ())[0]
    if spot.process == "main":
        return
    for close in case.of("close"):
        if close.process == spot.process and subject(close.node) == end:
            moved = case.source.move(close.path, item_path(first), after=False)
            yield Candidate(moved, _why(spot.process, end))
    yield _closed(case, spot.process, first, False, end)


def _closed(case: Case, process: str, node: Node, after: bool, end: str) -> Candidate:
    changes = case.source.insert(item_path(node), after, ("close", end))
    return Candidate(changes, _why(process, end))


def _why(process: str, end: str) -> str:
    return f"`{process}` closes its copy of `{end}`: the end comes when every copy is closed."


EDIT = Edit("close the other end", 0, _candidates)
