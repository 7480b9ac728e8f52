"""raise: a built-in exception, or Empty, Full or BrokenBarrierError."""

from mpflow.kinds import Action, Argument


def _raise(process: object, error: str, message: object) -> None:
    from mpflow.exceptions import named

    raise named(error)(*([] if message is None else [message]))


ACTION = Action(
    verb="raise",
    summary="Raise an exception.",
    arguments=(
        Argument("error", "exception", "the exception's name", required=True),
        Argument("message", "value", "its message"),
    ),
    real=_raise,
    model=_raise,
)
