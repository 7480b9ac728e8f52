"""Something is asked, and what follows from it done, while others come in between -> both under
one lock."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, inside, item_path, said, subject
from mpflow.repair.source import Changes, together
from mpflow.scenario import Node

_ASKS = {"load": "store", "empty": "get", "qsize": "get", "poll": "recv", "full": "put"}
_Range = tuple[Spot, Node]


def _candidates(case: Case) -> Iterator[Candidate]:
    found: dict[str, list[_Range]] = {}
    for spot in case.of(*_ASKS):
        last = _last(spot)
        if last is not None and not _locked(case, spot):
            found.setdefault(subject(spot.node), []).append((spot, last))
    for name, ranges in found.items():
        for lock in _locks(case, name):
            yield _guarded(case, name, ranges[:1], lock)
            yield _guarded(case, name, _outermost(ranges), lock)


def _last(spot: Spot) -> Node | None:
    """The last action of the list that changes what was asked for."""
    wanted, name = _ASKS[spot.node.verb], subject(spot.node)
    changing = (
        node
        for node in spot.later
        if any(each.verb == wanted and subject(each) == name for each in inside(node))
    )
    return next(reversed(list(changing)), None) if name else None


def _locked(case: Case, spot: Spot) -> bool:
    """Whether it is under a lock already."""
    return any(node.verb == "with" for node in spot.around)


def _outermost(ranges: list[_Range]) -> list[_Range]:
    """Of ranges in one list that overlap, the first."""
    found: list[_Range] = []
    for spot, last in ranges:
        before = [r for r in found if r[0].nodes is spot.nodes]
        if all(spot.at > r[0].nodes.index(r[1]) for r in before):
            found.append((spot, last))
    return found


def _locks(case: Case, name: str) -> Iterator[tuple[str, bool]]:
    """The locks to take, and whether they have to be declared first: its own, one that is there
    already, a new one."""
    own = case.declared(name)
    if own and own.type in ("value", "array") and own.options.get("lock", True) is True:
        yield name, False
        return
    for each in case.scenario.names.primitives.values():
        if each.type in ("lock", "rlock") and each.count is None:
            yield each.name, False
    yield case.new_name("guard"), True


def _guarded(case: Case, name: str, ranges: list[_Range], lock: tuple[str, bool]) -> Candidate:
    changes: list[Changes | None] = [case.source.declare(lock[0], "lock")] if lock[1] else []
    for spot, last in ranges:
        changes.append(case.source.wrap(spot.path, item_path(last), "with", "lock", lock[0], "do"))
    asked = ranges[0][0].node.verb
    names = dict.fromkeys(spot.process for spot, _ in ranges)
    who = f"{said(*names)} {'holds' if len(names) == 1 else 'hold'}"
    why = f"{who} `{lock[0]}` over the `{asked}` of `{name}` and what follows from it:"
    return Candidate(together(*changes), f"{why} nobody comes in between.")


EDIT = Edit("with around read and write", 2, _candidates)
