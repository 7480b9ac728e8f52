"""mpflow scenarios: the scenarios that come with mpflow, with their descriptions."""

from __future__ import annotations

import sys
from typing import Any

from mpflow import cli, shipped
from mpflow.document import read
from mpflow.views.style import wanted


def command(options: Any) -> int:
    """List them all."""
    found = [(name, path, _description(path)) for name, path in shipped.scenarios()]
    if options.format == "json":
        import json

        keys = ("name", "path", "description")
        print(json.dumps([dict(zip(keys, each, strict=True)) for each in found], indent=2))
        return cli.PASSED
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "description", box=None, pad_edge=False, header_style="bold")
    for name, _, description in found:
        table.add_row(name, description)
    colour = wanted(options.color, sys.stdout)
    Console(no_color=not colour, force_terminal=colour or None, highlight=False).print(table)
    return cli.PASSED


def _description(path: str) -> str:
    found, _ = read(path)
    data = found.data if found is not None else None
    return str(data.get("description", "")).strip() if isinstance(data, dict) else ""
