"""A manager's list: it is kept in a process of its own, and every step on it is a request.

CPython: multiprocessing.Manager().list (managers.py, ListProxy). What is taken out is a copy: to
change a list in the list does not change it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpflow.kinds import TO, VALUE, Argument, Operation, Primitive
from mpflow.primitives import _serving
from mpflow.primitives._managed import Container, manager, operations


def _load(proxy: Any, at: Any) -> object:
    return proxy[:] if at is None else proxy[at]


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    return {"": manager().list(options["initial"])}


APPEND = Operation(
    "append",
    "Put an item at the end.",
    TO,
    (VALUE,),
    lambda proxy, value: proxy.append(value),
    shows="value",
    method="append",
    model=_serving.append,
    accesses=_serving.requests("w"),
)
PRIMITIVE = Primitive(
    type="manager_list",
    summary="A list in the manager's process; each step on it is one request.",
    options=(Argument("initial", "list", "what it holds at first", default=[]),),
    operations=(*operations(_load, ()), APPEND),
    make=_make,
    rule=lambda options: Container(options["initial"]),
    stage=0,
    bases=lambda options, merged: {"": options["initial"]},
    served=True,
)
