"""A manager's value: one object in a process of its own; each load and store is a request.

CPython: multiprocessing.Manager().Value (managers.py, ValueProxy). The type code is not looked at:
it holds whatever can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import FROM, INTO, TO, VALUE, Argument, Operation, Primitive
from mpflow.primitives import _serving
from mpflow.primitives._managed import Content, manager, same

if TYPE_CHECKING:
    from mpflow.rule import Observation


class Held:
    """A value in the order of events: a load gives what was stored last."""

    def __init__(self, initial: object) -> None:
        self.initial = initial

    def start(self) -> Content:
        return Content(self.initial)

    def after(self, state: Content, event: Observation) -> Content | None:
        if event.status == "error":
            return state
        if event.action == "store":
            return Content(event.value)
        return state if same(event, state.value) else None


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    return {"": manager().Value(options["typecode"], options["initial"])}


def _store(proxy: Any, value: object) -> None:
    proxy.value = value


PRIMITIVE = Primitive(
    type="manager_value",
    summary="One object in the manager's process; each access is one request.",
    options=(
        Argument("typecode", "text", "not looked at", default="i"),
        Argument("initial", "value", "what it holds at first", default=0),
    ),
    operations=(
        Operation(
            "load",
            "What it holds.",
            FROM,
            (INTO,),
            lambda proxy: proxy.value,
            code=".value | get()",
            model=_serving.load_value,
            accesses=_serving.requests("r"),
        ),
        Operation(
            "store",
            "Put something in the place of it.",
            TO,
            (VALUE,),
            _store,
            shows="value",
            code=".value = | set(value)",
            model=_serving.store_value,
            accesses=_serving.requests("w"),
        ),
    ),
    make=_make,
    rule=lambda options: Held(options["initial"]),
    stage=0,
    bases=lambda options, merged: {"": options["initial"]},
    served=True,
)
