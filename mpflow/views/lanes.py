"""lanes: a Story as lines: a column for each process, a row for each thing that it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mpflow.model.story import PREEMPTION, SWITCH, Row, Story
from mpflow.trace import Event, shown
from mpflow.views.style import Style, fit, printable, width

_WIDEST = 40  # columns of a lane
_LEAST = 12  # with fewer, a lane tells nothing: then there is a list
_LONGEST = 24  # characters of a value
_FOLDED = 3  # lines that a cell takes at most
_MARKS = {PREEMPTION: "!", SWITCH: ">", "": " "}
_BLOCKED, _BEGUN = "x", "…"
_SIGNAL = {"!": ("red", "bold"), "x": ("yellow", "bold")}
_LEGEND = {
    ">": "the one before cannot go on",
    "!": "a preemption: the one before could go on",
    "x": "never comes back",
    _BEGUN: "begun; others come in between",
    "( )": "hidden: a feeder thread or a signal does it",
}


class _Line(NamedTuple):
    """A row as text: its mark, its number, its line in the file, its lane, what stands there, and
    what of that says how it came out."""

    mark: str
    number: str
    line: str
    process: str
    text: str
    tail: str
    colour: str

    def cell(self, columns: int) -> list[str]:
        """What stands in the lane, on as many lines of so many columns as it needs, up to three."""
        found = [""]
        for word in f"{self.text}{self.tail}".split(" "):
            both = f"{found[-1]} {word}" if found[-1] else word
            if width(both) <= columns or len(found) == _FOLDED:
                found[-1] = both
            elif found[-1]:
                found.append(word)
            else:
                found[-1] = word
        return [fit(_cut(each, columns), columns) for each in found]


def lines(story: Story, style: Style, columns: int | None = None) -> Iterator[str]:
    """The lanes, line by line, without ends of line; no wider than so many columns, if it can."""
    rows = [_line(row) for row in story.rows]
    lead = _lead(rows)
    widths = _widths(story.processes, rows, lead, columns)
    if widths is None:
        yield from _list(story, rows, lead, style, columns)
    else:
        yield from _heads(story.processes, widths, lead, style)
        for number, row in enumerate(rows):
            if number == story.loop:
                yield style("   from here on, again and again:", "bold")
            lane = story.processes.index(row.process)
            left = sum(widths[:lane]) + 2 * lane
            cells = [" " * left + each.rstrip() for each in row.cell(widths[lane])]
            yield from _painted(row, lead, cells, style)
    yield from _legend(story, rows, style, columns)


def told(event: Event) -> str:
    """What a process did, and what came of it, in a few words."""
    if event.action == "feed":
        part = "part of " if "part" in event.extra else ""
        return f"{part}{_text(event.value)} into the pipe of {event.on}"
    if event.action == "end":
        return _end(event)
    phase = event.extra.get("phase")
    on = event.on or ""
    if event.extra.get("at") is not None:
        on = f"{on}[{shown(event.extra['at'], _LONGEST)}]"
    words = " ".join(filter(None, (phase, event.action, on)))
    if event.error is not None:
        return f"{words}: {event.error[0]}"
    parts = [_text(event.value)] if event.has_value else []
    if event.result is not None and not (event.result is True and event.action in _SURE):
        parts.append(_text(event.result))
    return ": ".join((words, *parts))


_SURE = ("acquire", "join")  # their True needs no saying
_ABRUPT = ("os_exit", "crash")  # they never come back


def _end(event: Event) -> str:
    code = event.extra.get("exitcode")
    if event.status == "blocked":
        return "at its end"
    if event.error is not None:
        return f"ends by {event.error[0]}"
    if isinstance(code, int) and code < 0:
        from signal import Signals

        return f"ends by {Signals(-code).name}"
    return f"ends with exit code {code}" if code else "ends"


def _text(value: object) -> str:
    text = value if isinstance(value, str) else shown(value, _LONGEST)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _line(row: Row) -> _Line:
    event = row.event
    text, tail, colour = printable(told(event)), "", ""
    if row.kind == "begun":
        tail = f" {_BEGUN}"
    elif row.kind == "blocked":
        colour = "yellow"
    elif event.status == "blocked" and event.action not in _ABRUPT:
        tail, colour = ": cut short", "red"
    elif event.status == "error" or event.error is not None:
        colour = "red"
    elif event.status == "timeout":
        tail, colour = " (timeout)", "yellow"
    if row.hidden:
        text, tail, colour = f"({text}", ")", colour or "dim"
    line = "" if event.line is None else str(event.line)
    number = str(row.number) if row.number else ""
    mark = _BLOCKED if row.kind == "blocked" else _MARKS[row.switch]
    return _Line(mark, number, line, event.process, text, tail, colour)


# What stands left of the lanes: mark, number, line


def _lead(rows: Sequence[_Line]) -> tuple[int, int]:
    """How wide the number and the line are."""
    number = max((len(row.number) for row in rows), default=1)
    return max(number, 1), max(4, *(len(row.line) for row in rows)) if rows else 4


def _blank(lead: tuple[int, int]) -> str:
    return f"  {'':{lead[0]}}  {'line':>{lead[1]}}  "


def _painted(
    row: _Line, lead: tuple[int, int], cells: Sequence[str], style: Style
) -> Iterator[str]:
    """A row's lines: behind the first one what needs more."""
    mark = style(row.mark, *_SIGNAL[row.mark]) if row.mark in _SIGNAL else row.mark
    left = f"{mark} {row.number:>{lead[0]}}  {row.line:>{lead[1]}}  "
    for text in cells:
        shown = text.lstrip()
        left += " " * (len(text) - len(shown))
        yield (left + (style(shown, row.colour) if row.colour else shown)).rstrip()
        left = " " * len(_blank(lead))


def _cut(text: str, columns: int) -> str:
    """A text that is too wide, without its middle: replicas are told apart by their ends."""
    if width(text) <= columns or not text.isascii():
        return text
    behind = (columns - 1) // 2
    return f"{text[: columns - 1 - behind]}…{text[len(text) - behind :]}"


# How wide the lanes are


def _widths(
    processes: Sequence[str], rows: Sequence[_Line], lead: tuple[int, int], columns: int | None
) -> list[int] | None:
    """The width of each lane; None where they do not fit side by side."""
    found = []
    for name in processes:
        longest = max(width(row.text + row.tail) for row in rows if row.process == name)
        found.append(min(_WIDEST, max(longest, width(name))))
    if columns is None:
        return found
    room = columns - len(_blank(lead)) - 2 * (len(found) - 1)
    while sum(found) > room:
        widest = max(found, default=0)
        if widest <= _LEAST:
            return None
        found[found.index(widest)] -= 1
    return found


def _heads(
    processes: Sequence[str], widths: Sequence[int], lead: tuple[int, int], style: Style
) -> Iterator[str]:
    """The names above their lanes; a long one stands on several lines."""
    folded = [
        [name[at : at + columns] for at in range(0, len(name), columns)]
        for name, columns in zip(processes, widths, strict=True)
    ]
    most = max(map(len, folded), default=0)
    for number in range(most):
        cells = [[*[""] * (most - len(name)), *name][number] for name in folded]
        left = _blank(lead) if number == most - 1 else " " * len(_blank(lead))
        yield style((left + "  ".join(map(fit, cells, widths))).rstrip(), "bold")


def _list(
    story: Story,
    rows: Sequence[_Line],
    lead: tuple[int, int],
    style: Style,
    columns: int | None,
) -> Iterator[str]:
    """One column for all, where lanes would be too narrow."""
    widest = min(24, max(width(name) for name in story.processes))
    room = 100 if columns is None else max(_LEAST, columns - len(_blank(lead)) - widest - 2)
    yield style(_blank(lead) + "process", "bold")
    for number, row in enumerate(rows):
        if number == story.loop:
            yield style("   from here on, again and again:", "bold")
        name = fit(_cut(row.process, widest), widest)
        first, *more = (each.rstrip() for each in row.cell(room))
        cells = [f"{name}  {first}", *(" " * (widest + 2) + each for each in more)]
        yield from _painted(row, lead, cells, style)


def _legend(
    story: Story, rows: Sequence[_Line], style: Style, columns: int | None
) -> Iterator[str]:
    """What the signs mean that stand there."""
    signs = {row.mark for row in rows} | {"( )" for row in story.rows if row.hidden}
    signs |= {_BEGUN for row in story.rows if row.kind == "begun"}
    for sign, text in _LEGEND.items():
        if sign in signs:
            line = f"{sign:<3} {text}"
            yield style(fit(line, min(columns or 80, len(line))), "dim")
