"""Why a file does not fit the schema: a Document that was refused goes in, Problems come out.

jsonschema says what is wrong; here its words become ours. An action's verb is picked by its
key first and only that verb's part of the schema is asked, so that one mistake is one problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.problems import Problem, suggestion
from mpflow.schema import Schema, blocks, unknown_verb

_LIST_OF_ACTIONS: Schema = {"type": "array"}
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "null": "nothing",
    "number": "a number",
    "integer": "a whole number",
}


def explain(document: Document, schema: Schema) -> list[Problem]:
    """All problems of shape, in one go."""
    if not isinstance(document.data, dict):
        found = describe(document.data)
        message = f"a scenario is a mapping with `mpflow` and `processes`; this is {found}"
        return [document.problem("not-a-scenario", message, ())]
    top = _opaque(schema)
    found_problems = list(_judge(document, top, document.data, ()))
    for path, block in blocks(document):
        found_problems += _block(document, block, path, schema)
    return found_problems


def describe(data: object) -> str:
    """What a value is, in words: `a list`, `the text 'x'`, `the number 3`."""
    if data is None:
        return "nothing"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | float):
        return (
            f"the number {data:.40}" if isinstance(data, float) else f"the number {str(data)[:40]}"
        )
    if isinstance(data, str):
        shown = data if len(data) <= 40 else data[:39] + "…"
        return f"the text {shown!r}"
    return "a list" if isinstance(data, list) else "a mapping"


def _opaque(schema: Schema) -> Schema:
    """The schema with lists of actions left unopened: they are judged verb by verb."""
    definitions = {**schema["$defs"], "actions": _LIST_OF_ACTIONS}
    return {**schema, "$defs": definitions}


def _block(document: Document, block: object, path: Path, schema: Schema) -> Iterator[Problem]:
    if not isinstance(block, list):
        return  # said by the schema around it
    for place, action in enumerate(block):
        yield from _action(document, action, (*path, place), schema)


def _action(document: Document, action: object, path: Path, schema: Schema) -> Iterator[Problem]:
    verbs = registry.verbs()
    if isinstance(action, str):
        if action not in verbs:
            yield document.problem("unknown-action", *_args(unknown_verb(action), path))
        elif not verbs[action].bare:
            needed = ", ".join(f"`{a.name}`" for a in verbs[action].arguments if a.required)
            message = f"`{action}` needs its arguments: {needed}"
            yield document.problem("missing-key", message, path, f"write `{action}: …`")
        return
    if not isinstance(action, dict) or not action:
        message = f"an action is a verb and its arguments; this is {describe(action)}"
        yield document.problem("not-an-action", message, path, "write `- verb: …`")
        return
    known = [key for key in action if isinstance(key, str) and key in verbs]
    if len(action) > 1:
        yield _several(document, action, known, path)
        return
    (verb,) = action
    if not known:
        message, hint = unknown_verb(verb)
        yield document.problem("unknown-action", message, (*path, verb), hint, key=True)
        return
    yield from _arguments(document, verb, action[verb], (*path, verb), schema)


def _args(message_and_hint: tuple[str, str], path: Path) -> tuple[str, Path, str]:
    return message_and_hint[0], path, message_and_hint[1]


def _several(document: Document, action: dict[Any, Any], known: list[str], path: Path) -> Problem:
    shown = ", ".join(f"`{key}`" for key in action)
    culprit = list(action)[1]
    hint = "write each action behind its own `- `"
    if len(known) == 1 and action[known[0]] is None:
        hint = f"indent the arguments further than `{known[0]}`"
    elif not known:
        hint = suggestion(str(next(iter(action))), registry.verbs())
    return document.problem(
        "several-verbs",
        f"an action has one verb; this one has {len(action)}: {shown}",
        (*path, culprit),
        hint,
        key=True,
    )


def _arguments(
    document: Document, verb: str, data: object, path: Path, schema: Schema
) -> Iterator[Problem]:
    """One verb's arguments against its own sub-schema, then the blocks inside them."""
    fragment = {
        **schema["$defs"]["action"]["properties"][verb],
        "$defs": {"actions": _LIST_OF_ACTIONS},
    }
    if data is None and not registry.verbs()[verb].bare:
        needed = ", ".join(f"`{a.name}`" for a in registry.verbs()[verb].arguments if a.required)
        message = f"`{verb}` needs its arguments: {needed}"
        yield document.problem("missing-key", message, path, key=True)
        return
    yield from _judge(document, fragment, data, path)
    for argument in registry.verbs()[verb].arguments:
        at, inner = (*path, argument.name), None
        if isinstance(data, dict):
            inner = data.get(argument.name)
        elif argument is registry.verbs()[verb].short:
            at, inner = path, data
        if argument.form == "block":
            yield from _block(document, inner, at, schema)
        elif argument.form == "handlers" and isinstance(inner, dict):
            for name, block in inner.items():
                yield from _block(document, block, (*at, name), schema)


def _judge(document: Document, schema: Schema, data: object, path: Path) -> Iterator[Problem]:
    """jsonschema's errors for one piece of the file, as Problems."""
    from jsonschema import Draft202012Validator

    yield from _odd_keys(document, data, path, schema)
    validator = Draft202012Validator(schema)
    for error in validator.iter_errors(_with_text_keys(data, schema)):
        yield from _problem(document, error, (*path, *error.absolute_path))


def _odd_keys(document: Document, data: object, path: Path, schema: Schema) -> Iterator[Problem]:
    """Keys that are no texts, where the language has names."""
    if not isinstance(data, dict) or not (schema.get("properties") or "propertyNames" in schema):
        return
    for key, each in data.items():
        if not isinstance(key, str):
            message = f"a key is a name here; this is {describe(key)}"
            yield document.problem("bad-key", message, (*path, key), "quote it", key=True)
        else:
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            if isinstance(inner, dict) and "$ref" in inner:
                inner = schema.get("$defs", {}).get(inner["$ref"].removeprefix("#/$defs/"), {})
            if isinstance(inner, dict):
                inner = {**inner, "$defs": schema.get("$defs", {})}
                yield from _odd_keys(document, each, (*path, key), inner)


def _with_text_keys(data: object, schema: Schema) -> object:
    """The data without keys that are no texts: jsonschema matches keys as texts and would fail."""
    if isinstance(data, dict):
        return {k: _with_text_keys(v, schema) for k, v in data.items() if isinstance(k, str)}
    if isinstance(data, list):
        return [_with_text_keys(each, schema) for each in data]
    return data


def _problem(document: Document, error: Any, path: Path) -> Iterator[Problem]:
    """One error of jsonschema in our words; a mapping with several unknown keys gives several."""
    found, name = error.instance, f"`{path[-1]}`" if path else "the scenario"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in found:
            if key not in known and (path or not key.startswith("x-")):
                message = (
                    f"{name} has no key `{key}`" if path else f"no top-level key is called `{key}`"
                )
                hint = suggestion(key, known)
                yield document.problem("unknown-key", message, (*path, key), hint, key=True)
    elif error.validator == "required":
        (missing,) = [k for k in error.validator_value if f"'{k}' is a required" in error.message]
        message = f"{name} lacks `{missing}`"
        yield document.problem("missing-key", message, path, f"add `{missing}: …`", key=bool(path))
    elif "propertyNames" in error.absolute_schema_path:
        yield _key(document, error, path, name)
    else:
        yield _simple(document, error, path, name)


def _key(document: Document, error: Any, path: Path, name: str) -> Problem:
    """A key that cannot stand there: no name, or an option that this type does not have."""
    key = error.instance
    if error.validator == "enum":
        message = f"{name} has no option `{key}`"
        return document.problem(
            "unknown-key", message, (*path, key), suggestion(key, error.validator_value), key=True
        )
    message = f"`{key}` is not a name: letters, digits and _, no digit first"
    return document.problem("bad-name", message, (*path, key), key=True)


def _simple(document: Document, error: Any, path: Path, name: str) -> Problem:
    found, shown = error.instance, describe(error.instance)
    wanted = error.validator_value
    if path == ("mpflow",):
        message = f"`mpflow` is the language's version, 1; this is {shown}"
        return document.problem("unsupported-version", message, path, "write `mpflow: 1`")
    if error.validator == "type":
        words = _expected(wanted, error.schema)
        hint = "a list of actions: put `- ` before each" if wanted == "array" else ""
        return document.problem("wrong-type", f"{name} is {words}, not {shown}", path, hint)
    if error.validator == "enum":
        listed = [str(each) for each in wanted]
        code = "unknown-type" if path[-1] == "type" else "bad-value"
        message = f"{name} is one of {', '.join(listed)}, not {shown}"
        if code == "unknown-type":
            message = f"no type of primitive is called `{found}`"
        return document.problem(code, message, path, suggestion(str(found), listed))
    if error.validator == "pattern":
        return _pattern(document, found, path, name, error)
    if error.validator == "oneOf":
        message = f"process {name} has exactly one of `actions`, `target` and `class`"
        return document.problem("what-it-does", message, path, key=True)
    limits = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
    if error.validator in limits:
        message = f"{name} is {limits[error.validator]} {wanted}, not {found}"
        return document.problem("out-of-range", message, path)
    if error.validator in ("minItems", "minProperties"):
        count = f"at least {wanted}" if wanted > 1 else "at least one"
        return document.problem("too-few", f"{name} needs {count} entry", path)
    return document.problem("wrong-shape", f"{name}: {error.message[:200]}", path)


def _pattern(document: Document, found: str, path: Path, name: str, error: Any) -> Problem:
    """A text of the wrong kind: a name, a type, a function, or a number written as text."""
    if len(path) == 2 and path[0] == "primitives":
        types = registry.declared()
        message = f"no type of primitive is called `{found}`"
        return document.problem("unknown-type", message, path, suggestion(found, types))
    types = error.schema.get("type", "string")
    if isinstance(types, list) and types != ["string"]:
        others = [t for t in types if t != "string"]
        message = (
            f"{name} is {_expected(others, error.schema)} or a `$` string, not {describe(found)}"
        )
        return document.problem("wrong-type", message, path)
    words = "`package.module:function`" if ":" in error.validator_value else "a name"
    if error.validator_value.startswith("^(") and error.validator_value.endswith(r")$|\$"):
        words = "one of " + error.validator_value[2:-5].replace("|", ", ").replace("\\", "")
    message = f"{name} is {words}, not {describe(found)}"
    return document.problem("bad-value", message, path)


def _expected(wanted: str | list[str], schema: Schema) -> str:
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    words = [_WORDS[each] for each in listed if each != "null" or len(listed) == 1]
    if "string" in listed and schema.get("pattern") == r"\$":
        words = [w for w in words if w != _WORDS["string"]] + ["a `$` string"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
