"""The shape of a scenario: registry -> JSON Schema, Draft 2020-12.

It stands in schema/scenario.schema.json for editors, and is what fits.py, faults.py and
mending.py go by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from mpflow import registry
from mpflow.kinds import Argument, Primitive, Verb
from mpflow.schema.fits import Schema, accepts

NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
START_METHODS = ("fork", "spawn", "forkserver")
_TEMPLATE = r"\$"
_FUNCTION = r"^(?:[^:\s$]+|[^:$\n]+\.py):[A-Za-z_][A-Za-z0-9_.]*$"
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
            "expect": {
                "$ref": "#/$defs/expect",
                "description": "What must be true of the runs.",
            },
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
def whole() -> Schema:
    """The schema, made once; not to be changed."""
    return scenario_schema()


def fits(data: object) -> bool:
    """Whether a file's data have the shape of a scenario."""
    return accepts(whole(), data, whole())


def _described(type_name: str | list[str], description: str) -> Schema:
    return {"type": type_name, "description": description}


def _number(description: str, kind: str = "number") -> Schema:
    return {"type": [kind, "string"], "pattern": _TEMPLATE, "description": description}


# What each form of argument looks like; `pattern` and `items` bind only texts and lists.
_FORMS: Mapping[str, Schema] = {
    "subject": {"type": "string"},
    "subjects": {"type": ["array", "string"], "items": {"type": "string"}, "minItems": 1},
    "processes": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1},
    "value": {},
    "line": {},
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
    "function": {"type": "string", "pattern": rf"{_FUNCTION}|\$"},
    "primitive": {"type": "string"},
    "exception": {"type": "string", "pattern": rf"{NAME}|\$"},
    "times": {"type": ["integer", "string"], "pattern": r"^forever$|\$"},
    "list": {"type": ["array", "string"], "pattern": _TEMPLATE},
    "block": _ACTIONS,
    "handlers": {"type": "object", "additionalProperties": _ACTIONS, "minProperties": 1},
}


def _argument(argument: Argument) -> Schema:
    fragment = dict(_FORMS[argument.form])
    if argument.form == "primitive":
        if argument.default is not None:
            fragment["type"] = ["boolean", "string"]
    elif argument.choices:
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
        if verb.short.form == "block":
            fragment["items"] = {"$ref": "#/$defs/action"}
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


def options(primitive: Primitive) -> Schema:
    """What stands in a declaration of this type, `type` and `count` included."""
    return {
        "type": {"const": primitive.type, "description": primitive.summary},
        "count": _count(),
        **{option.name: _argument(option) for option in primitive.options},
    }


def _primitive() -> Schema:
    types = registry.declared()
    short = [t for t, each in types.items() if not any(o.required for o in each.options)]
    known: Schema = {"type": {"enum": list(types), "description": "What it is."}, "count": _count()}
    for each in types.values():
        for option in each.options:  # what it must be depends on the type: see `then`
            known.setdefault(option.name, {"description": _sentence(option)})
    return {
        "type": ["string", "object"],
        "pattern": f"^({'|'.join(short)})$",
        "required": ["type"],
        "properties": known,
        "additionalProperties": False,
        "allOf": [_of_type(each) for each in types.values()],
        "description": "A primitive: its type, or its type and options.",
    }


def _of_type(primitive: Primitive) -> Schema:
    known = options(primitive)
    required = ["type", *(each.name for each in primitive.options if each.required)]
    wanted = {"required": ["type"], "properties": {"type": {"const": primitive.type}}}
    then = {"required": required, "properties": known, "propertyNames": {"enum": list(known)}}
    return {"if": {"type": "object", **wanted}, "then": then}


def _process() -> Schema:
    function = {"type": "string", "pattern": _FUNCTION}
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
