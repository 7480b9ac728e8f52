"""A lock or permit that is never given back -> a release behind its acquire, or a `with`."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, Spot, item_path, subject
from mpflow.repair.source import Changes, together
from mpflow.scenario import Node

FAR = 6  # actions behind the acquire that may come before the release


def _candidates(case: Case) -> Iterator[Candidate]:
    wanted = {name for each in case.clues.waits("acquire", "with") for name in each.on}
    bases = {found.name for name in wanted if (found := case.declared(name))}
    for spot in case.of("acquire"):
        declared = case.declared(subject(spot.node))
        if declared and declared.name in bases:
            if _kept(case, spot) and not any(_gives_back(n, spot.node) for n in spot.later):
                yield from _released(case, spot)
            elif _turnstile(case, spot):
                why = f"`{spot.process}` lets the next one through `{declared.name}` behind it."
                changes = case.source.insert(spot.path, True, ("release", subject(spot.node)))
                yield Candidate(changes, why)
            yield from _with(case, spot)


def _kept(case: Case, spot: Spot) -> bool:
    """Whether its process takes something that is there at first, and does not give it back. A
    semaphore that another process releases is a signal."""
    name = subject(spot.node)
    declared = case.declared(name)
    if declared is not None and "semaphore" in declared.type:
        others = (s for s in case.of("release") if s.process != spot.process)
        if any(subject(s.node) == name for s in others):
            return False
    given = any(s.process == spot.process and subject(s.node) == name for s in case.of("release"))
    kept = {each.partition("[")[0] for each in case.clues.kept.get(spot.process, ())}
    return case.is_lock(spot.node) and (not given or name.partition("[")[0] in kept)


def _turnstile(case: Case, spot: Spot) -> bool:
    """Whether all who pass here are alike, pass once, and some of them open it for others."""
    name = subject(spot.node)
    if case.is_lock(spot.node):
        return False
    users = [s for s in case.of("acquire", "with", "release") if subject(s.node) == name]
    passing = [s for s in users if s.node.verb != "release"]
    return len(passing) == 1 and len(users) > 1 and {s.process for s in users} == {spot.process}


def _released(case: Case, spot: Spot) -> Iterator[Candidate]:
    """A release behind the acquire, or behind one of the next actions; first where it is latest,
    but before other releases: what was taken last is given back first."""
    name = subject(spot.node)
    nodes = reversed((spot.node, *spot.later[:FAR]))
    for node in sorted(nodes, key=lambda node: node.verb == "release"):
        changes = case.source.insert(item_path(node), True, ("release", name))
        why = f"`{spot.process}` releases `{name}`, which it has acquired in line {spot.node.line}:"
        yield Candidate(changes, f"{why} whoever comes next waits for that.")


def _with(case: Case, spot: Spot) -> Iterator[Candidate]:
    """The actions from the acquire to its release inside a `with`."""
    name, releases = subject(spot.node), [n for n in spot.later if _gives_back(n, spot.node)]
    if not releases or spot.node.written.keys() - {"lock"}:
        return
    last = spot.nodes.index(releases[0])
    between = spot.nodes[spot.at + 1 : last]
    if not between:
        return
    source = case.source
    wrapped: Changes | None = source.wrap(
        item_path(between[0]), item_path(between[-1]), "with", "lock", name, "do"
    )
    gone = (source.delete(spot.path), source.delete(item_path(releases[0])))
    why = f"`{spot.process}` holds `{name}` by `with`, which releases it on every way out."
    yield Candidate(together(*gone, wrapped), why)


def _gives_back(node: Node, acquired: Node) -> bool:
    return node.verb == "release" and subject(node) == subject(acquired)


EDIT = Edit("release on every way out", 1, _candidates)
