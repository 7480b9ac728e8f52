"""Why a file does not fit the schema: a Document that was refused goes in, Problems come out.

jsonschema says what is wrong with a piece, wording.py puts it in our words. An action's verb and
a primitive's type are picked first and only that part of the schema is asked, so that one
mistake is one problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.kinds import Argument, Verb
from mpflow.problems import Problem
from mpflow.schema import options, whole
from mpflow.schema.fits import Schema
from mpflow.schema.wording import Finding, describe, unknown_type, unknown_verb, worded

_OPAQUE: Schema = {"actions": {"type": "array"}, "action": {}, "primitive": {}}


def explain(document: Document) -> Iterator[Problem]:
    """All problems of shape, in one go."""
    data = document.data
    if not isinstance(data, dict):
        message = f"a scenario is a mapping with `mpflow` and `processes`; this is {describe(data)}"
        yield document.problem("not-a-scenario", message, ())
        return
    definitions = {**whole()["$defs"], **_OPAQUE}
    yield from _judge(document, {**whole(), "$defs": definitions}, _outline(data), ())
    for name, declared in _entries(data.get("primitives")):
        yield from _primitive(document, declared, ("primitives", name))
    for name, process in _entries(data.get("processes")):
        if isinstance(process, dict):
            yield from _block(document, process.get("actions"), ("processes", name, "actions"))
    yield from _block(document, data.get("main"), ("main",))


def _entries(data: object) -> Iterator[tuple[object, object]]:
    return iter(data.items() if isinstance(data, dict) else ())


def _primitive(document: Document, data: object, path: Path) -> Iterator[Problem]:
    types = registry.declared()
    place, written = path, data
    if isinstance(data, dict) and "type" in data:
        place, written = (*path, "type"), data["type"]
    if isinstance(written, str) and written in types:
        schema = options(types[written])
        required = ["type", *(each.name for each in types[written].options if each.required)]
        shape = {"properties": schema, "required": required, "additionalProperties": False}
        yield from _judge(document, shape, data if written is not data else {"type": data}, path)
    elif isinstance(written, str):
        message, hint = unknown_type(written)
        yield document.problem("unknown-type", message, place, hint)
    elif isinstance(data, dict) and "type" not in data:
        message = f"`{path[-1]}` lacks `type`"
        hint = f"add `type: …`, one of {', '.join(types)}"
        yield document.problem("missing-key", message, path, hint, key=True)
    else:
        message = f"`{path[-1]}` is a type, or a mapping with `type`, not {describe(written)}"
        yield document.problem("wrong-type", message, place, f"write `{path[-1]}: lock`")


def _outline(data: dict[Any, Any]) -> dict[Any, Any]:
    """The file without its actions, which are judged one by one."""
    found = dict(data)
    if isinstance(data.get("main"), list):
        found["main"] = []
    processes = data.get("processes")
    if isinstance(processes, dict):
        found["processes"] = {
            name: {**each, "actions": []}
            if isinstance(each, dict) and isinstance(each.get("actions"), list)
            else each
            for name, each in processes.items()
        }
    return found


# Actions


def _block(document: Document, block: object, path: Path) -> Iterator[Problem]:
    """The actions of a list; that it is one is for the schema around it."""
    for place, action in enumerate(block if isinstance(block, list) else ()):
        yield from _action(document, action, (*path, place))


def _action(document: Document, action: object, path: Path) -> Iterator[Problem]:
    if isinstance(action, str):
        yield from _word(document, action, path)
    elif not isinstance(action, dict) or not action:
        message = f"an action is a verb and its arguments; this is {describe(action)}"
        yield document.problem("not-an-action", message, path, "write `- verb: …`")
    elif len(action) > 1:
        yield from _several(document, action, path)
    else:
        ((verb, data),) = action.items()
        if isinstance(verb, str) and verb in registry.verbs():
            yield from _arguments(document, registry.verbs()[verb], data, (*path, verb))
        else:
            message, hint = unknown_verb(verb)
            yield document.problem("unknown-action", message, (*path, verb), hint, key=True)


def _word(document: Document, word: str, path: Path) -> Iterator[Problem]:
    verb = registry.verbs().get(word)
    if verb is None:
        message, hint = unknown_verb(word)
        yield document.problem("unknown-action", message, path, hint)
    elif not verb.bare:
        yield _lacking(document, verb, path, False)


def _lacking(document: Document, verb: Verb, path: Path, key: bool) -> Problem:
    needed = ", ".join(f"`{a.name}`" for a in verb.arguments if a.required)
    hint = f"write `{_example(verb)}`"
    return document.problem("missing-key", f"`{verb.name}` needs {needed}", path, hint, key=key)


def _example(verb: Verb) -> str:
    """How an action is written, with what it cannot do without."""
    first = verb.short
    if first is not None and first.form == "assignments":
        return f"{verb.name}: {{variable: value}}"
    if first is not None and first.form != "block":
        return f"{verb.name}: {first.name.upper()}"
    inside = ", ".join(f"{a.name}: …" for a in verb.arguments if a.required)
    return f"{verb.name}: {{{inside}}}"


def _several(document: Document, action: dict[Any, Any], path: Path) -> Iterator[Problem]:
    """Several keys: two actions in one, or arguments that are not indented."""
    verbs = registry.verbs()
    first, second, *_ = action
    verb = verbs.get(first) if isinstance(first, str) else None
    arguments = {a.name for a in verb.arguments} if verb else set()
    if verb is not None and action.keys() - {first} <= arguments:
        message = f"`{second}` stands beside `{first}`, not inside it"
        hint = f"indent the arguments further than `{first}`"
        if action[first] is not None:
            hint = f"write `{first}: {{…, {second}: …}}`"
        yield document.problem("several-keys", message, (*path, second), hint, key=True)
        return
    if verb is None:
        told, hint = unknown_verb(first)
        yield document.problem("unknown-action", told, (*path, first), hint, key=True)
    shown = ", ".join(f"`{key!s:.40}`" for key in list(action)[:6])
    message = f"an action has one verb; this one has {len(action)} keys: {shown}"
    hint = "write each action behind its own `- `"
    yield document.problem("several-keys", message, (*path, second), hint, key=True)


def _arguments(document: Document, verb: Verb, data: object, path: Path) -> Iterator[Problem]:
    """One verb's arguments against its own sub-schema, then the blocks inside them."""
    short = verb.short
    if data is None and not verb.bare:
        yield _lacking(document, verb, path, True)
    elif short is None and not isinstance(data, dict) and data is not None:
        yield _no_short_form(document, verb, data, path)
    else:
        fragment = whole()["$defs"]["action"]["properties"][verb.name]
        yield from _judge(document, {**fragment, "$defs": _OPAQUE}, _shallow(verb, data), path)
    for argument in verb.arguments:
        if isinstance(data, dict):
            yield from _inside(document, argument, data.get(argument.name), (*path, argument.name))
        elif argument is short:
            yield from _inside(document, argument, data, path)


def _shallow(verb: Verb, data: object) -> object:
    """The arguments without the actions inside them: those are judged one by one."""
    if isinstance(data, list):
        return [] if verb.short is not None and verb.short.form == "block" else data
    if not isinstance(data, dict):
        return data
    found = dict(data)
    for argument in verb.arguments:
        inner = data.get(argument.name)
        if argument.form == "block" and isinstance(inner, list):
            found[argument.name] = []
        elif argument.form == "handlers" and isinstance(inner, dict):
            found[argument.name] = {k: [] if isinstance(v, list) else v for k, v in inner.items()}
    return found


def _no_short_form(document: Document, verb: Verb, data: object, path: Path) -> Problem:
    if not verb.arguments:
        message = f"`{verb.name}` takes no arguments; this is {describe(data)}"
        return document.problem("wrong-type", message, path, f"write `- {verb.name}`")
    needed = " and ".join(f"`{a.name}`" for a in verb.arguments if a.required)
    message = f"`{verb.name}` needs {needed}; {describe(data)} is not enough"
    return document.problem("no-short-form", message, path, f"write `{_example(verb)}`")


def _inside(document: Document, argument: Argument, data: object, path: Path) -> Iterator[Problem]:
    """The actions that stand in one argument."""
    if argument.form == "block":
        yield from _block(document, data, path)
    elif argument.form == "handlers":
        for name, block in _entries(data):
            yield from _block(document, block, (*path, name))


# Pieces


def _judge(document: Document, schema: Schema, data: object, path: Path) -> Iterator[Problem]:
    """jsonschema's errors for one piece of the file, as Problems."""
    from jsonschema import Draft202012Validator

    yield from _odd_keys(document, data, path, schema)
    validator = Draft202012Validator(schema)
    findings = [
        Finding(error, (*path, *error.absolute_path))
        for error in validator.iter_errors(_with_text_keys(data))
    ]
    misnamed = {each.path: each for each in findings if each.unknown()}
    for finding in findings:
        other = misnamed.get(finding.path)
        if not finding.follows and not (other and other.explains(finding)):
            yield from worded(document, finding)


def _odd_keys(document: Document, data: object, path: Path, schema: Schema) -> Iterator[Problem]:
    """Keys that are no texts, where the language has names."""
    if "$ref" in schema:
        target = schema.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/"), {})
        schema = {**target, "$defs": schema.get("$defs", {})}
    others, known = schema.get("additionalProperties", {}), schema.get("properties", {})
    free = not schema.keys() & {"properties", "additionalProperties", "propertyNames"}
    if not isinstance(data, dict) or free:
        return
    for key, each in data.items():
        if not isinstance(key, str):
            message = f"a key is a name here; this is {describe(key)}"
            yield document.problem("bad-key", message, (*path, key), "quote it", key=True)
            continue
        inner = known.get(key, others)
        if isinstance(inner, dict):
            inner = {**inner, "$defs": schema.get("$defs", {})}
            yield from _odd_keys(document, each, (*path, key), inner)


def _with_text_keys(data: object) -> object:
    """The data without keys that are no texts: jsonschema matches keys as texts and would fail."""
    if isinstance(data, dict):
        return {k: _with_text_keys(v) for k, v in data.items() if isinstance(k, str)}
    if isinstance(data, list):
        return [_with_text_keys(each) for each in data]
    return data
