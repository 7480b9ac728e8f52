"""checked: a Report as lines: the verdict, outcomes, what was never put to the test, an account;
and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpflow.model.check import Outcome, Report
from mpflow.model.moves import Schedule
from mpflow.scenario import Scenario
from mpflow.trace import plain
from mpflow.views.style import Style, printable

COLOURS = {"proved": "green", "violated": "red", "unknown": "yellow"}
_FEW = 20  # outcomes that are shown
_LONGEST = 100  # characters of an outcome
_DIGITS = 15  # of a number that is shown in full


def verdict_line(report: Report, name: str, path: str, style: Style) -> str:
    """One line: the verdict first."""
    word = style(report.verdict, COLOURS[report.verdict], "bold")
    return f"{word}: {printable(name)} ({printable(path)}): {printable(_why(report))}"


def _why(report: Report) -> str:
    wrong = [*(each.text for each in report.violations), *report.missing]
    if not wrong:
        return f"{report.cut}; nothing wrong so far" if report.cut else "every run is as expected"
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    cut = f" ({report.cut})" if report.cut else ""
    return f"{wrong[0]}{more}{cut}"


def outcomes(report: Report, style: Style) -> Iterator[str]:
    """A table: each outcome, whether it is expected, how long its shortest schedule is. Nothing
    where the scenario has no outcome, and all runs complete."""
    found = sorted(report.outcomes, key=lambda each: each.expected is not False)
    if all(each.value == {} for each in found):
        return
    judged = any(each.expected is not None for each in found)
    steps = max(5, *(len(f"{len(each.schedule):,}") for each in found))
    yield style("outcomes:", "bold")
    yield style(f"  {'expected  ' * judged}{'steps':>{steps}}  outcome", "bold")
    for each in found[:_FEW]:
        yield _outcome(each, judged, steps, style)
    if len(found) > _FEW:
        yield f"  {len(found) - _FEW:,} more outcomes"


def _outcome(outcome: Outcome, judged: bool, steps: int, style: Style) -> str:
    expected = {True: "yes", False: "no", None: ""}[outcome.expected]
    text = value(outcome.value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    length = f"{len(outcome.schedule):,}"
    line = f"  {f'{expected:<10}' * judged}{length:>{steps}}  {printable(text)}"
    return style(line, "red") if outcome.expected is False else line


def value(outcome: Mapping[str, Any] | str) -> str:
    """An outcome as a scenario's `outcomes` would have it; one without any keys by a word."""
    if not outcome or isinstance(outcome, str):
        return str(outcome or "completed")
    from json import dumps

    parts = (f"{key}: {dumps(each, ensure_ascii=False)}" for key, each in outcome.items())
    return f"{{{', '.join(parts)}}}"


def idle(report: Report, style: Style) -> Iterator[str]:
    """What no run puts to the test."""
    if report.idle:
        yield style("never put to the test:", "yellow")
        yield from (f"  {printable(each)}" for each in report.idle)


def as_json(report: Report, scenario: Scenario) -> dict[str, Any]:
    """All of a report as plain data. A schedule is a list of [actor, way], and a token besides."""
    from mpflow.model.simulate import schedule_token

    def told(schedule: Schedule) -> dict[str, Any]:
        token = schedule_token(scenario, schedule, report.world)
        return {"schedule": [list(move) for move in schedule], "token": token}

    return {
        "mpflow_check": 1,
        "scenario": {
            "name": scenario.name,
            "path": scenario.path,
            "sha256": scenario.document.sha256,
            "params": plain(scenario.params),
            "case": scenario.label,
        },
        "start_method": scenario.start_method,
        "python": ".".join(map(str, report.world.version)),
        "verdict": report.verdict,
        "violations": [
            {"text": each.text, "end": each.end or None, **told(each.schedule)}
            for each in report.violations
        ],
        "missing": list(report.missing),
        "outcomes": [
            {"outcome": each.value, "expected": each.expected, **told(each.schedule)}
            for each in report.outcomes
        ],
        "idle": list(report.idle),
        "states": report.states,
        "transitions": report.transitions,
        "interleavings": report.interleavings,
        "reductions": list(report.reductions),
        "assumed": list(report.assumed),
        "seconds": round(report.seconds, 6),
        "cut": report.cut or None,
    }


def account(report: Report) -> Iterator[str]:
    """What was looked at, and what the answer rests on."""
    reductions = ", ".join(report.reductions) or "none"
    yield (
        f"{_counted(report.states, 'state')}, {_counted(report.transitions, 'transition')}, "
        f"{_interleavings(report)}; reductions: {reductions}; {report.seconds:.2f} s"
    )
    yield f"assumed: {'; '.join(report.assumed)}"


def _interleavings(report: Report) -> str:
    if report.interleavings is not None:
        return _counted(report.interleavings, "interleaving")
    if report.cut:
        why = "the search was cut short"
    elif any(each.value == "timeout" for each in report.outcomes):
        why = "some runs never end"
    elif any(each.startswith("timing: exact") for each in report.assumed):
        why = "with exact timing they are not"
    elif "stubborn sets" in report.reductions:
        why = "runs may go round in a circle, or there are many states: --no-reduce sees all"
    else:
        why = "runs may go round in a circle"
    return f"interleavings not counted ({why})"


def _counted(number: int, what: str) -> str:
    return f"{large(number)} {what}{'s' * (number != 1)}"


def large(number: int) -> str:
    """A number with thousands separators; a long one as its first digits and their number."""
    if abs(number) < 10**_DIGITS:
        return f"{number:,}"
    from math import log10

    digits = int(log10(number)) + 1
    digits += (number >= 10**digits) - (number < 10 ** (digits - 1))
    leading = number // 10 ** (digits - 2)
    return f"{leading // 10}.{leading % 10}e{digits - 1} ({digits:,} digits)"
