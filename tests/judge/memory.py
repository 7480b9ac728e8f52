"""The verbs on values and arrays, on managers' objects and on shared memory."""

from __future__ import annotations

import ctypes
from multiprocessing.sharedctypes import typecode_to_type
from typing import Any

from .bases import Unsupported, V, error
from .doing import Doing, verb
from .library import Steps
from .program import Primitive

MEMORY = ("value", "array", "manager_value", "manager_list", "manager_dict", "shared_memory")


@verb
def load(do: Doing) -> Steps:
    what = yield from do.primitive("from", *MEMORY)
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    if what.kind == "shared_memory":
        start = at.value if at else 0
        size = yield from do.value("size")
        request = ("manager", what.name, "bytes", V((start, size)))
    elif what.kind.startswith("manager"):
        request = ("manager", what.name, "load", at)
    else:
        request = ("cell_of", what.name, what.options.get("typecode", "i"), at, None)
    if what.kind in ("value", "array") and what.options.get("lock", True) is not False:
        request = ("holding", do.lock(what), *request)
    yield from do.into((yield request).value)


@verb
def store(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    what = yield from do.primitive("to", *MEMORY)
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    if what.kind == "shared_memory":
        request = ("manager", what.name, "overwrite", V((at.value if at else 0, value.value)))
    elif what.kind.startswith("manager"):
        request = ("manager", what.name, "store", V((at and at.value, value.value)), at is None)
    else:
        request = ("cell_of", what.name, what.options.get("typecode", "i"), at, value)
    if what.kind in ("value", "array") and what.options.get("lock", True) is not False:
        request = ("holding", do.lock(what), *request)
    yield request


def cell_of(name: str, typecode: str, at: V | None, new: V | None) -> Steps:
    """One access to a ctypes object, which checks and converts as ctypes does."""
    if typecode not in typecode_to_type:
        raise Unsupported(f"typecode {typecode}")
    c_type = typecode_to_type[typecode]
    here = name if at is None else f"{name}:{at.key}"
    if at is not None:
        size = yield "length", name
        if not isinstance(at.value, int):
            raise Unsupported("an index that is no number")
        if not -size <= at.value < size:
            raise error("IndexError", "invalid index")
        here = f"{name}:{at.value % size}"
    if new is None:
        return (yield "ld", here)
    yield "st", here, c_value(c_type, new.value)
    return None


def c_value(c_type: Any, value: Any) -> V:
    try:
        return V(c_type(value).value)
    except (TypeError, ValueError, OverflowError) as caught:
        raise error(type(caught).__name__, str(caught)) from None


@verb
def append(do: Doing) -> Steps:
    value = V((yield from do.value("value")))
    what = yield from do.primitive("to", "manager_list")
    yield "manager", what.name, "append", value


@verb
def pop(do: Doing) -> Steps:
    what = yield from do.primitive("from", "manager_list", "manager_dict")
    at = V((yield from do.value("at"))) if "at" in do.action.arguments else None
    yield from do.into((yield "manager", what.name, "pop", at).value)


@verb
def delete(do: Doing) -> Steps:
    what = yield from do.primitive("from", "manager_list", "manager_dict")
    yield "manager", what.name, "delete", V((yield from do.value("at")))


@verb
def length(do: Doing) -> Steps:
    what = yield from do.primitive("of", "manager_list", "manager_dict")
    yield from do.into((yield "manager", what.name, "length", None).value)


def initial_cells(what: Primitive) -> dict[str, V]:
    """What stands in the memory of a value or an array at first."""
    c_type = typecode_to_type[what.options.get("typecode", "i")]
    if what.kind == "value":
        return {what.name: c_value(c_type, what.options.get("initial", 0))}
    if "size" in what.options:
        items = [V(ctypes.sizeof(c_type) and c_type().value)] * what.options["size"]
    else:
        items = [c_value(c_type, item) for item in what.options.get("initial", [])]
    return {f"{what.name}:{i}": item for i, item in enumerate(items)}
