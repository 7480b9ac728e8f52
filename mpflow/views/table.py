"""table: a trace as lines of columns: time, process, action, on, result, line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mpflow.trace import Event, Trace, shown
from mpflow.views.style import Style, fit, printable, width

_HEADS = ("time", "process", "action", "on", "result", "line")
_WIDEST = (12, 24, 20, 24, 48, 24)
_USUAL = (10, 12, 12, 14, 24, 6)
_SHRINK = (4, 3, 2, 5, 1)  # on a narrow terminal: the result first, the process last
_LEAST = 6  # columns that each of them keeps
_COLOURS = {"error": "red", "timeout": "yellow", "blocked": "yellow"}


def lines(trace: Trace, style: Style, columns: int | None = None) -> Iterator[str]:
    """The table, line by line, without ends of line; no wider than so many columns, if it can."""
    rows = [(_cells(event), _COLOURS.get(event.status, "")) for event in trace.events]
    widths = _widths([_HEADS, *(cells for cells, _ in rows)], columns)
    yield style("  ".join(map(fit, _HEADS, widths)).rstrip(), "bold")
    for cells, colour in rows:
        line = "  ".join(map(fit, cells, widths)).rstrip()
        yield style(line, colour) if colour else line


def heading(style: Style, columns: int | None = None) -> str:
    """The head of a table whose rows are not known yet."""
    return style("  ".join(map(fit, _HEADS, _fixed(columns))).rstrip(), "bold")


def row(event: Event, style: Style, columns: int | None = None) -> str:
    """One line of such a table."""
    line = "  ".join(map(fit, _cells(event), _fixed(columns))).rstrip()
    colour = _COLOURS.get(event.status, "")
    return style(line, colour) if colour else line


def _fixed(columns: int | None) -> list[int]:
    return _widths([["x" * usual for usual in _USUAL]], columns)


def _widths(rows: Sequence[Sequence[str]], columns: int | None) -> list[int]:
    """How wide each column is: as its widest cell, within limits."""
    found = [
        min(widest, max(width(cells[i]) for cells in rows)) for i, widest in enumerate(_WIDEST)
    ]
    too_many = 0 if columns is None else sum(found) + 2 * (len(found) - 1) - columns
    for i in _SHRINK:
        less = max(0, min(too_many, found[i] - _LEAST))
        found[i] -= less
        too_many -= less
    return found


def _cells(event: Event) -> tuple[str, ...]:
    place = str(event.line) if event.line is not None else str(event.extra.get("code", ""))
    texts = (event.process, _action(event), _on(event), _result(event), place)
    return (f"{event.t:.6f}", *(printable(text[:200]) for text in texts))


def _action(event: Event) -> str:
    phase = event.extra.get("phase")
    return f"{event.action} {phase}" if phase else event.action


def _on(event: Event) -> str:
    at = event.extra.get("at")
    return event.on or "" if at is None else f"{event.on}[{shown(at)}]"


def _result(event: Event) -> str:
    told = _came_of_it(event)
    return f"{told} (suspect)".lstrip() if "suspect" in event.extra else told


def _came_of_it(event: Event) -> str:
    if event.status == "blocked":
        return "blocked"
    if event.action == "begin":
        return f"pid {event.extra.get('pid')}"
    if event.action == "end":
        code = event.extra.get("exitcode")
        told = f"stopped: {event.extra.get('stopped')}" if code is None else f"exit code {code}"
        return f"{told}, {event.error[0]}" if event.error else told
    if event.error is not None:
        name, message = event.error
        return f"{name}: {message}" if message else name
    if event.status == "timeout":
        return f"{_text(event.result)} (timeout)"
    if event.has_value and event.result is not None:
        return f"{_text(event.value)}: {_text(event.result)}"
    if event.has_value:
        return _text(event.value)
    return "" if event.result is None else _text(event.result)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
