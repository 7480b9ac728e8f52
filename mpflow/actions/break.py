"""break: leave the innermost loop."""

from mpflow.kinds import Action

ACTION = Action(verb="break", summary="Leave the innermost loop.", arguments=(), then="break")
