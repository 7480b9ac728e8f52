"""Which primitives are one subject in the order of events, and the rule of each subject.

In: a program's primitives. A lock and the conditions, values and arrays that were given it are one
subject, named as the lock is; everything else is one for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mpflow import registry
from mpflow.primitives._monitor import Monitor

if TYPE_CHECKING:
    from mpflow.rule import Rule

Declared = tuple[str, str, Mapping[str, Any]]  # name, type, options


def subjects(primitives: Iterable[Declared]) -> dict[str, str]:
    """The subject of each primitive, by name."""
    return {name: _lock(type_name, options) or name for name, type_name, options in primitives}


def rule(subject: str, primitives: Iterable[Declared], code: bool) -> Rule:
    """What says which order of a subject's events can be; `code`: there is Python code that may
    have its part in it."""
    members = {}
    own: Declared | None = None
    for each in primitives:
        name, type_name, options = each
        if name == subject:
            own = each
        member = registry.primitive(type_name).member
        if member is not None and _lock(type_name, options) == subject:
            members[name] = member(options)
    assert own is not None
    _, type_name, options = own
    if members:
        return Monitor(type_name, members)
    return registry.primitive(type_name).rule({**options, "code": code})


def _lock(type_name: str, options: Mapping[str, Any]) -> str | None:
    """The declared lock that a primitive was given, if it was given one."""
    if registry.primitive(type_name).member is None:
        return None
    lock = options["lock"]
    return lock if isinstance(lock, str) else None
