"""Something is asked before a process is sure to have ended -> its join before that, or one put in
where there is none."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, item_path


def _candidates(case: Case) -> Iterator[Candidate]:
    if case.clues.waits("join"):
        return
    joins = list(case.of("join"))
    for spot in joins:
        for at in range(spot.at - 1, -1, -1):
            node = spot.nodes[at]
            if node.verb in ("start", "terminate", "kill"):
                break
            why = f"`{spot.process}` joins before the `{node.verb}` of line {node.line}:"
            changes = case.source.move(spot.path, item_path(node), after=False)
            yield Candidate(changes, f"{why} what a process does is done for certain when it ends.")
    for spot in case.of("start"):
        named = spot.node.written.get("process")
        if not any(each.node.written.get("process") in (named, "all") for each in joins):
            yield from _missing(case, spot, named)


def _missing(case: Case, spot: Spot, named: object) -> Iterator[Candidate]:
    for node in (spot.node, *spot.later):
        changes = case.source.insert(item_path(node), True, ("join", named))
        why = f"`{spot.process}` joins what it has started, behind line {node.line}:"
        yield Candidate(changes, f"{why} only then is it sure to be done.")


EDIT = Edit("join earlier", 1, _candidates)
