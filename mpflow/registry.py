"""Finds what stands in primitives/ and actions/: a name goes in, what its file declares comes out.

A worker loads only the files of what it uses: the file's name is the type's or the verb's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from os import listdir, path

from mpflow.kinds import Action, Argument, Operation, Primitive, Verb


@cache
def primitive(type_name: str) -> Primitive:
    """The primitive that `primitives/<type_name>.py` declares."""
    found: Primitive = import_module(f"mpflow.primitives.{type_name}").PRIMITIVE
    return found


@cache
def action(verb: str) -> Action:
    """The action that `actions/<verb>.py` declares."""
    found: Action = import_module(f"mpflow.actions.{verb}").ACTION
    return found


@cache
def primitives() -> dict[str, Primitive]:
    """All primitives by type; also the process, which is not declared as one."""
    return {name: primitive(name) for name in _files("primitives")}


def declared() -> dict[str, Primitive]:
    """The types that a scenario may declare."""
    return {name: each for name, each in primitives().items() if each.declared}


@cache
def verbs() -> dict[str, Verb]:
    """Every verb of the language, in alphabetical order."""
    found = {name: _from_action(action(name)) for name in _files("actions")}
    operations: dict[str, list[tuple[str, Operation]]] = {}
    for type_name, each in primitives().items():
        for operation in each.operations:
            operations.setdefault(operation.verb, []).append((type_name, operation))
    for name, answers in operations.items():
        found[name] = _from_operations(name, answers)
    return dict(sorted(found.items()))


def _files(folder: str) -> Iterator[str]:
    here = path.join(path.dirname(__file__), folder)
    names = (name.removesuffix(".py") for name in sorted(listdir(here)) if name.endswith(".py"))
    return (name for name in names if not name.startswith("_"))


def _from_action(found: Action) -> Verb:
    subject = next((a.name for a in found.arguments if a.form in ("subject", "subjects")), None)
    types = found.types
    if subject and not types:
        types = tuple(t for t, p in primitives().items() if p.operation("acquire"))
    return Verb(found.verb, found.summary, found.arguments, subject, types, found)


def _from_operations(name: str, answers: list[tuple[str, Operation]]) -> Verb:
    """One verb for all types that answer to it: their arguments, united."""
    arguments: dict[str, Argument] = {}
    for type_name, operation in answers:
        for argument in operation.signature:
            known = arguments.setdefault(argument.name, argument)
            if (known.form, known.required) != (argument.form, argument.required):
                raise TypeError(f"{name}: {type_name} declares `{argument.name}` otherwise")
    first = answers[0][1]
    types = tuple(type_name for type_name, _ in answers)
    return Verb(name, first.summary, tuple(arguments.values()), first.subject.name, types, None)
