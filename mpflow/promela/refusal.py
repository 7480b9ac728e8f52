"""What Promela cannot say: a Refusal is raised where it is met, a Problem comes out of it."""

from __future__ import annotations

from mpflow.document import Document, Path
from mpflow.problems import Problem
from mpflow.scenario import Node

CODE = "not-exportable"


class Refusal(Exception):  # noqa: N818 - not an error: nothing is wrong with the scenario
    """Why something has no exact model, and what would make it exportable; `argument` is the one
    of the action's arguments that is to blame."""

    def __init__(self, message: str, hint: str = "", argument: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.argument = argument

    def at(self, document: Document, node: Node) -> Problem:
        """The Problem of an action: at the argument, or at its verb."""
        place = node.places.get(self.argument)
        path = node.path if place is None or place == node.path else place
        return self.problem(document, path, key=path == node.path)

    def problem(self, document: Document, path: Path, key: bool = True) -> Problem:
        """The Problem of whatever stands at a path."""
        return document.problem(CODE, self.message, path, self.hint, key=key)
