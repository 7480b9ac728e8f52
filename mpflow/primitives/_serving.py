"""The models of what lives in a manager: each request is one step on the server's object.

CPython: managers.py (Server.serve_client, BaseProxy._callmethod). When main has come to its end the
manager is shut down before main's children are joined; whoever asks it then gets one of the errors
of a connection that is gone. What is taken out is a copy, and so is what is put in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpflow.exceptions import named

UP = "manager~up"  # the component of whether the manager runs
_LONGEST = 100_000  # items of a list or dict that is followed

# What a request fails with when the manager is gone: of a process that never had a connection, that
# has one, and that knows already that it is broken. It may have been going just then.
_CUT = (
    ("EOFError", ()),
    ("ConnectionResetError", (104, "Connection reset by peer")),
    ("RemoteError", ("the manager is going",)),
)
_BROKEN = (("BrokenPipeError", (32, "Broken pipe")),)
_GONE = {
    "": (
        ("FileNotFoundError", (2, "No such file or directory")),
        ("ConnectionRefusedError", (111, "Connection refused")),
        *_CUT,
    ),
    "connected": (*_BROKEN, *_CUT),
    "broken": _BROKEN,
}


def request(on: Any, me: Any, serve: Callable[[Any], tuple[Any, Any]], kind: str = "w") -> Any:
    """One request: `serve` gives its result and what the object is then, or raises."""
    key, before = on.key(), me.get("manager", "")

    def change(number: int, up: bool) -> Any:
        if not up:
            return [(("gone", *each), (number, up)) for each in _GONE[before]]
        try:
            result, new = serve(me.value(number))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            return [(("error", type(error).__name__, error.args), (number, up))]
        return [(("ok", result), (me.number(new), up))]

    kinds = (f"{key}:{kind}", f"{UP}:r")
    how, what, *given = yield on.step((key, UP), kinds, change, effect=True)
    served = how != "gone" or what == "RemoteError"
    me.set("manager", "connected" if served else "broken" if before else "")
    if how == "ok":
        return what
    raise named(what)(*given[0])


def requests(kind: str) -> Callable[[Any, str, bool], tuple[str, ...]]:
    """What a request does to what."""
    return lambda on, process, waits: (f"{on.key()}:{kind}", f"{UP}:r")


def load(on: Any, me: Any, at: Any = None) -> Any:
    """One item, or all of it."""
    return request(on, me, lambda held: (held.copy() if at is None else held[at], held), "r")


def load_value(on: Any, me: Any) -> Any:
    return request(on, me, lambda held: (held, held), "r")


def store_value(on: Any, me: Any, value: object) -> Any:
    return request(on, me, lambda held: (None, value))


def store(on: Any, me: Any, value: object, at: Any) -> Any:
    return request(on, me, _on_copy(me, "__setitem__", (at, value)))


def append(on: Any, me: Any, value: object) -> Any:
    return request(on, me, _on_copy(me, "append", (value,)))


def pop(on: Any, me: Any, at: Any) -> Any:
    return request(on, me, _on_copy(me, "pop", () if at is None else (at,)))


def delete(on: Any, me: Any, at: Any) -> Any:
    return request(on, me, _on_copy(me, "__delitem__", (at,)))


def length(on: Any, me: Any) -> Any:
    return request(on, me, lambda held: (len(held), held), "r")


def invoke(on: Any, me: Any, method: str, args: list[Any]) -> Any:
    """Any method that the proxy lets through; RemoteError for another one."""
    from multiprocessing import managers

    proxy: Any = managers.ListProxy if on.type == "manager_list" else managers.DictProxy
    if method == "__iter__":
        raise me.uncheckable("`__iter__` gives a proxy of its own", "`load` gives all of it")
    if method not in proxy._exposed_ or method == "__reversed__":
        return _refused(on, me, f"{method!r} cannot be called, or its result not be sent")
    return request(on, me, _on_copy(me, method, tuple(args)))


def _on_copy(me: Any, method: str, args: tuple[Any, ...]) -> Callable[[Any], tuple[Any, Any]]:
    """Call a method of a copy of what is held: nobody else sees it change."""

    def serve(held: Any) -> tuple[Any, Any]:
        if "mul__" in method and args and isinstance(args[0], int):
            _check_size(me, len(held) * args[0])
        new = held.copy()
        result = getattr(new, method)(*args)
        _check_size(me, len(new))
        if result is new:
            result = new.copy()
        views: Any = type({}.keys()), type({}.values()), type({}.items())
        return list(result) if isinstance(result, views) else result, new

    return serve


def _check_size(me: Any, many: int) -> None:
    if many > _LONGEST:
        raise me.uncheckable(f"a list or dict of a manager has over {_LONGEST:,} items", "")


def _refused(on: Any, me: Any, text: str) -> Any:
    yield from request(on, me, lambda held: (None, held))
    raise named("RemoteError")(text)
