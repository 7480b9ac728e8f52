"""Scenario -> Problems of meaning: names, variables, who may join whom, control flow.

What can be seen without running is said here; what can also be meant, an error that a handler
or an `expect` waits for, is left to the run.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.evaluation import FUNCTIONS
from mpflow.meaning import code, expectations, flow, references
from mpflow.problems import Problem, suggestion
from mpflow.scenario import Scenario
from mpflow.scenario.findings import Enough, Findings, leaves
from mpflow.scenario.names import RESERVED, Complaint, a
from mpflow.schema import START_METHODS


def problems(
    document: Document, scenario: Scenario, lost: frozenset[str] = frozenset()
) -> list[Problem]:
    """All that is wrong with what a scenario means; of `lost` words nothing is said."""
    findings = Findings(document, lost, cut=True)
    with suppress(Enough):
        _namespace(findings)
        _params(findings)
        _matrix(findings)
        _options(scenario, findings)
        for declaration in (*scenario.processes.values(), scenario.main):
            flow.check(scenario, declaration, findings)
        references.check(scenario, findings)
        expectations.check(scenario, findings)
        code.check(scenario, findings)
    return findings.problems


def _namespace(findings: Findings) -> None:
    """Params, primitives and processes have different names, and none of the language's."""
    first: dict[str, str] = {}
    for section in ("params", "primitives", "processes"):
        for name in findings.document.data.get(section) or {}:
            path = (section, name)
            if name in RESERVED or name in FUNCTIONS:
                message = f"`{name}` is a word of the language; it cannot be a name"
                findings.report("reserved-name", message, path, "choose another", key=True)
            elif name in first:
                message = f"`{name}` is declared twice: in `{first[name]}` and in `{section}`"
                hint = "params, primitives and processes share one namespace"
                findings.report("duplicate-name", message, path, hint, key=True)
            first.setdefault(name, section)


def _options(scenario: Scenario, findings: Findings) -> None:
    """Options that name a primitive: there is one of that name, and it is of the right type."""
    for name, declared in scenario.names.primitives.items():
        for option in registry.primitive(declared.type).options:
            named = declared.options[option.name]
            if option.form != "primitive" or not isinstance(named, str):
                continue
            found = scenario.names.primitive(named)
            if not isinstance(found, Complaint) and found.type not in option.choices:
                takes = ", ".join(option.choices)
                message = f"`{named}` is {a(found.type)}; `{option.name}` takes: {takes}"
                found = Complaint("wrong-primitive", message, "", found.declared)
            if isinstance(found, Complaint):
                findings.complain(found, ("primitives", name, option.name))


def _params(findings: Findings) -> None:
    """Params are constants: nothing is filled in there."""
    data = findings.document.data
    given: list[tuple[Path, Any]] = [
        (("params", key), each) for key, each in (data.get("params") or {}).items()
    ]
    for key, values in (data.get("matrix") or {}).items():
        given += [(("matrix", key, i), each) for i, each in enumerate(values)]
    for path, each in given:
        for text, place, is_key in leaves(each, path):
            if findings.filled(text):
                message = f"`{path[1]}` is a constant; `$` is not filled in here"
                findings.report("not-constant", message, place, "write the value", key=is_key)


def _matrix(findings: Findings) -> None:
    data = findings.document.data
    known = {"start_method", *(data.get("params") or {})}
    for key, values in (data.get("matrix") or {}).items():
        if key not in known:
            message = f"`{key}` is neither a param nor `start_method`"
            hint = suggestion(key, known)
            findings.report("unknown-param", message, ("matrix", key), hint, key=True, about=key)
        for i, value in enumerate(values if key == "start_method" else ()):
            if value not in START_METHODS:
                message = f"no start method is called `{value!s:.60}`"
                hint = "one of fork, spawn, forkserver"
                findings.report("bad-value", message, ("matrix", key, i), hint)
