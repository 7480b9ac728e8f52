"""What two explorations of one scenario are compared by, and scenarios made from programs.py."""

from __future__ import annotations

import json
from random import Random
from typing import Any, NamedTuple

from model import programs
from mpflow import api
from mpflow.model.check import Options, Report, check
from mpflow.scenario import Choice, Scenario


class Said(NamedTuple):
    """What a report says that no reduction may change."""

    verdict: str
    outcomes: frozenset[str]
    violations: frozenset[str]
    missing: frozenset[str]


def scenario(text: str, name: str = "random.yaml") -> Scenario | None:
    """The one case of a text; None where validate refuses it."""
    loaded = api.loads(text, name, Choice())
    return None if loaded.problems else loaded.scenarios[0]


def made(seed: int, kind: programs.Kind) -> tuple[str, dict[str, Any]]:
    """A random scenario as text and as data."""
    data = programs.program(Random(seed), kind)
    return programs.text(data), data


def canonical(outcome: Any) -> str:
    """An outcome to be compared: a word, or values as JSON."""
    if isinstance(outcome, str):
        return outcome
    return json.dumps(outcome, sort_keys=True, default=repr)


def outcomes(report: Report) -> frozenset[str]:
    """All outcomes of a report."""
    return frozenset(canonical(each.value) for each in report.outcomes)


def said(given: Scenario, options: Options) -> Said | None:
    """What a check says; None where a limit ended it."""
    report = check(given, options)
    if report.cut:
        return None
    return Said(
        report.verdict,
        outcomes(report),
        frozenset(each.text for each in report.violations),
        frozenset(report.missing),
    )
