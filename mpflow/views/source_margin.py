"""source_margin: a Story beside its scenario file: when each line was executed, and by whom."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.model.story import Row, Story
from mpflow.views.style import Style, fit, printable, width

_WIDEST = 40  # columns of the margin
_LEAST = 40  # columns that are left to the file


def lines(story: Story, text: str, style: Style, columns: int | None = None) -> Iterator[str]:
    """The file's lines, each with the numbers of what is done there in the margin; without ends of
    line. Where several processes run one line, their names stand with the numbers."""
    notes = _notes(story)
    source = text.splitlines()
    room = _WIDEST if columns is None else max(12, min(_WIDEST, columns - _LEAST))
    margin = min(room, max((width(each) for each in notes.values()), default=0))
    number = len(str(len(source)))
    for at, line in enumerate(source, 1):
        note = fit(notes.get(at, ""), margin)
        shown = printable(line.replace("\t", " "))
        if columns is not None:
            shown = fit(shown, max(_LEAST, columns - margin - number - 4)).rstrip()
        mark = style(note, "cyan", "bold") if at in notes else note
        yield f"{mark} {at:>{number}} | {shown}".rstrip()
    yield from _elsewhere(story)


def _notes(story: Story) -> dict[int, str]:
    """What stands in the margin of each line."""
    rows: dict[int, dict[str, list[str]]] = {}
    for row in story.rows:
        if row.event.line is not None and row.kind != "begun":
            own = rows.setdefault(row.event.line, {})
            own.setdefault(row.event.process, []).append(_moment(row))
    found = {}
    for line, by in rows.items():
        if len(by) == 1:
            found[line] = _ranges(*by.values())
        else:
            found[line] = ", ".join(f"{name} {_ranges(each)}" for name, each in by.items())
    return {line: printable(note) for line, note in found.items()}


def _moment(row: Row) -> str:
    return str(row.number) if row.number else "blocked"


def _ranges(moments: list[str]) -> str:
    """Numbers that follow each other as one range."""
    found: list[list[str]] = []
    for each in moments:
        last = found[-1][-1] if found else ""
        if last.isdecimal() and each.isdecimal() and int(each) == int(last) + 1:
            found[-1].append(each)
        else:
            found.append([each])
    return " ".join(each[0] if len(each) == 1 else f"{each[0]}-{each[-1]}" for each in found)


def _elsewhere(story: Story) -> Iterator[str]:
    """What has no line."""
    for row in story.rows:
        if row.event.line is None and row.event.status == "blocked" and row.kind == "blocked":
            yield f"{row.event.process} is at its end: blocked"
    if story.loop is not None:
        for first in [row.number for row in story.rows[story.loop :] if row.number][:1]:
            yield f"from {first} on, again and again"
