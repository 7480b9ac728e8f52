"""mpflow verify: check traces again, and name the first event of each that is wrong."""

from __future__ import annotations

import sys
from typing import Any

from mpflow import cli
from mpflow.api import verify
from mpflow.cli.files import named
from mpflow.verify import Finding, NoTrace
from mpflow.views.style import Style, printable, wanted


def command(options: Any) -> int:
    """0 when all traces of all files are verified, 1 when one is refused, 2 without a trace."""
    style = Style(wanted(options.color, sys.stdout))
    codes = [_file(path, style) for path in options.files]
    return next(code for code in (cli.USAGE, cli.FAILED, cli.PASSED) if code in codes)


def _file(path: str, style: Style) -> int:
    try:
        found = verify(path)
    except NoTrace as error:
        print(printable(f"mpflow: {named(path)}: {error}"), file=sys.stderr)
        return cli.USAGE
    for finding in found:
        _tell(finding, path, style)
    return cli.PASSED if all(each.accepted for each in found) else cli.FAILED


def _tell(finding: Finding, path: str, style: Style) -> None:
    where = printable(f"{finding.name} ({named(path)})")
    if finding.accepted:
        count = f"{finding.events} event{'s' * (finding.events != 1)}"
        print(f"{style('verified', 'green', 'bold')}: {where}: {count}")
    else:
        print(f"{style('refused', 'red', 'bold')}: {printable(finding.place)}: ", end="")
        print(printable(f"{finding.reason}; in {finding.name} ({named(path)})"))
    for note in finding.notes:
        print(printable(f"  {note}"))
