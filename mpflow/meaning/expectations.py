"""What `outcome` and `expect` speak of: a Scenario goes in, Problems come out.

Is there such a variable, process, mark, section, outcome, exception?
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mpflow import exceptions, registry
from mpflow.document import Path
from mpflow.meaning.flow import variables
from mpflow.problems import suggestion
from mpflow.scenario import Condition, Declaration, Scenario, nodes_of
from mpflow.scenario.findings import Findings

_CLOCK = ("time", "ctime", "cpu_count")
_ASKED = ("exitcode", "error", "name", "pid")


def check(scenario: Scenario, findings: Findings) -> None:
    """Everything under `outcome` and `expect`."""
    _Expectations(scenario, findings).check()


class _Expectations:
    def __init__(self, scenario: Scenario, findings: Findings) -> None:
        self.scenario = scenario
        self.findings = findings
        every = (*scenario.processes.values(), scenario.main)
        self.processes = {each.name: each for each in every}
        self.outcome = [name for name, _ in scenario.outcome]

    def check(self) -> None:
        for place, (_, condition) in enumerate(self.scenario.outcome):
            self._condition(condition, set(self.outcome[:place]))
        expectation = self.scenario.expectation
        for each in (*expectation.always, *expectation.never, *expectation.sometimes):
            self._condition(each, set(self.outcome))
        self._order()
        self._exclusive()
        self._errors()
        self._outcomes()

    # What refers to actions

    def _order(self) -> None:
        marks = self._labels("mark")
        for i, (first, second, _) in enumerate(self.scenario.expectation.order):
            for j, mark in enumerate((first, second)):
                if marks is not None and mark not in marks:
                    path, hint = ("expect", "order", i, j), suggestion(mark, marks)
                    message = f"no mark is called `{mark}`"
                    self.findings.report("unknown-mark", message, path, hint, about=mark)

    def _exclusive(self) -> None:
        sections = self._labels("section")
        for name in self.scenario.expectation.exclusive:
            if sections is not None and name not in sections:
                place, hint = ("expect", "exclusive", name), suggestion(name, sections)
                message = f"no section is called `{name}`"
                self.findings.report("unknown-section", message, place, hint, key=True, about=name)

    def _labels(self, verb: str) -> set[str] | None:
        """The names of all marks or sections; None where only the run can tell."""
        found: set[str] = set()
        for declaration in self.processes.values():
            for node in nodes_of(declaration.nodes or ()):
                if node.verb == verb:
                    name = str(node.written.get("name"))
                    if "$" in name:
                        return None
                    found.add(name)
        return found

    def _errors(self) -> None:
        """Exceptions by name, for processes that run no Python code with its own ones."""
        for name, allowed in self._given("error", {}).items():
            declaration = self.processes.get(name.partition("[")[0])
            if declaration is None or _own_exceptions(declaration):
                continue
            for i, each in enumerate(allowed if isinstance(allowed, list) else [allowed]):
                if isinstance(each, str) and "$" not in each and each not in exceptions.names():
                    path = ("expect", "error", name, *([i] if isinstance(allowed, list) else []))
                    hint = suggestion(each, exceptions.names())
                    hint = hint if "mean" in hint else ""
                    message = f"no exception is called `{each}`"
                    self.findings.report("unknown-exception", message, path, hint, about=each)

    def _outcomes(self) -> None:
        for i, each in enumerate(self._given("outcomes", [])):
            if not isinstance(each, Mapping):
                continue
            for key in each:
                if key not in self.outcome:
                    path: Path = ("expect", "outcomes", i, key)
                    hint = suggestion(str(key), self.outcome)
                    message = f"`outcome` has no `{key}`"
                    hint = hint or "declare it under `outcome`"
                    self.findings.report(
                        "unknown-outcome", message, path, hint, key=True, about=str(key)
                    )
            missing = [key for key in self.outcome if key not in each]
            if missing and each.keys() <= set(self.outcome):
                message = f"this outcome lacks `{missing[0]}`"
                hint = "an outcome lists every key of `outcome`"
                path = ("expect", "outcomes", i)
                self.findings.report("missing-key", message, path, hint, about=missing[0])

    def _given(self, key: str, default: Any) -> Any:
        return (self.findings.document.data.get("expect") or {}).get(key, default)

    # Conditions

    def _condition(self, condition: Condition, outcome: set[str]) -> None:
        usable = outcome | {"output"} | self.scenario.params.keys()
        compiled, place = condition.compiled, condition.path[0]
        for name in sorted(compiled.bare - usable):
            if name in self.processes:
                message = f"`{name}` is a process, not a value"
                hint = f"ask for a variable, or for `{name}.exitcode` or `{name}.error`"
                self._say("bad-expression", message, name, condition, hint)
            else:
                hint = self._instead(name, usable)
                message = f"`{name}` is not known in `{place}`"
                self._say("undefined-variable", message, name, condition, hint)
        for name, attribute in compiled.attributes:
            if name in self.processes:
                self._observed(self.processes[name], attribute, condition)
            elif name in usable:
                message = f"`{name}` has no attributes"
                self._say("unknown-attribute", message, name, condition)
            else:
                message, hint = f"no process is called `{name}`", suggestion(name, self.processes)
                self._say("unknown-process", message, name, condition, hint)
        for function in sorted(compiled.functions & set(_CLOCK)):
            message = f"`{function}()` tells nothing about a run that is over"
            self._say("bad-expression", message, function, condition)

    def _say(
        self, code: str, message: str, name: str, condition: Condition, hint: str = ""
    ) -> None:
        place = self.findings.place_of(name, condition.path, True)
        self.findings.report(code, message, place, hint, about=name)

    def _observed(self, process: Declaration, attribute: str, condition: Condition) -> None:
        """`worker.x`, or `worker[0].x` where there are replicas: one that it can have set."""
        self._replica(process, condition)
        known = None if process.python else variables(process)
        if known is None or attribute in known or attribute in _ASKED:
            return
        if f".{process.name}" not in self.findings.lost:
            message = f"`{process.name}` never sets a variable `{attribute}`"
            hint = suggestion(attribute, {*known, "exitcode", "error"})
            self._say("undefined-variable", message, f".{attribute}", condition, hint)

    def _replica(self, process: Declaration, condition: Condition) -> None:
        """Whether the expression names one process, with an index where there are several."""
        name = process.name
        for index in _indexes(name, condition.compiled.source):
            if index is None and process.count is not None:
                message = f"`{name}` stands for {process.count} replicas; name one"
                self._say("needs-index", message, name, condition, f"write `{name}[0]`")
            elif index is not None and process.count is None:
                message = f"`{name}` has no replicas: it is declared without `count`"
                self._say("not-replicated", message, name, condition, f"write `{name}`")
            elif index and process.count is not None and index.strip("()").lstrip("-").isdigit():
                number = int(index.strip("()"))
                if not -process.count <= number < process.count:
                    message = f"`{name}[{number}]` is none of the {process.count} replicas"
                    self._say("index-out-of-range", message, name, condition)

    def _instead(self, name: str, usable: set[str]) -> str:
        if name in self.outcome:
            return f"`{name}` stands further down in `outcome`: move it up"
        for declaration in self.processes.values():
            if name in (variables(declaration) or ()):
                shown = declaration.name + ("" if declaration.count is None else "[0]")
                return f"say whose it is: `{shown}.{name}`"
        hint = suggestion(name, usable | self.processes.keys())
        return hint if "mean" in hint else ""


def _indexes(name: str, source: str) -> Iterator[str | None]:
    """How a process is asked in a compiled expression: the index's source, None without one."""
    for found in re.finditer(rf"attribute\(v_{name}\b(\[(?P<index>[^\]]*)\])?", source):
        yield found["index"]


def _own_exceptions(declaration: Declaration) -> bool:
    """Whether a process runs Python code, which may raise anything."""
    nodes = nodes_of(declaration.nodes or ())
    return declaration.python is not None or any(
        registry.verbs()[node.verb].function for node in nodes
    )
