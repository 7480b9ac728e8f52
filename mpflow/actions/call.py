"""call: run a Python function in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from mpflow.kinds import INTO, Action, Argument


def _call(
    process: Any, function: str, args: Sequence[Any], kwargs: Mapping[str, Any], returns: object
) -> Any:
    return process.python(function)(*args, **kwargs)


def _model(
    me: Any, function: str, args: object, kwargs: object, returns: Sequence[Any] | None
) -> Any:
    if returns is None:
        hint = "say with `returns: [VALUE, …]` what it may return, and it can be checked"
        raise me.uncheckable(f"`call` of {function} runs Python code", hint)
    return me.any_of(returns)


ACTION = Action(
    verb="call",
    summary="Call a Python function.",
    arguments=(
        Argument("function", "function", "module:function or ./file.py:function", required=True),
        Argument("args", "values", "its positional arguments", default=[]),
        Argument("kwargs", "table", "its keyword arguments", default={}),
        INTO,
        Argument("returns", "values", "what it may return, for `check`"),
    ),
    real=_call,
    model=_model,
    names="function",
    code=True,
)
