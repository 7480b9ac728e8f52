"""An array: numbers in memory that all processes share, with a lock or without.

CPython: multiprocessing.Array (sharedctypes.py). Each access to an item takes the lock for itself;
an index that is none is an IndexError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mpflow.kinds import AT, FROM, INTO, TO, VALUE, Argument, Operation, Primitive
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
from mpflow.primitives._slices import sliced

if TYPE_CHECKING:
    from mpflow.rule import Observation

_ROW = 64  # items that are copied when one of them changes
_LARGEST = 1 << 16  # items of an array that is followed; a larger one is not judged

Rows = tuple[tuple[Any, ...], ...]


class Cells(Guarded):
    """An array in the order of events: a load gives what was stored there last. The state has the
    items in rows, so that a large array is not copied for each of them; none of a very large
    one, nor where it is not known any more."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        initial = options["initial"]
        self.size: int = options["size"] if initial is None else len(initial)
        self.initial = () if self.size > _LARGEST else initial or (0,) * self.size

    def start(self) -> Rows:
        return _rows([self.cut(each) for each in self.initial])

    def accessed(self, own: Rows, event: Observation) -> Rows | None:
        at = sliced(event.extra.get("at"))
        if isinstance(at, slice) and own:
            return self._slice(own, event, at)
        if not isinstance(at, int) or not own:
            return own
        if not -self.size <= at < self.size:
            return own if event.status == "blocked" else None
        row, place = divmod(at % self.size, _ROW)
        if event.action == "store":
            new = (*own[row][:place], self.cut(event.value), *own[row][place + 1 :])
            return (*own[:row], new, *own[row + 1 :])
        if event.status == "ok" and not same(event.result, own[row][place]):
            return None
        return own

    def _slice(self, own: Rows, event: Observation, at: slice) -> Rows | None:
        """What only Python code does: several items at once."""
        told = event.value if event.action == "store" else event.result
        if not isinstance(told, list | tuple):  # characters, or not all of it was written down
            return () if event.action == "store" else own
        items = [each for row in own for each in row]
        if len(told) != len(items[at]):
            return None
        if event.action == "store":
            items[at] = [self.cut(each) for each in told]
            return _rows(items)
        wrong = any(not same(one, other) for one, other in zip(told, items[at], strict=True))
        return None if wrong and event.status == "ok" else own


def _rows(items: Sequence[Any]) -> Rows:
    return tuple(tuple(items[i : i + _ROW]) for i in range(0, len(items), _ROW))


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    wrong = check_typecode(options)
    initial, size = options["initial"], options["size"]
    if initial is None and size is None:
        wrong.append(("", "an array needs `initial`, a list of its items, or `size`"))
    elif initial is not None and size is not None:
        wrong.append(("size", "`initial` says how many items there are: one of the two"))
    elif size is not None and not 0 <= size < 1 << 28:
        wrong.append(("size", f"an array has from 0 to 268435455 items, not {size}"))
    for each in initial or ():
        if unfit := fits(options["typecode"], each):
            return [*wrong, ("initial", unfit)]
    return wrong


def _make(options: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, object]:
    from multiprocessing import Array

    items = options["size"] if options["initial"] is None else options["initial"]
    return {"": Array(options["typecode"], items, lock=lock_of(options, made))}


def _load(array: Any, at: Any) -> object:
    return array[at]


def _store(array: Any, given: object, at: Any) -> None:
    array[at] = given


def _model_load(on: Any, me: Any, at: Any) -> Any:
    place, error = _place(on, at)
    step = error or on.tell(on.key("memory"), lambda items: items[place])
    return (yield from locked(on, me, step))


def _model_store(on: Any, me: Any, given: object, at: Any) -> Any:
    place, step = _place(on, at)
    try:
        new = ctype(on.options["typecode"])(given).value
    except (TypeError, ValueError, OverflowError) as error:
        step = step or error
    if step is None:
        step = on.update(
            on.key("memory"), lambda items: [(None, (*items[:place], new, *items[place + 1 :]))]
        )
    yield from locked(on, me, step)


def _place(on: Any, at: Any) -> tuple[int, Exception | None]:
    """Which item is meant, or what ctypes says of an index that is none."""
    size = on.options["size"] if on.options["initial"] is None else len(on.options["initial"])
    if not isinstance(at, int):
        return 0, TypeError("indices must be integers")
    place = at + size if at < 0 else at
    return place, None if 0 <= place < size else IndexError("invalid index")


def _bases(options: Mapping[str, Any], merged: bool) -> dict[str, object]:
    code = ctype(options["typecode"])
    items = options["initial"] or (0,) * (options["size"] or 0)
    return bases(options, tuple(code(each).value for each in items))


PRIMITIVE = Primitive(
    type="array",
    summary="Numbers in shared memory; each access takes their lock for itself.",
    options=(
        TYPECODE,
        Argument("initial", "list", "the items it has at first"),
        Argument("size", "integer", "how many items, all zero"),
        LOCK,
    ),
    operations=(
        *OPERATIONS,
        Operation(
            "load",
            "What stands at a place.",
            FROM,
            (AT, INTO),
            _load,
            code="__getitem__(at)",
            model=_model_load,
            accesses=lambda on, process, waits: accessing(on, "r"),
            needs=("at",),
        ),
        Operation(
            "store",
            "Put something in the place of what stands there.",
            TO,
            (VALUE, AT),
            _store,
            shows="value",
            code="__setitem__(at, value)",
            model=_model_store,
            accesses=lambda on, process, waits: accessing(on, "w"),
            needs=("at",),
        ),
    ),
    make=_make,
    bases=_bases,
    rule=lambda options: Monitor(kind(options), {"": Cells(options)}),
    member=Cells,
    check=_check,
    refuses=refuses,
    stage=2,
)
