"""Data and a schema in, yes or no out: the keywords of JSON Schema that the schema uses.

Importing jsonschema costs more than a whole run: a file that fits never needs it, and only what
is refused here is given to it, to be told why. A test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = dict[str, Any]

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
    return not (  # `not <` lets a nan through, as jsonschema does
        data < schema.get("minimum", data)
        or data > schema.get("maximum", data)
        or ("exclusiveMinimum" in schema and data <= schema["exclusiveMinimum"])
    )
