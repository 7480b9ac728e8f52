"""assert: an AssertionError where a condition is false."""

from mpflow.kinds import Action, Argument


def _assert(process: object, condition: object, message: object) -> None:
    if not condition:
        raise AssertionError(*([] if message is None else [message]))


ACTION = Action(
    verb="assert",
    summary="Raise AssertionError unless the condition holds.",
    arguments=(
        Argument("condition", "condition", "what must hold", required=True),
        Argument("message", "value", "the error's message"),
    ),
    real=_assert,
    model=_assert,
)
