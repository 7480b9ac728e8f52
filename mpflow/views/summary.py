"""summary: how a run ended, why, and the verdict, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mpflow.trace import Trace
from mpflow.views.style import Style, printable

_FEW = 3
_COLOURS = {"passed": "green", "failed": "red", "unknown": "yellow"}


def lines(trace: Trace, style: Style, path: str) -> Iterator[str]:
    """The explanation of a deadlock, what the trace is not sure of, the failures, the verdict;
    without ends of line."""
    if trace.report is not None:
        yield from deadlock(trace.report, style, path)
    for line in _suspects(trace):
        yield style(f"  suspect: {printable(line)}", "yellow")
    for failure in trace.verdict.failures:
        yield style(f"  failed: {printable(failure)}", "red")
    for undecided in trace.verdict.undecided:
        yield style(f"  unknown: {printable(undecided)}", "yellow")
    yield verdict_line(trace, style)


def _suspects(trace: Trace) -> Iterator[str]:
    """The first events that no legal order allows, and how many there are."""
    found = [event for event in trace.events if "suspect" in event.extra]
    for event in found[:_FEW]:
        place = event.extra.get("code") or f"line {event.line}"
        what = " ".join(filter(None, (event.process, event.action, event.on)))
        yield f"event {event.seq} ({what}, {place}): {event.extra['suspect']}"
    if len(found) > _FEW:
        yield f"{len(found) - _FEW:,} more events"


def verdict_line(trace: Trace, style: Style) -> str:
    """One line: the verdict first."""
    word = style(trace.verdict.word, _COLOURS[trace.verdict.word], "bold")
    scenario = trace.header["scenario"]
    case = f" [{scenario['case']}]" if "case" in scenario else ""
    counted = f"{trace.length:,} event{'s' * (trace.length != 1)}"
    how = f"{trace.end} after {trace.duration:.3f} s, {counted}"
    name = printable(f"{scenario['name']}{case}")
    return f"{word}: {name} ({trace.header['start_method']}): {how}"


def deadlock(report: Mapping[str, Any], style: Style, path: str) -> Iterator[str]:
    """Who waits for what, who holds it, and the cycle."""
    yield style("deadlock: nobody can go on", "yellow", "bold")
    yield from waits(report, path)


def livelock(
    going: Sequence[str], report: Mapping[str, Any], style: Style, path: str
) -> Iterator[str]:
    """Who goes round for ever, and why the others cannot go on."""
    who = " and ".join(f"`{name}`" for name in going)
    told = f"{who} {'goes' if len(going) == 1 else 'go'} round and round" if going else "a loop"
    yield style(f"livelock: {told}, and no way leads out of it", "yellow", "bold")
    yield from waits(report, path)


def waits(report: Mapping[str, Any], path: str) -> Iterator[str]:
    """An entry for each process that cannot go on, and the cycle."""
    for wait in report["waits"]:
        on = f" {wait['on']}" if wait["on"] else ""
        place = f"{path}:{wait['line']}" if wait["line"] else wait.get("code")
        where = f" ({place})" if place else ""
        yield printable(f"  {wait['process']} waits in {wait['action']}{on}{where}")
        if wait["reason"]:
            yield printable(f"      {wait['reason']}")
    if report["cycle"]:
        circle = [*report["cycle"], report["cycle"][0]]
        yield f"  the cycle: {' -> '.join(circle)}"
