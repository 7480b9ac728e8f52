"""continue: the next turn of the innermost loop."""

from mpflow.kinds import Action

ACTION = Action(
    verb="continue",
    summary="Go on with the innermost loop's next turn.",
    arguments=(),
    then="continue",
)
