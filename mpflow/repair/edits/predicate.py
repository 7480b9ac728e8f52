"""A notify that comes before the wait and is lost -> what is waited for, kept in a value, and a
wait only while it is not so."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, subject
from mpflow.repair.source import Change, Changes, together


def _candidates(case: Case) -> Iterator[Candidate]:
    stuck = {name for each in case.clues.waits("wait") for name in each.on}
    for name in sorted(stuck):
        waits = [spot for spot in case.of("wait") if subject(spot.node) == name]
        tells = [spot for spot in case.of("notify", "notify_all") if subject(spot.node) == name]
        looped = any(node.verb == "while" for spot in waits for node in spot.around)
        if case.type_of(waits[0].node) == "condition" and tells and not looped:
            yield _remembered(case, name, waits, tells)


def _remembered(case: Case, name: str, waits: list[Spot], tells: list[Spot]) -> Candidate:
    ready = case.new_name(f"{name}_ready")
    seen = case.new_name(f"{name}_seen")
    source = case.source
    changes: list[Changes | None] = [source.declare(ready, {"type": "value", "lock": False})]
    load = ("load", {"from": ready, "into": seen})
    for spot in waits:
        changes.append(source.insert(spot.path, False, load))
        changes.append(_again(case, spot, load))  # before the loop's end
        changes.append(
            source.wrap(spot.path, spot.path, "while", "condition", f"{seen} == 0", "do")
        )
    for spot in tells:
        changes.append(source.insert(spot.path, False, ("store", {"value": 1, "to": ready})))
    why = f"What `{name}` tells is kept in `{ready}`, and looked at before each wait:"
    return Candidate(_joined(changes), f"{why} a notify that came earlier is not lost.")


def _again(case: Case, spot: Spot, load: tuple[str, object]) -> Changes | None:
    """The load behind the wait, as deep as that will be inside the loop."""
    found = case.source.insert(spot.path, True, load)
    item = case.source.item(spot.path)
    if found is None or item is None or item.indent is None:
        return found
    return tuple(each._replace(new=" " * 6 + each.new) for each in found)


def _joined(changes: list[Changes | None]) -> Changes | None:
    """All of them; what is put in at the same place in the order in which it was asked for."""
    found: dict[tuple[int, int], str] = {}
    for part in changes:
        if part is None:
            return None
        for start, end, new in part:
            found[start, end] = found.get((start, end), "") + new
    return together(tuple(Change(*place, new) for place, new in found.items()))


EDIT = Edit("a loop around the wait", 2, _candidates)
