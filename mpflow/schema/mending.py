"""A Document that does not fit the schema goes in, one that does comes out, for its meaning.

So all problems of a file are told in one go. What is faulty is left out, or an action becomes
`pass`, so that all else keeps its path. `lost` are the words of what was left out: nothing is
to be said of them later, for what the file says of them is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.problems import Problem
from mpflow.schema import whole
from mpflow.schema.fits import Schema, accepts

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GONE: Any = object()
_STAND_INS: tuple[Any, ...] = ("$_", [], {}, 1)  # what `$_` is only a run could tell
_STRUCTURE = {"properties", "additionalProperties", "propertyNames", "required"}
_SIZES = ("minItems", "maxItems", "minProperties", "maxProperties")


class Mended(NamedTuple):
    """A document that fits the schema, and the words that were lost on the way; the name of a
    declaration that is not what it was stands there with a dot before it, too."""

    document: Document
    lost: frozenset[str]


def mended(document: Document, faults: Iterable[Problem]) -> Mended:
    """The document as far as it can be understood; `faults` were found while reading it."""
    mender = _Mender()
    for fault in faults:
        if fault.code == "duplicate-key":
            mender.lost.update(_below(document, fault))
    sound = copy(document)
    sound.data = mender.mend(whole(), document.data, ())
    return Mended(sound, frozenset(mender.lost))


def _below(document: Document, fault: Problem) -> Iterator[str]:
    """The words of a key that was left out while reading, and of the lines indented below it."""
    if fault.span is None:
        return
    for i, line in enumerate(document.text.splitlines()[fault.span.line - 1 :]):
        indent = len(line) - len(line.lstrip())
        if i and line.strip() and indent < fault.span.column:
            return
        yield from _WORD.findall(line)


class _Mender:
    """Goes through the data along the schema; each value comes back sound, or as _GONE."""

    def __init__(self) -> None:
        self.lost: set[str] = set()

    def mend(self, schema: Schema, data: Any, path: Path) -> Any:
        reference = schema.get("$ref", "").removeprefix("#/$defs/")
        schema = whole()["$defs"][reference] if reference else schema
        if reference == "action":
            return self.action(data, path)
        if reference != "primitive":  # of that, half the options would make another one
            if isinstance(data, dict) and _may_be(schema, "object"):
                return self.mapping(schema, data, path) if schema.keys() & _STRUCTURE else data
            if isinstance(data, list) and _may_be(schema, "array"):
                return self.items(schema, data, path)
        if accepts(schema, data, whole()):
            return data
        self.lose(data, path)
        return [] if reference == "actions" else _GONE

    def items(self, schema: Schema, data: list[Any], path: Path) -> Any:
        """A list with all its items sound; without one of them it would be another list."""
        wanted = schema.get("items", {})
        items = [self.mend(wanted, each, (*path, i)) for i, each in enumerate(data)]
        if _GONE in items or not _sized(schema, items):
            return self.lose(data, path)
        return items

    def mapping(self, schema: Schema, data: dict[Any, Any], path: Path) -> Any:
        """A mapping without its faulty keys, and with stand-ins for those that it lacks."""
        sound: dict[Any, Any] = {}
        for key, each in data.items():
            wanted = _wanted(schema, key)
            if wanted is True:
                sound[key] = each
            elif wanted is False:
                self.lose(each, (*path, key))
            else:
                kept = self.mend(wanted, each, (*path, key))
                sound.update({} if kept is _GONE else {key: kept})
        self.one_kind(schema, sound, path)
        for key in schema.get("required", ()):
            if key not in sound:
                wanted = schema["properties"][key]
                sound[key] = next(s for s in _STAND_INS if accepts(wanted, s, whole()))
                self.lost.add("_")
        return sound if _sized(schema, sound) else self.lose(data, path)

    def one_kind(self, schema: Schema, sound: dict[Any, Any], path: Path) -> None:
        """A process has actions, or a target, or a class."""
        kinds = [each["required"][0] for each in schema.get("oneOf", ())]
        given = [key for key in kinds if key in sound]
        for extra in given[1:]:
            self.lose(sound.pop(extra), (*path, extra))
        if kinds and not given:
            sound[kinds[0]] = []
            self.lose(None, (*path, kinds[0]))

    def action(self, data: Any, path: Path) -> Any:
        """An action with sound arguments; `pass` where not even its verb is clear."""
        verbs = registry.verbs()
        if isinstance(data, str) and data in verbs and verbs[data].bare:
            return data
        if isinstance(data, dict) and len(data) == 1:
            ((verb, given),) = data.items()
            if isinstance(verb, str) and verb in verbs:
                schema, at = whole()["$defs"]["action"]["properties"][verb], (*path, verb)
                kept = self.mend(schema, given, at)
                if kept is _GONE and not isinstance(given, dict):
                    kept = self.mapping(schema, {}, at)
                return "pass" if kept is _GONE else {verb: kept}
        self.lose(data, path)
        return "pass"

    def lose(self, data: Any, path: Path) -> Any:
        """Take note of what is left out: its own words, its key, the declaration it is part of."""
        self.lost.update(_words(data))
        if 2 <= len(path) <= 3 and isinstance(path[1], str):
            self.lost.update({path[1], f".{path[1]}"})
        if path and isinstance(path[-1], str):
            self.lost.update({path[-1], "index"} if path[-1] == "count" else {path[-1]})
        return _GONE


def _may_be(schema: Schema, kind: str) -> bool:
    types = schema.get("type", kind)
    return kind in ([types] if isinstance(types, str) else types)


def _sized(schema: Schema, data: object) -> bool:
    return accepts({key: schema[key] for key in _SIZES if key in schema}, data, schema)


def _wanted(schema: Schema, key: object) -> Any:
    """The schema of a key's value; True where anything may stand, False where the key may not."""
    if not isinstance(key, str) or not accepts(schema.get("propertyNames", {}), key, schema):
        return False
    if any(re.search(pattern, key) for pattern in schema.get("patternProperties", {})):
        return True
    return schema.get("properties", {}).get(key, schema.get("additionalProperties", True))


def _words(data: object) -> Iterator[str]:
    """Every word in some data, keys and values."""
    if isinstance(data, str):
        yield from _WORD.findall(data)
    elif isinstance(data, dict):
        for key, each in data.items():
            yield from _words(key)
            yield from _words(each)
    elif isinstance(data, list):
        for each in data:
            yield from _words(each)
