"""A manager's dict: it is kept in a process of its own, and every step on it is a request.

CPython: multiprocessing.Manager().dict (managers.py, DictProxy). What is taken out is a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.kinds import Argument, Primitive
from mpflow.primitives._managed import Container, manager, operations


def _load(proxy: Any, at: Any) -> object:
    return proxy.copy() if at is None else proxy[at]


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    initial = options["initial"]
    if initial is None or isinstance(initial, dict):
        return []
    return [("initial", f"a manager_dict begins with a mapping, not {initial!r:.40}")]


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    return {"": manager().dict(options["initial"])}


PRIMITIVE = Primitive(
    type="manager_dict",
    summary="A dict in the manager's process; each step on it is one request.",
    options=(Argument("initial", "value", "what it holds at first", default={}),),
    operations=operations(_load, ("at",)),
    make=_make,
    rule=lambda options: Container(options["initial"]),
    check=_check,
    stage=0,
    bases=lambda options, merged: {"": options["initial"]},
    served=True,
)
