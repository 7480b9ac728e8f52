"""while: a block as long as a condition holds."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="while",
    summary="Do a block as long as a condition holds.",
    arguments=(
        Argument("condition", "condition", "tested before each turn", required=True),
        Argument("do", "block", "what to repeat", required=True),
    ),
    structure=Structure(opening=lambda a, i: (f"while {a['condition']}:",), loop=True),
)
