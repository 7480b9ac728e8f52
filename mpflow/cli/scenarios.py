"""mpflow scenarios: the scenarios that come with mpflow, with their descriptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mpflow import cli, shipped
from mpflow.document import read
from mpflow.views.style import Style, columns, fit, printable, wanted, width

_LEAST = 30  # columns of a description, however narrow the terminal


def command(options: Any) -> int:
    """List them all."""
    found = [(name, path, _description(path)) for name, path in shipped.scenarios()]
    if options.format == "json":
        import json

        keys = ("name", "path", "description")
        print(json.dumps([dict(zip(keys, each, strict=True)) for each in found], indent=2))
    else:
        style = Style(wanted(options.color, sys.stdout))
        print(*_lines(found, style, columns(sys.stdout)), sep="\n")
    return cli.PASSED


def _lines(found: Sequence[tuple[str, str, str]], style: Style, limit: int | None) -> Iterator[str]:
    """A line for each; on a terminal a description goes on in its own column."""
    first = max([width("name"), *(width(name) for name, _, _ in found)])
    room = None if limit is None else max(_LEAST, limit - first - 2)
    yield style(f"{fit('name', first)}  description", "bold")
    for name, _, description in found:
        head, *rest = _wrapped(description, room)
        yield f"{fit(name, first)}  {head}".rstrip()
        yield from (" " * (first + 2) + line for line in rest)


def _wrapped(text: str, room: int | None) -> list[str]:
    lines = [""]
    for word in printable(" ".join(text.split())).split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if room is not None and lines[-1] and width(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _description(path: str) -> str:
    found, _ = read(path)
    data = found.data if found is not None else None
    return str(data.get("description", "")).strip() if isinstance(data, dict) else ""
