"""A pool: worker processes that take calls of Python functions and give back what these return.

CPython: multiprocessing.Pool (pool.py): the workers, two pipes, and three threads in the process
that made it, which is main: no other can use it. A worker that dies is replaced, but the result of
its task never comes. At main's end the pool is terminated before main's children are joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import INTO, PROCESS, WHAT, Argument, Operation, Primitive

if TYPE_CHECKING:
    from mpflow.rule import Observation

POOL = Argument("pool", "subject", "the pool", required=True)
FUNCTION = Argument("function", "function", "module:function or file.py:function", required=True)
ARGS = Argument("args", "values", "its positional arguments", default=[])
KWARGS = Argument("kwargs", "table", "its keyword arguments", default={})
OVER = Argument("over", "list", "what it is called for, one call each", required=True)
CHUNKS = Argument("chunksize", "integer", "how many of them are one task")


class Unjudged:
    """A pool in the order of events: its tasks are Python code, and nothing is known of them."""

    def start(self) -> None:
        return None

    def after(self, state: None, event: Observation) -> object:
        return True


def _check(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, f"`{name}` is 1 or more, not {options[name]}")
        for name in ("workers", "maxtasksperchild")
        if options[name] is not None and options[name] < 1
    ]


def _make(options: Mapping[str, Any], made: object) -> dict[str, object]:
    from multiprocessing import Pool

    return {"": Pool(options["workers"], maxtasksperchild=options["maxtasksperchild"])}


def _call(verb: str, summary: str) -> Operation:
    """apply and its kin: one call."""

    def real(pool: Any, function: Any, args: Any, kwargs: Any) -> object:
        return getattr(pool, verb)(function, args, kwargs)

    return _working(verb, summary, (FUNCTION, ARGS, KWARGS, INTO), real)


def _calls(verb: str, summary: str) -> Operation:
    """map and its kin: a call for each of a list."""

    def real(pool: Any, function: Any, over: Any, chunksize: int | None) -> object:
        lazy = verb.startswith("imap")
        sizes = () if lazy and chunksize is None else (chunksize,)
        found = getattr(pool, verb)(function, over, *sizes)
        return list(found) if lazy else found

    return _working(verb, summary, (FUNCTION, OVER, CHUNKS, INTO), real)


def _working(verb: str, summary: str, arguments: tuple[Argument, ...], real: Any) -> Operation:
    return Operation(
        verb,
        summary,
        POOL,
        arguments,
        real,
        shows="function",
        code=f"{verb}(function)",
        outside=True,
        model=_asked,
        accesses=lambda on, process, waits: (),
    )


def _end(verb: str, summary: str, subject: Argument) -> Operation:
    def real(pool: Any) -> None:
        getattr(pool, verb)()

    model = _joining if verb == "join" else _closing(f"{verb}d")
    return Operation(
        verb,
        summary,
        subject,
        (),
        real,
        method=verb,
        outside=True,
        model=model,
        accesses=lambda on, process, waits: (),
    )


# The model: what a pool refuses. What its tasks do is Python code


def _asked(on: Any, me: Any, function: str, *given: Any) -> None:
    if me.get(("pool", on.name), "running") != "running":
        raise ValueError("Pool not running")
    hint = "run it; or say with processes and queues what the workers do, and it can be checked"
    raise me.uncheckable(f"a pool calls {function}, which is Python code", hint)


def _closing(state: str) -> Any:
    def model(on: Any, me: Any) -> None:
        if me.get(("pool", on.name)) != "terminated":
            me.set(("pool", on.name), state)

    return model


def _joining(on: Any, me: Any) -> None:
    """Without tasks its workers end at once."""
    if me.get(("pool", on.name), "running") == "running":
        raise ValueError("Pool is still running")


PRIMITIVE = Primitive(
    type="pool",
    summary="Worker processes that call Python functions; made in main, and only for main.",
    options=(
        Argument("workers", "integer", "how many; default: as many as there are CPUs"),
        Argument("maxtasksperchild", "integer", "after how many tasks a worker is replaced"),
    ),
    operations=(
        _call("apply", "Have a function called by a worker, and wait for what it returns."),
        _call("apply_async", "Have a function called by a worker; `result` waits for it."),
        _calls("map", "Call a function for each of a list; the results in its order."),
        _calls("starmap", "The same, each of the list being the arguments of a call."),
        _calls("imap", "As `map`, a task for each, and a result as soon as it is its turn."),
        _calls("imap_unordered", "The same, with the results in the order in which they come."),
        _calls("map_async", "As `map`; `result` waits for the list."),
        _calls("starmap_async", "As `starmap`; `result` waits for the list."),
        _end("close", "Take no more tasks.", WHAT),
        _end("terminate", "End the workers at once: what they do is lost.", PROCESS),
        _end("join", "Wait for the workers to end; close or terminate first.", PROCESS),
    ),
    make=_make,
    bases=lambda options, merged: {},
    rule=lambda options: Unjudged(),
    check=_check,
    stage=0,
    only_main=True,
)
