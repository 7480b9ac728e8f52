"""What names stand for in a process's source: a Plan goes in, its variables come out.

Both forms of the source need it: the one that runs (engine/source.py) and the one that only asks
(stepwise.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping

from mpflow import registry
from mpflow.evaluation import Attributes
from mpflow.exceptions import told
from mpflow.kinds import INTO
from mpflow.plan import Plan, Program, Step


class Error(Attributes):
    """`error` in an expression: the exception being handled just now."""

    def get(self, name: str) -> object:
        error = sys.exc_info()[1]
        if error is None:
            raise NameError("name 'error' is not defined: no exception is being handled")
        if name in ("type", "message"):
            return told(error)[name == "message"]
        raise AttributeError(f"error has no {name!r}; it has type and message")


def variables(plan: Plan) -> tuple[tuple[str, ...], bool]:
    """The variables that a process sets, as far as the text tells, and whether it tells all."""
    found = dict.fromkeys(name for name, _ in plan.vars)
    dynamic = False
    for step in plan.steps:
        if step.kind in ("do", "open"):
            for name in set_by(step):
                if name is None:
                    dynamic = True
                else:
                    found[name] = None
    return tuple(found), dynamic


def hidden(variables: Iterable[str], program: Program) -> list[str]:
    """Those variables that hide a name which means something else until they are set."""
    outer = {"index", *program.params, *program.names}
    outer |= {name.partition("[")[0] for name, _, _ in program.primitives}
    return [name for name in variables if name in outer]


def set_by(step: Step) -> Iterator[str | None]:
    """The variables that a step sets; None for one whose name the run decides. Only the file of
    the action is loaded: every process that is started asks, before it does anything."""
    operation = step.kind == "do" and step.operates
    for argument in (INTO,) if operation else registry.action(step.verb).arguments:
        source = step.arguments.get(argument.name, "None")
        if argument.form == "assignments":
            yield from (line.partition(" = ")[0][2:] for line in source.split("\n"))
        elif argument.form == "variable" and source != "None":
            yield constant(source)


def constant(source: str) -> str | None:
    """The text that a source is, if it is nothing but an identifier's."""
    return source[1:-1] if source[1:-1].isidentifier() and source[0] in "'\"" else None


def family(plans: Mapping[str, Plan], name: str) -> set[str]:
    """A process and all that it may start, and they, and so on: whose plans it is handed."""
    found, left = {name}, [name]
    while left:
        new = plans[left.pop()].starts - found
        found |= new
        left += new
    return found


def split(function: str) -> tuple[str, str]:
    """The module and the name in it that `package.module:function` consists of."""
    module, _, name = function.rpartition(":")
    return module, name


def file_of(module: str, folder: str) -> str | None:
    """The file that a module stands for, seen from the scenario's folder; None for one that Python
    finds by its name."""
    return os.path.abspath(os.path.join(folder, module)) if module.endswith(".py") else None


def python_files(folder: str) -> list[str]:
    """The files of Python code in a folder, without `.py`; none where it cannot be read."""
    try:
        return sorted(
            each.removesuffix(".py") for each in os.listdir(folder) if each.endswith(".py")
        )
    except OSError:
        return []
