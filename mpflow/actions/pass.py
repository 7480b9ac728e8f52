"""pass: nothing."""

from mpflow.kinds import Action

ACTION = Action(
    verb="pass",
    summary="Do nothing.",
    arguments=(),
    real=lambda process: None,
)
