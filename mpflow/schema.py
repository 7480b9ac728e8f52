"""The shape of a scenario: registry -> JSON Schema; Document -> Problems of shape.

The schema is Draft 2020-12 and stands in schema/scenario.schema.json for editors. A file is
first tried by `accepts`, a small evaluator of the keywords used here: importing jsonschema
costs more than a whole run. Only what it refuses is given to jsonschema, which says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from mpflow import registry
from mpflow.document import Document, Path
from mpflow.kinds import Argument, Primitive, Verb
from mpflow.problems import Problem, suggestion

Schema = dict[str, Any]

NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
START_METHODS = ("fork", "spawn", "forkserver")
_TEMPLATE = r"\$"
_ACTIONS: Schema = {"$ref": "#/$defs/actions"}


def scenario_schema() -> Schema:
    """The whole schema, as it stands in schema/scenario.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://mpflow.dev/schema/scenario.schema.json",
        "title": "mpflow scenario, language version 1",
        "type": "object",
        "required": ["mpflow", "processes"],
        "properties": {
            "mpflow": {"const": 1, "description": "The language's version: 1."},
            "name": _described("string", "The scenario's name; default: the file's stem."),
            "description": _described("string", "What the scenario shows."),
            "start_method": {
                "enum": list(START_METHODS),
                "description": "How processes are started; default: Python's own.",
            },
            "timeout": {
                **_number("Seconds a run may take before it is stopped; default 60."),
                "exclusiveMinimum": 0,
            },
            "timing": {
                "enum": ["any", "exact"],
                "description": "What `check` assumes of sleeps; default any.",
            },
            "params": {
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "description": "Constants; -p NAME=VALUE overrides one.",
            },
            "matrix": {
                "type": "object",
                "additionalProperties": {"type": "array", "minItems": 1},
                "description": "Values for params or start_method: one case a combination.",
            },
            "primitives": {
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/primitive"},
                "description": "What the processes share.",
            },
            "processes": {
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/process"},
                "description": "The processes, by name.",
            },
            "main": {
                **_ACTIONS,
                "description": "What the parent process does; default: start and join all.",
            },
            "outcome": {
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "description": "What one run is summed up as: expressions by name.",
            },
            "expect": {"$ref": "#/$defs/expect"},
        },
        "patternProperties": {"^x-": {"description": "Ignored: a place for YAML anchors."}},
        "additionalProperties": False,
        "$defs": {
            "actions": {"type": "array", "items": {"$ref": "#/$defs/action"}},
            "action": _action(),
            "primitive": _primitive(),
            "process": _process(),
            "expect": _expect(),
        },
    }


@cache
def _whole() -> Schema:
    return scenario_schema()


def _described(type_name: str | list[str], description: str) -> Schema:
    return {"type": type_name, "description": description}


def _number(description: str, kind: str = "number") -> Schema:
    return {"type": [kind, "string"], "pattern": _TEMPLATE, "description": description}


# What each form of argument looks like; `pattern` and `items` bind only texts and lists.
_FORMS: Mapping[str, Schema] = {
    "subject": {"type": "string"},
    "processes": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1},
    "value": {},
    "values": {"type": ["array", "string"], "pattern": _TEMPLATE},
    "table": {"type": ["object", "string"], "pattern": _TEMPLATE},
    "assignments": {"type": "object", "propertyNames": {"pattern": NAME}, "minProperties": 1},
    "text": {"type": ["string", "number"]},
    "number": {"type": ["number", "string"], "pattern": _TEMPLATE},
    "seconds": {"type": ["number", "string"], "pattern": _TEMPLATE},
    "integer": {"type": ["integer", "string"], "pattern": _TEMPLATE},
    "boolean": {"type": ["boolean", "string"], "pattern": _TEMPLATE},
    "condition": {"type": ["string", "boolean", "number"]},
    "variable": {"type": "string", "pattern": rf"{NAME}|\$"},
    "function": {"type": "string", "pattern": r"^[^:\s]+:[A-Za-z_][A-Za-z0-9_.]*$|\$"},
    "exception": {"type": "string", "pattern": rf"{NAME}|\$"},
    "times": {"type": ["integer", "string"], "pattern": r"^forever$|\$"},
    "list": {"type": ["array", "string"], "pattern": _TEMPLATE},
    "block": _ACTIONS,
    "handlers": {"type": "object", "additionalProperties": _ACTIONS, "minProperties": 1},
}


def _argument(argument: Argument) -> Schema:
    fragment = dict(_FORMS[argument.form])
    if argument.choices:
        fragment = {
            "type": "string",
            "pattern": f"^({'|'.join(map(re.escape, argument.choices))})$|\\$",
        }
    elif argument.form == "seconds" and not argument.required:
        fragment["type"] = ["number", "string", "null"]
    fragment["description"] = _sentence(argument)
    if not argument.required and argument.default is not None:
        fragment["default"] = argument.default
    return fragment


def _sentence(argument: Argument) -> str:
    text = argument.description[0].upper() + argument.description[1:]
    return text if text.endswith(".") else f"{text}."


def _verb(verb: Verb) -> Schema:
    """The sub-schema of one verb: its arguments, and the short form's types beside them."""
    if verb.arguments and verb.arguments[0].form == "assignments":
        return {**_argument(verb.arguments[0]), "description": verb.summary}
    fragment: Schema = {
        "type": ["object"],
        "properties": {a.name: _argument(a) for a in verb.arguments},
        "additionalProperties": False,
    }
    required = [a.name for a in verb.arguments if a.required]
    if required:
        fragment["required"] = required
    if verb.short is not None:
        short = _argument(verb.short)
        fragment["type"] = sorted({"object", *_types(short)})
        fragment.update({k: short[k] for k in ("pattern", "items", "minItems") if k in short})
    if verb.bare:
        fragment["type"] = sorted({*fragment["type"], "null"})
    return {**fragment, "description": verb.summary}


def _types(fragment: Schema) -> list[str]:
    """The types that a fragment lets through, without the mapping that the long form is."""
    if fragment.get("$ref"):
        return ["array"]
    found = fragment.get("type", ["string", "number", "boolean", "array", "null"])
    return [found] if isinstance(found, str) else list(found)


def _action() -> Schema:
    bare = "|".join(verb.name for verb in registry.verbs().values() if verb.bare)
    return {
        "type": ["object", "string"],
        "pattern": f"^({bare})$",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {name: _verb(verb) for name, verb in registry.verbs().items()},
        "additionalProperties": False,
        "description": "One verb and its arguments.",
    }


def _count() -> Schema:
    return {
        **_number("How many, at most 1,000: name[0], name[1], …", "integer"),
        "minimum": 0,
        "maximum": 1000,
    }


def _options(primitive: Primitive) -> Schema:
    return {
        "type": {"const": primitive.type, "description": primitive.summary},
        "count": _count(),
        **{option.name: _argument(option) for option in primitive.options},
    }


def _primitive() -> Schema:
    types = list(registry.declared())
    properties: Schema = {}
    for each in registry.declared().values():
        properties.update(_options(each))
    properties["type"] = {"enum": types, "description": "What it is."}
    return {
        "type": ["string", "object"],
        "pattern": f"^({'|'.join(types)})$",
        "required": ["type"],
        "properties": properties,
        "additionalProperties": False,
        "allOf": [
            {
                "if": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"const": t}},
                },
                "then": {"propertyNames": {"enum": list(_options(registry.declared()[t]))}},
            }
            for t in types
        ],
        "description": "A primitive: its type, or its type and options.",
    }


def _process() -> Schema:
    function = _FORMS["function"]
    return {
        "type": "object",
        "properties": {
            "actions": {**_ACTIONS, "description": "What the process does."},
            "target": {**function, "description": "A function called in the child."},
            "class": {**function, "description": "A subclass of multiprocessing.Process."},
            "args": {**_FORMS["values"], "description": "Positional arguments."},
            "kwargs": {**_FORMS["table"], "description": "Keyword arguments."},
            "count": _count(),
            "vars": {
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "description": "The process's own variables at its start.",
            },
            "name": _described("string", "Its name as the system shows it."),
            "daemon": {**_FORMS["boolean"], "description": "As in Python; default false."},
        },
        "additionalProperties": False,
        "oneOf": [{"required": [kind]} for kind in ("actions", "target", "class")],
        "description": "A process: actions, or a Python function or class.",
    }


def _expect() -> Schema:
    how_often = {"enum": ["never", "possible", "always"]}
    expressions = {"type": "array", "items": {"type": ["string", "boolean", "number"]}}
    numbers = {"type": ["integer", "null", "array", "string"], "pattern": _TEMPLATE}
    return {
        "type": "object",
        "properties": {
            "deadlock": {**how_often, "description": "How many runs deadlock; default never."},
            "timeout": {**how_often, "description": "How many runs reach the time limit."},
            "exitcode": {
                "type": "object",
                "additionalProperties": {
                    **numbers,
                    "items": {"type": ["integer", "null", "string"], "pattern": _TEMPLATE},
                },
                "description": "What each process exits with; a list: any of them.",
            },
            "error": {
                "type": "object",
                "additionalProperties": {
                    "type": ["string", "null", "array"],
                    "items": {"type": ["string", "null"]},
                },
                "description": "The exception that ended each process; a list: any of them.",
            },
            "always": {**expressions, "description": "True of every run that completes."},
            "never": {**expressions, "description": "True of no run that completes."},
            "sometimes": {**expressions, "description": "True of at least one run."},
            "order": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": ["string", "number"]},
                    "minItems": 2,
                    "maxItems": 2,
                },
                "description": "Pairs of marks: the first comes before the second.",
            },
            "exclusive": {
                "type": "object",
                "additionalProperties": {**_number("So many at once.", "integer"), "minimum": 0},
                "description": "How many processes may be inside each section at once.",
            },
            "output": {
                "type": "array",
                "items": {"type": ["string", "number", "boolean", "null"]},
                "description": "Exactly these lines are printed, in this order.",
            },
            "outcomes": {
                "type": "array",
                "items": {"type": ["object", "string"], "pattern": "^(deadlock|timeout)$"},
                "description": "The set of outcomes that can occur, all of them.",
            },
        },
        "additionalProperties": False,
        "description": "What must be true of the runs.",
    }


def problems(document: Document) -> list[Problem]:
    """What is wrong with a file's shape; nothing when it fits the schema."""
    if accepts(_whole(), document.data, _whole()):
        return []
    from mpflow.faults import explain

    return explain(document, _whole())


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda d: isinstance(d, dict),
    "array": lambda d: isinstance(d, list),
    "string": lambda d: isinstance(d, str),
    "boolean": lambda d: isinstance(d, bool),
    "null": lambda d: d is None,
    "number": lambda d: isinstance(d, int | float) and not isinstance(d, bool),
    "integer": lambda d: (
        (isinstance(d, int) and not isinstance(d, bool))
        or (isinstance(d, float) and d.is_integer())
    ),
}


def accepts(schema: Schema, data: object, root: Schema) -> bool:
    """Whether data fit a schema that uses only the keywords of this module."""
    if "$ref" in schema and not accepts(_target(schema["$ref"], root), data, root):
        return False
    types = schema.get("type", ())
    if types and not any(_TYPES[t](data) for t in ([types] if isinstance(types, str) else types)):
        return False
    if "const" in schema and not _same(data, schema["const"]):
        return False
    if "enum" in schema and not any(_same(data, each) for each in schema["enum"]):
        return False
    if not all(accepts(each, data, root) for each in schema.get("allOf", ())):
        return False
    if "oneOf" in schema and sum(accepts(s, data, root) for s in schema["oneOf"]) != 1:
        return False
    if "if" in schema and accepts(schema["if"], data, root):
        return accepts(schema["then"], data, root)
    if isinstance(data, str):
        return "pattern" not in schema or re.search(schema["pattern"], data) is not None
    if isinstance(data, dict):
        return _accepts_object(schema, data, root)
    if isinstance(data, list):
        return _accepts_array(schema, data, root)
    return _accepts_number(schema, data)


def _target(reference: str, root: Schema) -> Schema:
    found: Schema = root["$defs"][reference.removeprefix("#/$defs/")]
    return found


def _same(data: object, wanted: object) -> bool:
    return data == wanted and isinstance(data, bool) == isinstance(wanted, bool)


def _accepts_object(schema: Schema, data: dict[Any, Any], root: Schema) -> bool:
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    structured = bool(known or patterns or others is not True or "propertyNames" in schema)
    if structured and not all(isinstance(key, str) for key in data):
        return False
    if not schema.get("minProperties", 0) <= len(data) <= schema.get("maxProperties", len(data)):
        return False
    if any(key not in data for key in schema.get("required", ())):
        return False
    if not all(accepts(schema.get("propertyNames", {}), key, root) for key in data):
        return False
    for key, each in data.items():
        if key in known:
            if not accepts(known[key], each, root):
                return False
        elif any(re.search(pattern, key) for pattern in patterns):
            continue
        elif others is False or (others is not True and not accepts(others, each, root)):
            return False
    return True


def _accepts_array(schema: Schema, data: list[Any], root: Schema) -> bool:
    if not schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", len(data)):
        return False
    items = schema.get("items")
    return items is None or all(accepts(items, each, root) for each in data)


def _accepts_number(schema: Schema, data: object) -> bool:
    if isinstance(data, bool) or not isinstance(data, int | float):
        return True
    return (
        data >= schema.get("minimum", data)
        and data <= schema.get("maximum", data)
        and ("exclusiveMinimum" not in schema or data > schema["exclusiveMinimum"])
    )


def blocks(document: Document) -> Iterator[tuple[Path, object]]:
    """Every list of actions that stands where the language has one, with its path."""
    data = document.data
    if isinstance(data, dict):
        if "main" in data:
            yield ("main",), data["main"]
        declared = data.get("processes")
        for name, process in declared.items() if isinstance(declared, dict) else ():
            if isinstance(process, dict) and "actions" in process:
                yield ("processes", name, "actions"), process["actions"]


def unknown_verb(word: object) -> tuple[str, str]:
    """The message and the hint for a word that is no verb."""
    return f"no action is called `{word}`", suggestion(str(word), registry.verbs())
