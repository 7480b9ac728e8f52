"""let: set variables of this process, one after the other."""

from mpflow.kinds import Action, Argument

ACTION = Action(
    verb="let",
    summary="Set variables, in order; a later one may use an earlier one.",
    arguments=(
        Argument("variables", "assignments", "each variable and its new value", required=True),
    ),
    real=lambda process, variables: None,
    shows="variables",
)
