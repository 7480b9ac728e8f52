"""What the types of a manager share: the run's one Manager, and containers in the order of events.

CPython: multiprocessing.Manager (managers.py): a process of its own that holds the objects; a
proxy sends each request to it and waits for the answer. A request is one step; reading, adding
and writing back are two (semantics.md, 1.7).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from mpflow.kinds import AT, FROM, INTO, TO, VALUE, Argument, Operation
from mpflow.primitives import _serving
from mpflow.primitives._slices import sliced

if TYPE_CHECKING:
    from mpflow.rule import Observation

OF = Argument("of", "subject", "of what", required=True)
METHOD = Argument("method", "text", "which of its methods: extend, update, …", required=True)
ARGS = Argument("args", "values", "the method's arguments", default=[])
ON = Argument("on", "subject", "a manager_list or a manager_dict", required=True)


@cache
def manager() -> Any:
    """The run's Manager, begun when it is first asked for, in the process that makes them all."""
    from multiprocessing import Manager

    return Manager()


class Content:
    """A list or a dict that nobody changes: a state, equal to another one that looks the same."""

    __slots__ = ("shown", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.shown: str | None = None

    def key(self) -> str:
        if self.shown is None:
            self.shown = repr(self.value)
        return self.shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())


_VERBS = {
    "delete": "__delitem__",
    "length": "__len__",
    "load": "__getitem__",
    "store": "__setitem__",
}
_READING = frozenset(("copy", "count", "get", "index", "items", "keys", "values", "__contains__"))


class Container:
    """A list or dict in the order of events: what the same steps give on one of our own. The state
    is what it holds; None inside where a method may have changed it that we do not know."""

    def __init__(self, initial: Any) -> None:
        self.initial = initial

    def start(self) -> Content:
        return Content(self.initial)

    def after(self, state: Content, event: Observation) -> Content | None:
        if event.action == "invoke":
            return state if event.value in _READING else Content(None)
        if state.value is None:
            return state
        if not _certain(state.value, event):
            changed = event.action != "load" and event.status != "error"
            return Content(None) if changed else state
        value = state.value.copy()
        raised, result = "", None
        try:
            result = _done(value, event)
        except Exception as error:
            raised = type(error).__name__
        if event.status == "error":
            told = event.error[0] if event.error else ""
            ours = told in ("IndexError", "KeyError", "TypeError")
            return None if ours and raised != told else state
        if raised or (event.action in _TELLING and not same(event, result)):
            return None
        return Content(value)


_TELLING = ("length", "load", "pop")


def _certain(value: Any, event: Observation) -> bool:
    """Whether a trace tells which item an event is about, and what came in the place of several.
    A tuple that was no key looks like a list that can be none."""
    at = event.extra.get("at")
    if hasattr(at, "foreign_type") or (event.status == "error" and isinstance(at, list)):
        return False
    several = isinstance(value, list) and isinstance(sliced(at), slice)
    return not several or event.action != "store" or not hasattr(event.value, "foreign_type")


def _done(value: Any, event: Observation) -> Any:
    """What an event gives when it is done to a list or dict of our own."""
    at = event.extra.get("at")
    if event.action == "append":
        return value.append(event.value)
    if event.action == "load" and at is None:
        return value.copy()
    if isinstance(value, dict):
        at = _as_key(at)
    elif event.status != "error":
        at = sliced(at)  # a text itself is no index: that is the error then
    if event.action == "pop":
        return value.pop() if at is None else value.pop(at)
    given = [] if event.action == "length" else [at]
    given += [event.value] if event.action == "store" else []
    return getattr(value, _VERBS[event.action])(*given)


def _as_key(at: Any) -> Any:
    """A key as a dict takes it: what goes well with a list, as a trace shows it, was a tuple."""
    return tuple(_as_key(each) for each in at) if isinstance(at, list | tuple) else at


def same(event: Observation, own: Any) -> bool:
    """Whether a result is the one that comes of it, as far as it was written down."""
    told = event.result
    if event.status == "blocked" or hasattr(told, "foreign_type"):
        return True
    foreign = hasattr(own, "foreign_type")
    return foreign or bool(_plain(told) == _plain(own)) or repr(told) == repr(own)


def _plain(value: Any) -> Any:
    """Tuples as lists: a trace does not tell them apart."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def operations(load: Callable[..., Any], needs: tuple[str, ...]) -> tuple[Operation, ...]:
    """What can be done to a list and to a dict alike; `needs`: what `pop` needs."""
    return (
        Operation(
            "load",
            "One item of it, or without `at` a copy of it all.",
            FROM,
            (AT, INTO),
            load,
            code="__getitem__(at)",
            model=_serving.load,
            accesses=_serving.requests("r"),
        ),
        Operation(
            "store",
            "Put an item in the place of another, or under a key.",
            TO,
            (VALUE, AT),
            lambda proxy, value, at: proxy.__setitem__(at, value),
            shows="value",
            code="__setitem__(at, value)",
            model=_serving.store,
            accesses=_serving.requests("w"),
            needs=("at",),
        ),
        Operation(
            "pop",
            "Take an item out; the result is it.",
            FROM,
            (AT, INTO),
            lambda proxy, at: proxy.pop() if at is None else proxy.pop(at),
            code="pop(at)",
            model=_serving.pop,
            accesses=_serving.requests("w"),
            needs=needs,
        ),
        Operation(
            "delete",
            "Remove an item.",
            FROM,
            (AT,),
            lambda proxy, at: proxy.__delitem__(at),
            code="__delitem__(at)",
            model=_serving.delete,
            accesses=_serving.requests("w"),
            needs=("at",),
        ),
        Operation(
            "length",
            "How many items it holds.",
            OF,
            (INTO,),
            lambda proxy: len(proxy),
            code="__len__()",
            model=_serving.length,
            accesses=_serving.requests("r"),
        ),
        Operation(
            "invoke",
            "Call any other method of it, in the manager's process.",
            ON,
            (METHOD, ARGS, INTO),
            lambda proxy, method, args: proxy._callmethod(method, tuple(args)),
            shows="method",
            code="_callmethod(method)",
            model=_serving.invoke,
            accesses=_serving.requests("w"),
        ),
    )
