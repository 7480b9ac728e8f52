"""What the names of a scenario mean: a text goes in, a place or a complaint comes out.

`forks[1]` is the second fork, `link.conn1` an end of a pipe, `worker` all replicas of a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.kinds import Verb
from mpflow.problems import suggestion

_SHAPE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[(-?\d+)\])?(?:\.([A-Za-z_][A-Za-z0-9_]*))?")

RESERVED = frozenset({"main", "self", "all", "index", "error", "output"})


class Place(NamedTuple):
    """One real object: its name in full, the name it was declared under, its type, its part."""

    name: str
    declared: str
    type: str
    part: str


class Complaint(NamedTuple):
    """Why a name means nothing, or the wrong thing; `about` is the declared part of it."""

    code: str
    message: str
    hint: str = ""
    about: str = ""


class Declared(NamedTuple):
    """A primitive as declared: its type, its options with the defaults, how many there are."""

    name: str
    type: str
    options: Mapping[str, Any]
    count: int | None  # type: ignore[assignment]  # tuple.count is not missed

    @property
    def replicas(self) -> tuple[str, ...]:
        """Its names without the parts: `forks[0]`, `forks[1]`, or `fork`."""
        return replicas(self.name, self.count)


def replicas(name: str, count: int | None) -> tuple[str, ...]:
    """`name`, or `name[0]` to `name[count - 1]`."""
    return (name,) if count is None else tuple(f"{name}[{i}]" for i in range(count))


class Names(NamedTuple):
    """All that is declared: primitives, and processes with the names of their replicas."""

    primitives: Mapping[str, Declared]
    processes: Mapping[str, tuple[str, ...]]

    def primitive(self, text: str) -> Place | Complaint:
        """The one real object that a text names."""
        shape = _SHAPE.fullmatch(text)
        base = shape[1] if shape else text
        if shape is None or base not in self.primitives:
            return self._unknown(text, base)
        declared = self.primitives[base]
        wrong = _index(declared.name, declared.count, shape[2]) or _part(declared, shape[3])
        if wrong is not None:
            return wrong
        part = f".{shape[3]}" if shape[3] else ""
        return Place(text, base, declared.type, part)

    def process(self, text: str) -> tuple[str, ...] | Complaint:
        """The processes that a text names: one, or all replicas of one."""
        shape = _SHAPE.fullmatch(text)
        base = shape[1] if shape else text
        if base == "main":
            message = "`main` is the parent of all; no process starts, joins or ends it"
            return Complaint("not-a-child", message)
        if shape is None or shape[3] or base not in self.processes:
            if base in self.primitives:
                message = f"`{base}` is {a(self.primitives[base].type)}, not a process"
                return Complaint("not-a-process", message, suggestion("", self.processes), base)
            hint = suggestion(base, self.processes)
            return Complaint("unknown-process", f"no process is called `{text}`", hint, base)
        names = self.processes[base]
        if shape[2] is None:
            return names
        count = None if names == (base,) else len(names)
        return _index(base, count, shape[2]) or (text,)

    def subject(self, text: str, verb: Verb) -> tuple[Place, ...] | Complaint:
        """What a verb is to act on; a complaint too where it has no such verb."""
        base = text.partition("[")[0].partition(".")[0]
        processes = any(argument.form == "processes" for argument in verb.arguments)
        known = base in self.primitives and verb.types != ("process",)
        if "process" in verb.types and (not known or (processes and base in self.processes)):
            found = self.process(text)
            if isinstance(found, Complaint):
                return found if processes else self._unknown(text, base)
            return tuple(Place(name, base, "process", "") for name in found)
        place = self.primitive(text)
        if isinstance(place, Complaint):
            return place
        if place.type not in verb.types:
            takes = ", ".join(verb.types)
            message = f"`{base}` is {a(place.type)}; `{verb.name}` takes: {takes}"
            return Complaint("wrong-primitive", message, _instead(place.type), base)
        return (place,)

    def places(self, declared: str) -> tuple[Place, ...]:
        """All real objects of one declaration."""
        each = self.primitives[declared]
        parts = registry.primitive(each.type).parts(each.options)
        return tuple(
            Place(f"{name}{part}", declared, each.type, part)
            for name in each.replicas
            for part in parts
        )

    def _ends(self, name: str, end: str) -> list[Place]:
        return [place for place in self.places(name) if place.part == f".{end}"]

    def _unknown(self, text: str, base: str) -> Complaint:
        if base in self.processes:
            message = f"`{base}` is a process, not a primitive"
            return Complaint("not-a-primitive", message, suggestion("", self.primitives), base)
        ends = [place.name for name in self.primitives for place in self._ends(name, base)]
        if ends:
            hint = f"it is the end of a pipe: write `{ends[0]}`"
            return Complaint("unknown-primitive", f"no primitive is called `{text}`", hint, base)
        hint = suggestion(base, self.primitives) or "no primitives are declared"
        return Complaint("unknown-primitive", f"no primitive is called `{text}`", hint, base)


def _index(name: str, count: int | None, index: str | None) -> Complaint | None:
    if count is None and index is not None:
        message = f"`{name}` has no replicas: it is declared without `count`"
        return Complaint("not-replicated", message, f"write `{name}`", name)
    if count is not None and index is None:
        message = f"`{name}` stands for {count} replicas; name one"
        return Complaint("needs-index", message, f"write `{name}[0]`", name)
    if count is not None and index is not None and not 0 <= int(index) < count:
        message = f"`{name}[{index}]` is none of the {count} replicas of `{name}`"
        hint = f"there are `{name}[0]` to `{name}[{count - 1}]`" if count else ""
        return Complaint("index-out-of-range", message, hint, name)
    return None


def _part(declared: Declared, part: str | None) -> Complaint | None:
    parts = registry.primitive(declared.type).parts(declared.options)
    wanted = f".{part}" if part else ""
    if wanted in parts:
        return None
    ends = [each.removeprefix(".") for each in parts if each]
    if not ends:
        message = f"`{declared.name}` is {a(declared.type)}; it has no part `{part}`"
        return Complaint("unknown-end", message, f"write `{declared.name}`", declared.name)
    if part is None:
        message = f"`{declared.name}` is a pipe; name one of its ends"
        shown = " or ".join(f"`{declared.name}.{end}`" for end in ends)
        return Complaint("needs-end", message, f"write {shown}", declared.name)
    message = f"`{declared.name}` has no end called `{part}`"
    return Complaint("unknown-end", message, suggestion(part, ends), declared.name)


def _instead(type_name: str) -> str:
    verbs = (operation.verb for operation in registry.primitive(type_name).operations)
    return f"{a(type_name)} knows: {', '.join(verbs)}"


def a(type_name: str) -> str:
    """`a queue`, `an event`."""
    return f"an {type_name}" if type_name[0] in "aeiou" else f"a {type_name}"
