"""Locks that are taken in different orders -> one order for all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpflow.repair.kinds import (
    Candidate,
    Case,
    Edit,
    Spot,
    item_path,
    said,
    subject,
    subject_path,
)
from mpflow.repair.source import together
from mpflow.scenario import Node

_COMPUTED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\[\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))\]")


def _candidates(case: Case) -> Iterator[Candidate]:
    stuck = {each.base for each in case.clues.waits("acquire", "with")}
    for spot in case.of("acquire", "with"):
        if spot.process in stuck and case.is_lock(spot.node):
            for inner in _inner(case, spot):
                yield from _swapped(case, spot, inner)
                yield from _by_number(case, spot, inner)


def _inner(case: Case, spot: Spot) -> Iterator[Node]:
    """What is acquired while this lock is held, in the same way."""
    outer = spot.node
    if outer.verb == "with":
        found = [node for block in outer.blocks for node in block.nodes if node.verb == "with"]
    else:
        found = []
        for node in spot.later:
            if node.verb == "release" and subject(node) == subject(outer):
                break
            if node.verb == "acquire" and not node.written.keys() - {"lock"}:
                found.append(node)
    for node in found:
        if case.is_lock(node) and subject(node) != subject(outer):
            yield node


def _swapped(case: Case, spot: Spot, inner: Node) -> Iterator[Candidate]:
    """The inner lock first: whoever holds it holds it a little longer than before, never less."""
    outer = spot.node
    first, second = subject(inner), subject(outer)
    why = f"`{spot.process}` acquires `{first}` before `{second}`: one order of locks for all."
    if outer.verb == "acquire":
        yield Candidate(case.source.move(item_path(inner), spot.path, after=False), why)
        return
    one = case.source.replace(subject_path(outer), first)
    other = case.source.replace(subject_path(inner), second)
    yield Candidate(together(one, other), why)


def _by_number(case: Case, spot: Spot, inner: Node) -> Iterator[Candidate]:
    """The lock with the lower number first, where the index decides which they are."""
    one, other = _COMPUTED.fullmatch(subject(spot.node)), _COMPUTED.fullmatch(subject(inner))
    if not one or not other or one[1] != other[1]:
        return
    first, second = one[2] or one[3], other[2] or other[3]
    low, high = (f"{one[1]}[$({f}({first}, {second}))]" for f in ("min", "max"))
    yield Candidate(
        together(
            case.source.replace(subject_path(spot.node), low),
            case.source.replace(subject_path(inner), high),
        ),
        f"Each {said(spot.process)} acquires the one of the {said(one[1])} with the lower number"
        " first: no circle can close.",
    )


EDIT = Edit("lock order", 0, _candidates)
