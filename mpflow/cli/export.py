"""mpflow export: a scenario in the language of another tool."""

from __future__ import annotations

import os
import sys
from typing import Any

from mpflow import cli
from mpflow.api import Loaded, load, promela
from mpflow.cli.files import UsageError, resolve, tell_problems, unknown_params, value
from mpflow.scenario import Choice


def command(options: Any) -> int:
    """Write the first case of a file; 2 where it cannot be exported or written."""
    try:
        choice = Choice({name: value(name, text) for name, text in options.params})
        loaded = load(resolve(options.file), choice)
        unknown = list(unknown_params(loaded, choice))
        if unknown:
            raise UsageError("\n".join(unknown))
        text = _text(loaded)
        if text is None:
            return cli.USAGE
        _write(text, options.output, loaded.path)
    except UsageError as error:
        print(error, file=sys.stderr)
        return cli.USAGE
    return cli.PASSED


def _text(loaded: Loaded) -> str | None:
    """The model; None, and why on standard error, where there is none."""
    if loaded.problems or not loaded.scenarios:
        tell_problems(loaded)
        return None
    model = promela(loaded.scenarios[0])
    if model.problems:
        tell_problems(loaded._replace(problems=model.problems))
        return None
    return model.text


def _write(text: str, name: str, scenario: str) -> None:
    if name == "-":
        sys.stdout.write(text)
        return
    if os.path.exists(name) and os.path.exists(scenario) and os.path.samefile(name, scenario):
        raise UsageError(f"mpflow: -o {name} would overwrite the scenario")
    try:
        with open(name, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"mpflow: cannot write to {name}: {error.strerror}") from None
