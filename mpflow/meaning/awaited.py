"""Errors that a scenario waits for: an action goes in, whether its exception is meant comes out.

What a handler catches, or what `expect` names, is no Problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mpflow.document import Path
from mpflow.scenario import Declaration, Node, Scenario


class Awaited:
    """The errors of one process that something waits for."""

    def __init__(self, scenario: Scenario, declaration: Declaration) -> None:
        self.expected = expected(scenario, declaration.replicas)
        self.handled = set(_handled(declaration.nodes or (), False))

    def __contains__(self, node: Node) -> bool:
        return self.expected or node.path in self.handled


def expected(scenario: Scenario, names: Iterable[str]) -> bool:
    """Whether `expect` names an error, or an exit code other than 0, of one of these processes."""
    errors, codes = scenario.expectation.errors, scenario.expectation.exitcodes
    return any(any(errors.get(name, ())) or any(codes.get(name, ())) for name in names)


def _handled(nodes: tuple[Node, ...], around: bool) -> Iterator[Path]:
    """The paths of the actions whose exceptions something handles."""
    for node in nodes:
        if around:
            yield node.path
        handles = any(block.part == "except" for block in node.blocks)
        for block in node.blocks:
            yield from _handled(block.nodes, around or (handles and block.part == "do"))
