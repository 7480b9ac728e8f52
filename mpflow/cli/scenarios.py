"""mpflow scenarios: the scenarios that come with mpflow, with their descriptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mpflow import cli, shipped
from mpflow.document import read
from mpflow.problems import suggestion
from mpflow.views.style import Style, columns, fit, printable, wanted, width

_LEAST = 30  # columns of a description, however narrow the terminal
_SHORT = 18  # columns of a name


def command(options: Any) -> int:
    """List them all, or those of some folders."""
    known = list(shipped.scenarios())
    for asked in options.names:
        if not any(_within(name, [asked]) for name, _ in known):
            folders = {name.rpartition("/")[0] for name, _ in known} - {""}
            hint = suggestion(asked, sorted({*folders, *dict(known)}))
            hint = hint if "mean" in hint else f"folders: {', '.join(sorted(folders))}"
            message = f"mpflow: no scenario and no folder of them is called {asked!r}; {hint}"
            print(message, file=sys.stderr)
            return cli.USAGE
    chosen = [each for each in known if not options.names or _within(each[0], options.names)]
    found = [(name, path, _description(path)) for name, path in chosen]
    if options.format == "json":
        import json

        keys = ("name", "path", "description")
        print(json.dumps([dict(zip(keys, each, strict=True)) for each in found], indent=2))
    else:
        style = Style(wanted(options.color, sys.stdout))
        print(*_lines(found, style, columns(sys.stdout)), sep="\n")
    return cli.PASSED


def _lines(found: Sequence[tuple[str, str, str]], style: Style, limit: int | None) -> Iterator[str]:
    """A line for each; on a terminal a description goes on in its own column, below a name that
    leaves it too little room."""
    first = max([width("name"), *(width(name) for name, _, _ in found)])
    if limit is not None:
        first = min(first, max(_SHORT, limit - _LEAST - 2))
    room = None if limit is None else max(_LEAST, limit - first - 2)
    yield style(f"{fit('name', first)}  description", "bold")
    for name, _, description in found:
        head, *rest = _wrapped(description, room)
        if width(name) > first:
            yield name
            name = ""
        yield f"{fit(name, first)}  {head}".rstrip()
        yield from (" " * (first + 2) + line for line in rest)


def _within(name: str, names: Sequence[str]) -> bool:
    """Whether a scenario is one of these, or in one of these folders."""
    return any(name == each or name.startswith(f"{each.rstrip('/')}/") for each in names)


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
