"""mpflow validate: every problem of every file, and how many files are valid."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mpflow import cli
from mpflow.api import validate
from mpflow.problems import Problem
from mpflow.views.style import Style, wanted


def command(options: Any) -> int:
    """0 when all files are valid, else 1."""
    files = list(_files(options.paths))
    problems = [problem for path in files for problem in validate(path)]
    if options.format == "json":
        import json

        told = {"files": len(files), "problems": [each.as_json() for each in problems]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(files, problems, Style(wanted(options.color, sys.stdout)))
    return cli.FAILED if problems or not files else cli.PASSED


def _tell(files: Sequence[str], problems: Sequence[Problem], style: Style) -> None:
    for problem in problems:
        head, _, rest = problem.render().partition("\n")
        print(style(head, "red", "bold"))
        print(rest + "\n")
    if not files:
        print("no scenario files (*.yaml, *.yml) were found")
    elif problems:
        bad = len({problem.path for problem in problems})
        count = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        print(f"{count} in {bad} of {_count(len(files))}")
    else:
        print(f"{_count(len(files))}: no problems")


def _count(number: int) -> str:
    return f"{number} file{'s' * (number != 1)}"


def _files(paths: Sequence[str]) -> Iterator[str]:
    """The files themselves, and the YAML files below the folders, hidden ones left out."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for here, folders, names in os.walk(path):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in sorted(names):
                if name.endswith((".yaml", ".yml")) and not name.startswith("."):
                    yield os.path.join(here, name) if here != "." else name
