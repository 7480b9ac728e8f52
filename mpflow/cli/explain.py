"""mpflow explain --code: the Python source that each process of a scenario runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from mpflow import cli
from mpflow.api import load, source
from mpflow.cli.files import resolve, tell_problems
from mpflow.engine.source import Source
from mpflow.problems import suggestion
from mpflow.views.style import Style, wanted

_SITE = re.compile(r"(?:sites\[at\] = |begin\(at, )(\d+)")


def command(options: Any) -> int:
    """Print the source of one process, or of all; 2 where there is none."""
    loaded = load(resolve(options.file))
    if loaded.problems or not loaded.scenarios:
        tell_problems(loaded)
        return cli.USAGE
    sources = source(loaded.scenarios[0])
    wanted_names = [n for n in sources if options.process in (None, n, n.partition("[")[0])]
    if not wanted_names:
        hint = suggestion(options.process, sources)
        print(f"mpflow: there is no process `{options.process}`; {hint}", file=sys.stderr)
        return cli.USAGE
    style = Style(wanted(options.color, sys.stdout))
    parts = (_told(name, sources[name], style) for name in wanted_names)
    print("\n\n\n".join("\n".join(part) for part in parts))
    return cli.PASSED


def _told(name: str, found: Source | None, style: Style) -> Iterator[str]:
    """A process's source, with what each site stands for beside it."""
    yield style(f"# {name}", "bold")
    if found is None:
        yield "# runs Python code of its own"
        return
    meanings = {site.number: site for site in found.sites}
    for text in found.text.split("\n"):
        site = _SITE.search(text)
        if site is None:
            yield text
            continue
        meaning = meanings[int(site[1])]
        on = f" {meaning.on}" if meaning.on else ""
        yield f"{text}  {style(f'# {meaning.action}{on}, line {meaning.line}', 'dim')}"
