"""A value: one number in memory that all processes share, with a lock or without.

CPython: multiprocessing.Value (sharedctypes.py). Each load and each store takes the lock for
itself; what reads, adds and writes back needs it around all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import FROM, INTO, TO, VALUE, Argument, Operation, Primitive
from mpflow.primitives._acquirable import OPERATIONS
from mpflow.primitives._ctypes import (
    LOCK,
    TYPECODE,
    Guarded,
    accessing,
    bases,
    check_typecode,
    ctype,
    fits,
    kind,
    lock_of,
    locked,
    refuses,
    same,
)
from mpflow.primitives._monitor import Monitor

if TYPE_CHECKING:
    from mpflow.rule import Observation


class Cell(Guarded):
    """A value in the order of events: a load gives what was stored last. That is the state."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.initial = options["initial"]

    def start(self) -> object:
        return self.cut(self.initial)

    def accessed(self, own: Any, event: Observation) -> Any:
        if event.action == "store":
            return self.cut(event.value)
        if event.action == "load" and event.status == "ok" and not same(event.result, own):
            return None
        return own


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    wrong = fits(options["typecode"], options["initial"])
    return check_typecode(options) or ([("initial", wrong)] if wrong else [])


def _make(options: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, object]:
    from multiprocessing import Value

    lock = lock_of(options, made)
    return {"": Value(options["typecode"], options["initial"], lock=lock)}


def _load(value: Any) -> object:
    return value.value


def _store(value: Any, given: object) -> None:
    value.value = given


def _model_load(on: Any, me: Any) -> Any:
    return (yield from locked(on, me, on.load(on.key("memory"))))


def _model_store(on: Any, me: Any, given: object) -> Any:
    step: Any
    try:
        step = on.store(on.key("memory"), ctype(on.options["typecode"])(given).value)
    except (TypeError, ValueError, OverflowError) as error:
        step = error
    yield from locked(on, me, step)


def _bases(options: Mapping[str, Any], merged: bool) -> dict[str, object]:
    return bases(options, ctype(options["typecode"])(options["initial"]).value)


PRIMITIVE = Primitive(
    type="value",
    summary="One number in shared memory; each access takes its lock for itself.",
    options=(
        TYPECODE,
        Argument("initial", "value", "what it holds at first", default=0),
        LOCK,
    ),
    operations=(
        *OPERATIONS,
        Operation(
            "load",
            "What it holds.",
            FROM,
            (INTO,),
            _load,
            code=".value",
            model=_model_load,
            accesses=lambda on, process, waits: accessing(on, "r"),
        ),
        Operation(
            "store",
            "Put something in the place of it.",
            TO,
            (VALUE,),
            _store,
            shows="value",
            code=".value =",
            model=_model_store,
            accesses=lambda on, process, waits: accessing(on, "w"),
        ),
    ),
    make=_make,
    bases=_bases,
    rule=lambda options: Monitor(kind(options), {"": Cell(options)}),
    member=Cell,
    check=_check,
    refuses=refuses,
    stage=2,
)
