"""What jsonschema says of a piece of a file, in our words: an error goes in, Problems come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.problems import Problem, near, suggestion
from mpflow.schema.fits import Schema

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "null": "nothing",
    "number": "a number",
    "integer": "a whole number",
}
_LIMITS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
_SIZES = {
    "minItems": "at least",
    "maxItems": "at most",
    "minProperties": "at least",
    "maxProperties": "at most",
}
_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_KINDS = ("actions", "target", "class")


class Finding(NamedTuple):
    """One error of jsonschema, and the path in the file of what it is about."""

    error: Any
    path: Path

    def unknown(self) -> list[str]:
        """The keys that the schema does not know."""
        if self.error.validator != "additionalProperties":
            return []
        known = self.error.schema.get("properties", {})
        return [
            key
            for key in self.error.instance
            if key not in known and (self.path or not key.startswith("x-"))
        ]

    def misspelt(self) -> Iterator[str]:
        """The known keys that the unknown ones are probably meant to be."""
        known = self.error.schema.get("properties", {}) if self.unknown() else {}
        found = (near(key, known) for key in self.unknown())
        return (name for name in found if name is not None)

    def missing(self) -> Sequence[str]:
        """The keys that are required and not there: one, or any one of several."""
        if self.error.validator == "required":
            return [
                key for key in self.error.validator_value if f"{key!r} is" in self.error.message
            ]
        if self.error.validator == "oneOf" and not set(self.error.instance) & set(_KINDS):
            return _KINDS
        return []

    def explains(self, lack: Finding) -> bool:
        """Whether the lack of a key is but an unknown key of the same mapping: a misnamed one."""
        missing = lack.missing()
        if set(self.misspelt()) & set(missing):
            return True
        lacking = [k for k in self.error.schema.get("required", ()) if k not in self.error.instance]
        return len(missing) == 1 and len(lacking) == 1 and len(self.unknown()) == 1

    @property
    def follows(self) -> bool:
        """Whether another error says it already: of what is no mapping, keys are not asked."""
        return self.error.validator == "oneOf" and not isinstance(self.error.instance, dict)


def worded(document: Document, finding: Finding) -> Iterator[Problem]:
    """One error in our words; a mapping with several unknown keys gives several."""
    error, path = finding.error, finding.path
    if error.validator == "additionalProperties":
        for key in finding.unknown():
            if not _cut_off(error.instance, key):
                yield _unknown_key(document, key, error.schema, error.instance, path)
    elif error.validator == "required":
        (missing,) = finding.missing()
        message = f"{_called(path)} lacks `{missing}`"
        yield document.problem("missing-key", message, path, f"add `{missing}: …`", key=bool(path))
    elif "propertyNames" in error.absolute_schema_path and not _cut_off(
        _at(document, path), error.instance
    ):
        message = f"`{error.instance}` is not a name"
        hint = "letters, digits and _, no digit first"
        yield document.problem("bad-name", message, (*path, error.instance), hint, key=True)
    elif "propertyNames" in error.absolute_schema_path:
        return
    elif error.validator == "oneOf":
        yield _what_it_does(document, error.instance, path)
    else:
        yield _simple(document, error, path)


def _called(path: Path) -> str:
    """How a message calls what stands at a path."""
    if not path:
        return "the scenario"
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {_called(path[:-1])}"
    return f"`{path[-1]}`"


def _at(document: Document, path: Path) -> Any:
    found = document.data
    for part in path:
        found = found[part]
    return found


def _cut_off(data: Any, key: str) -> bool:
    """Whether a key is the rest of an expression that YAML has cut at a comma; that is said of
    the expression."""
    values = [each for each in data.values() if isinstance(each, str)]
    return data.get(key) is None and ")" in key and any("$(" in each for each in values)


def _unknown_key(
    document: Document, key: str, schema: Schema, data: dict[str, Any], path: Path
) -> Problem:
    known = schema.get("properties", {})
    message, hint = f"{_called(path)} has no key `{key}`", suggestion(key, known)
    lacking = [each for each in schema.get("required", ()) if each not in data]
    if not path:
        message = f"no top-level key is called `{key}`"
        hint = "a key of your own starts with `x-`" if key.startswith("x") else hint
    elif not known:
        message, hint = f"`{path[-1]}` takes no arguments, so no `{key}`", ""
    elif key in registry.verbs() and "do" in known:
        hint = "actions stand in a list below `do`"
    elif len(lacking) == 1 and "mean" not in hint:
        hint = f"is `{lacking[0]}` meant? it is missing"
    return document.problem("unknown-key", message, (*path, key), hint, key=True)


def _what_it_does(document: Document, process: dict[str, Any], path: Path) -> Problem:
    given = [key for key in process if key in _KINDS]
    if not given:
        message = f"process `{path[-1]}` lacks `actions`"
        hint = "add `actions: […]`, or `target: package.module:function`, or `class: …`"
        return document.problem("missing-key", message, path, hint, key=True)
    shown = " and ".join(f"`{key}`" for key in given)
    message = f"process `{path[-1]}` has {shown}; it can have only one of them"
    return document.problem("several-kinds", message, (*path, given[1]), key=True)


def _simple(document: Document, error: Any, path: Path) -> Problem:
    """An error about one value."""
    found, wanted, name = error.instance, error.validator_value, _called(path)
    if path == ("mpflow",):
        message = f"`mpflow` is the version of the language, 1; this is {describe(found)}"
        return document.problem("unsupported-version", message, path, "write `mpflow: 1`")
    if error.validator == "type":
        return _wrong_type(document, error, path)
    if error.validator == "enum":
        return _not_among(document, found, [str(each) for each in wanted], path)
    if error.validator == "pattern":
        return _wrong_text(document, error, path)
    if error.validator in _LIMITS:
        message = f"{name} is {_LIMITS[error.validator]} {wanted}, not {found}"
        return document.problem("out-of-range", message, path)
    if error.validator in _SIZES:
        count = f"{_SIZES[error.validator]} {wanted}"
        count += " entry" if wanted == 1 else " entries"
        message = f"{name} has {count}; this has {len(found)}"
        return document.problem("wrong-length", message, path)
    return document.problem("wrong-shape", f"{name}: {error.message[:200]}", path)


def _wrong_type(document: Document, error: Any, path: Path) -> Problem:
    name, types = _whose(error, path)
    message = f"{name} is {_expected(types, error.schema)}, not {describe(error.instance)}"
    return document.problem("wrong-type", message, path, _type_hint(error.instance, types, path))


def _whose(error: Any, path: Path) -> tuple[str, list[str]]:
    """What the value is, and the types it may have: a short form stands for an argument."""
    wanted = error.schema.get("type", "string")
    types = [wanted] if isinstance(wanted, str) else list(wanted)
    is_verb = len(path) > 1 and isinstance(path[-2], int)  # it stands in a list of actions
    verb = registry.verbs().get(str(path[-1])) if is_verb else None
    if verb is None or verb.short is None or "object" not in types:
        return _called(path), types
    if verb.short.form == "assignments":
        return f"`{verb.name}`", types
    return f"`{verb.short.name}` of `{verb.name}`", [each for each in types if each != "object"]


def _expected(types: Sequence[str], schema: Schema) -> str:
    if schema.get("pattern", "").startswith("^forever"):
        return "a whole number, `forever` or a `$` string"
    words = [_WORDS[each] for each in types if each != "null" or len(types) == 1]
    if "string" in types and len(types) > 1 and schema.get("pattern") == r"\$":
        words = [w for w in words if w != _WORDS["string"]] + ["a `$` string"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _type_hint(found: object, types: Sequence[str], path: Path) -> str:
    """How what was written becomes what is wanted."""
    if isinstance(found, str) and path[-1] in ("times", "repeat") and near(found, ["forever"]):
        return "did you mean `forever`?"
    if isinstance(found, str) and "boolean" in types and found.lower() in _BOOLEANS:
        return f"write `{_BOOLEANS[found.lower()]}`: only true and false are booleans"
    if isinstance(found, str) and {"number", "integer"} & set(types) and _number(found) is not None:
        return f"write {_number(found)}"
    if isinstance(found, dict) and "array" in types and found.keys() & registry.verbs().keys():
        return "a list of actions: put `- ` before each"
    if isinstance(found, str) and "array" in types and "string" not in types:
        return "write a list: `[…]`, or lines that start with `- `"
    if path[:1] == ("processes",) and len(path) == 2:
        return "its actions stand in a list below `actions`"
    if isinstance(found, list) and "object" in types and "array" not in types:
        return "write `name: …` lines, without `- `"
    if isinstance(found, bool | int | float) and path[-1] in ("name", "description"):
        return "quote it"
    if found is None and {"array", "object"} & set(types):
        return "an empty list is `[]`" if "array" in types else "an empty mapping is `{}`"
    return ""


def _number(text: str) -> str | None:
    for kind in (int, float):
        try:
            return str(kind(text))
        except ValueError:
            continue
    return None


def _not_among(document: Document, found: object, listed: list[str], path: Path) -> Problem:
    message = f"{_called(path)} is one of {', '.join(listed)}, not {describe(found)}"
    close = near(str(found), listed)
    hint = f"did you mean `{close}`?" if close else ""
    return document.problem("bad-value", message, path, hint)


def _wrong_text(document: Document, error: Any, path: Path) -> Problem:
    """A text where another kind of text, or something else, is wanted."""
    found, pattern = error.instance, error.validator_value
    name, types = _whose(error, path)
    others = [each for each in types if each not in ("string", "null")]
    choices = pattern.removesuffix(r"|\$").removeprefix("^(").removesuffix(")$")
    if pattern.startswith("^(") and not pattern.startswith("^(?:"):
        return _not_among(document, found, choices.replace("\\", "").split("|"), path)
    if others:
        message = f"{name} is {_expected(types, error.schema)}, not {describe(found)}"
        return document.problem("wrong-type", message, path, _type_hint(found, types, path))
    words, hint = "a name", "letters, digits and _, no digit first"
    if ":" in pattern:
        words, hint = "a Python function", "write `package.module:function` or `./file.py:function`"
        words = "a Python class" if path[-1] == "class" else words
    return document.problem("bad-value", f"{name} is {words}, not {describe(found)}", path, hint)


def describe(data: object) -> str:
    """What a value is, in words: `a list`, `the text 'x'`, `the number 3`."""
    if data is None:
        return "nothing"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | float):
        return f"the number {str(data)[:40]}"
    if isinstance(data, str):
        return f"the text {data if len(data) <= 40 else data[:39] + '…'!r}"
    return "a list" if isinstance(data, list) else "a mapping"


def unknown_type(word: str) -> tuple[str, str]:
    """The message and the hint for a word that is no type of primitive."""
    types = registry.declared()
    return f"no type of primitive is called `{word}`", suggestion(word, types)


def unknown_verb(word: object) -> tuple[str, str]:
    """The message and the hint for a word that is no verb."""
    import re

    verbs, text = registry.verbs(), str(word)
    first = re.match(r"\w+", text)
    if first and first[0] in verbs and first[0] != text:
        message = f"`{text if len(text) <= 40 else text[:39] + '…'}` is not an action"
        return message, f"write `{first[0]}: …`, with a space after the colon"
    return f"no action is called `{text[:60]}`", suggestion(text[:60], verbs)
