"""What names stand for: a process's variables in its source, and what it names when it runs.

All forms in which a process is followed need it: the source that runs (engine/), the one that only
asks (stepwise.py), and the model.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

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


def plans_of(program: Program, process: str) -> Mapping[str, Plan]:
    """The plans that a process is handed: its own, and those of all that it may start, and they,
    and so on. A forked one has them all."""
    if process == "main" or program.start_method == "fork":
        return program.plans
    names = family(program.plans, process)
    return {name: each for name, each in program.plans.items() if name in names}


def handed(program: Program, process: str) -> dict[str, str]:
    """The primitives, or their ends, that a process can name, and their types."""
    uses = {use for each in family(program.plans, process) for use in program.plans[each].uses}
    return {
        f"{name}{part}": type_name
        for name, type_name, options in program.primitives
        for part in registry.primitive(type_name).parts(options)
        if process == "main" or f"{name}{part}" in uses
    }


def names_of(step: Step, arguments: Mapping[str, Any]) -> list[str]:
    """The names that an action on something is given. TypeError where they are none."""
    named = arguments[step.operates]
    if not isinstance(named, str | list | tuple):
        raise TypeError(f"{step.verb}: {named!r:.60} is not a name")
    return [named] if isinstance(named, str) else [str(each) for each in named]


def replicas(
    program: Program, plans: Mapping[str, Plan], process: str, name: str, verb: str
) -> list[str] | None:
    """The processes that a name means to one that was handed these plans; None if it is no
    process's. `start: all` means those that neither this one nor another starts; `all` of any
    other verb is not for us to say."""
    if name == "all" and verb == "start":
        others = (plan for plan in plans.values() if plan.name not in ("main", process))
        taken = {"main", process}.union(*(plan.starts for plan in others))
        return [each for each in plans if each not in taken]
    if name in program.names:
        return list(program.names[name])
    return [name] if any(name in each for each in program.names.values()) else None


def meant(
    said: str,
    verb: str,
    name: str,
    type_name: str | None,
    processes: Callable[[], list[str] | None],
) -> list[tuple[str, str]]:
    """What a name means for a verb on primitives or processes ("": for any): each thing, and its
    type. `type_name`: that of what the process was handed by this name. Raises TypeError for what
    the verb does not go with, NameError for what it knows nothing of."""

    def goes(kind: str) -> bool:
        return not verb or registry.primitive(kind).operation(verb) is not None

    if type_name is not None:
        if not goes(type_name):
            raise TypeError(f"{said} does not go with {name}: it is a {type_name}")
        return [(name, type_name)]
    found = processes()
    if found is None or not goes("process"):
        raise NameError(f"{said}: nothing that this process was handed is called {name!r}")
    return [(each, "process") for each in found]


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
