"""What the command line names: a FILE goes in, its path comes out; from a -p, its value."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from mpflow.api import Loaded
from mpflow.scenario import Choice


class UsageError(Exception):
    """The command line asks for what cannot be done; the message says why."""


def value(name: str, text: str) -> Any:
    """The value of a -p; nothing is null, as it is in YAML."""
    from mpflow.document import parse

    found, problems = parse(text, f"-p {name}")
    if [problem.code for problem in problems] == ["empty-file"]:
        return None
    if found is None or problems:
        raise UsageError("\n\n".join(problem.render() for problem in problems))
    return found.data


def chosen(options: Any) -> Choice:
    """What -p, --start-method and --timeout settle."""
    params = {name: value(name, text) for name, text in options.params}
    if options.files.count("-") > 1:
        raise UsageError("mpflow: standard input (-) can be read only once")
    return Choice(params, options.start_method, getattr(options, "timeout", None))


def resolve(path: str) -> str:
    """The file itself, or the shipped scenario of that name when there is no such file."""
    if path == "-" or (os.path.exists(path) and not os.path.isdir(path)):
        return path
    from mpflow import shipped

    return shipped.find(path) or path


def named(path: str) -> str:
    """A path as messages show it."""
    return "<stdin>" if path == "-" else path


def other_name(path: str) -> str:
    """What may have been meant by the name of a file that cannot be read."""
    if os.path.isdir(path):
        return "name its files, as in " + os.path.join(path, "*.yaml")
    if os.path.exists(path):
        return ""
    from mpflow import shipped
    from mpflow.problems import near

    close = near(path, [name for name, _ in shipped.scenarios()])
    return f"did you mean the shipped scenario `{close}`?" if close else ""


def tell_problems(loaded: Loaded) -> None:
    """What is wrong with a file, on standard error."""
    for problem in loaded.problems:
        if problem.span is None:
            problem = problem._replace(hint=problem.hint or other_name(loaded.path))
        print(problem.render() + "\n", file=sys.stderr)


def usable(loaded: Loaded, choice: Choice) -> bool:
    """Whether a file has cases, and params for each -p; if not, why, on standard error."""
    path = named(loaded.path)
    unknown = list(unknown_params(loaded, choice))
    if unknown:
        print(*unknown, sep="\n", file=sys.stderr)
    elif loaded.problems:
        tell_problems(loaded)
        count = len(loaded.problems)
        print(f"{path}: {count} problem{'s' * (count != 1)}", file=sys.stderr)
    elif not loaded.scenarios:
        print(f"mpflow: {path}: its matrix has no case to run", file=sys.stderr)
    else:
        return True
    return False


def unknown_params(loaded: Loaded, choice: Choice) -> Iterator[str]:
    """A sentence for each -p that the file has no param for."""
    from mpflow.problems import suggestion

    for scenario in loaded.scenarios[:1]:
        for name in choice.params:
            if name not in scenario.declared:
                hint = suggestion(name, scenario.declared) or "it declares none"
                yield f"mpflow: {named(loaded.path)} has no param `{name}`; {hint}"
