"""result: AsyncResult.get; what a call that a pool was asked for has come to."""

from typing import Any

from mpflow.kinds import INTO, TIMEOUT, Action, Argument


def _result(process: object, of: Any, timeout: float | None) -> object:
    return of.get(timeout)


ACTION = Action(
    verb="result",
    summary="Wait for the result of apply_async, map_async or starmap_async.",
    arguments=(
        Argument("of", "value", "what apply_async gave: $x", required=True),
        TIMEOUT,
        INTO,
    ),
    real=_result,
)
