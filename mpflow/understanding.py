"""A Document goes in, its cases as Scenarios and all its Problems come out.

First the shape; what is faulty there is left out, and the rest is asked for its meaning, so that
all problems are told in one go. Where something is said of a place, nothing more is said of it
later: a second problem there would only follow from the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import prod

from mpflow import meaning, schema
from mpflow.document import Document, Path
from mpflow.problems import Problem, in_order
from mpflow.scenario import MAX_CASES, Choice, Node, Scenario, cases, nodes_of
from mpflow.scenario.building import build
from mpflow.scenario.findings import MAX_PROBLEMS


def understand(
    document: Document, faults: list[Problem], choice: Choice
) -> tuple[list[Scenario], list[Problem]]:
    """All cases of a file that was read with some `faults`; no cases where its shape is bad."""
    if not faults and schema.fits(document.data):
        return _cases(document, choice, frozenset(), _Said([]))
    from mpflow.schema.faults import explain
    from mpflow.schema.mending import mended

    unread = {each.span.line for each in faults if each.span}  # YAML made something else of them
    said = _Said(faults)
    found = (p for p in explain(document) if p.span is None or p.span.line not in unread)
    said.add(islice(found, MAX_PROBLEMS))
    if not isinstance(document.data, dict):
        return [], said.problems
    sound, lost = mended(document, faults)
    return [], _cases(sound, choice, lost, said)[1]


def _cases(
    document: Document, choice: Choice, lost: frozenset[str], said: _Said
) -> tuple[list[Scenario], list[Problem]]:
    too_many = _too_many(document)
    if too_many is not None:
        return [], in_order([*said.problems, too_many])
    scenarios: list[Scenario] = []
    bodies: dict[Path, tuple[Node, ...]] = {}
    understood: set[str] = set()
    named: frozenset[str] | None = None
    for case in cases(document, choice):
        scenario, wrong = build(document, choice, case, lost, bodies)
        scenarios.append(scenario)
        named = _named(scenario) if named is None else named
        kind = _kind(scenario, named)
        if kind not in understood:
            understood.add(kind)
            wrong = [*wrong, *meaning.problems(document, scenario, lost)]
        said.add(wrong[:MAX_PROBLEMS])
    return scenarios, in_order(said.problems)


def _named(scenario: Scenario) -> frozenset[str]:
    """Every name that an action uses; the same in all cases."""
    found: set[str] = set()
    for declaration in (*scenario.processes.values(), scenario.main):
        for node in nodes_of(declaration.nodes or ()):
            found.update(*(each.names for each in node.arguments.values()))
    return frozenset(found)


def _kind(scenario: Scenario, named: frozenset[str]) -> str:
    """What of a case decides what its names mean: cases of one kind have the same problems."""
    params = {name: value for name, value in scenario.params.items() if name in named}
    counts = [each.count for each in scenario.processes.values()]
    return repr((params, counts, scenario.names.primitives))


class _Said:
    """Problems in stages: a later one at the place of an earlier stage's is dropped."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def add(self, more: Iterable[Problem]) -> None:
        """What a stage has found."""
        places = {each.span[:2] for each in self.problems if each.span}
        self.problems = [
            *self.problems,
            *(each for each in more if each.span is None or each.span[:2] not in places),
        ]


def _too_many(document: Document) -> Problem | None:
    matrix = document.data.get("matrix") or {}
    count = prod(map(len, matrix.values()))
    if count <= MAX_CASES:
        return None
    message = f"the matrix has {count:,} combinations; at most {MAX_CASES:,} are allowed"
    return document.problem("too-many-cases", message, ("matrix",), key=True)
