"""table: a trace as lines of columns: time, process, action, on, result, line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow.trace import Event, Trace
from mpflow.views.style import Style, fit, width

_HEADS = ("time", "process", "action", "on", "result", "line")
_WIDEST = (10, 24, 20, 24, 48, 14)
_COLOURS = {"error": "red", "timeout": "yellow", "blocked": "yellow"}


def lines(trace: Trace, style: Style) -> Iterator[str]:
    """The table, line by line, without ends of line."""
    rows = [(_cells(event), _COLOURS.get(event.status, "")) for event in trace.events]
    columns = [
        min(widest, max(width(head), *(width(cells[i]) for cells, _ in rows), 0))
        for i, (head, widest) in enumerate(zip(_HEADS, _WIDEST, strict=True))
    ]
    yield style("  ".join(map(fit, _HEADS, columns)).rstrip(), "bold")
    for cells, colour in rows:
        line = "  ".join(map(fit, cells, columns)).rstrip()
        yield style(line, colour) if colour else line


def _cells(event: Event) -> tuple[str, ...]:
    place = str(event.line) if event.line is not None else str(event.extra.get("code", ""))
    return (
        f"{event.t:.6f}",
        event.process,
        _action(event),
        event.on or "",
        _one_line(_result(event)),
        place,
    )


def _action(event: Event) -> str:
    phase = event.extra.get("phase")
    return f"{event.action} {phase}" if phase else event.action


def _result(event: Event) -> str:
    if event.error is not None:
        name, message = event.error
        return f"{name}: {message}" if message else name
    if event.status == "blocked":
        return "blocked"
    if event.action == "end":
        code = event.extra.get("exitcode")
        return f"stopped: {event.extra['stopped']}" if code is None else f"exit code {code}"
    if event.action == "begin":
        return f"pid {event.extra['pid']}"
    if event.status == "timeout":
        return f"{_shown(event.result)} (timeout)"
    if event.value is not None or event.action in ("put", "send"):
        return _shown(event.value)
    return "" if event.result is None else _shown(event.result)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _one_line(text: str) -> str:
    return text.replace("\n", "⏎").replace("\t", " ") if text.isprintable() else _escaped(text)


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
