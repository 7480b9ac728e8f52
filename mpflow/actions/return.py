"""return: end the process normally, from wherever it is."""

from mpflow.kinds import Action

ACTION = Action(
    verb="return",
    summary="End the process normally.",
    arguments=(),
    real=lambda process: None,
    model=lambda me: None,
    then="return",
)
