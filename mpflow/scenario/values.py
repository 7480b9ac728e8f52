"""Data with expressions in them go in, compiled or worked out they come out; faults are Problems.

What is faulty is replaced by something harmless, so that all else can still be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mpflow import expressions
from mpflow.document import Document, Path
from mpflow.expressions import Compiled, ExpressionError
from mpflow.problems import suggestion
from mpflow.scenario import Condition
from mpflow.scenario.findings import Findings, leaves

_WHOLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\(.*\))", re.DOTALL)
_NUMBERS: tuple[Any, ...] = (int, float | int, int | float)
_WANTED_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    int | float: "a number",
    bool: "true or false",
    list: "a list",
    str: "a text",
    bool | str: "a lock's name",
}


class Values:
    """What the data of one document come to, with its params."""

    def __init__(self, document: Document, params: Mapping[str, Any], findings: Findings) -> None:
        self.document = document
        self.params = params
        self.findings = findings

    def value(self, data: Any, path: Path, measured: bool = True) -> Compiled:
        """Data with templates in it; each faulty template is a Problem at its own place."""
        try:
            return expressions.value(data, measured)
        except ExpressionError as error:
            self._faulty_leaves(data, path, error)
            return expressions.value(None)

    def _faulty_leaves(self, data: Any, path: Path, error: ExpressionError) -> None:
        said = len(self.findings.problems)
        for leaf, at, key in leaves(data, path):
            try:
                expressions.template(leaf)
            except ExpressionError as fault:
                self._report(fault, at, key)
        if len(self.findings.problems) == said:
            self._report(error, path, False)

    def expression(self, data: Any, path: Path) -> Condition:
        """A whole expression: a condition, an outcome, an expectation."""
        line = self.document.span(path).line
        try:
            return Condition(str(data), _condition(data), path, line)
        except ExpressionError as error:
            self._report(error, path, False)
            return Condition(str(data), expressions.value(None), path, line)

    def _report(self, error: ExpressionError, path: Path, key: bool) -> None:
        place = self.document.key_span(path)
        if not key:
            place = self.document.within(path, error.start, error.end)
        self.findings.report(error.code, error.message, place, error.hint)

    def constant(self, data: Any, path: Path, wanted: Any) -> Any:
        """A value that params alone decide; None, and a Problem, when it cannot be had."""
        compiled = self.value(data, path)
        unknown = sorted(compiled.names - self.params.keys())
        if unknown:
            message = f"`{unknown[0]}` is not a param; only params can be used here"
            place, hint = self.findings.place_of(unknown[0], path), ""
            if self.params:
                hint = suggestion(unknown[0], self.params)
            self.findings.report("undefined-variable", message, place, hint, about=unknown[0])
            return None
        try:
            found = expressions.evaluate(compiled, self.params)
        except Exception as error:
            self.findings.report("bad-value", f"{type(error).__name__}: {error}", path)
            return None
        if not isinstance(found, wanted) or (isinstance(found, bool) and wanted in _NUMBERS):
            words = _WANTED_WORDS.get(wanted, "something else")
            message = f"`{path[-1]}` is {words}; this is {found!r:.60}"
            self.findings.report("wrong-type", message, path)
            return None
        return found


def _condition(data: Any) -> Compiled:
    """A condition needs no `$`; one around all of it does no harm."""
    if isinstance(data, str) and _WHOLE.fullmatch(data):
        try:
            return expressions.condition(data[1:])
        except ExpressionError as error:
            error.start, error.end = error.start + 1, error.end + 1
            raise
    return expressions.condition(data)
