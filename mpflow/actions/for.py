"""for: a block once for each item of a list."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="for",
    summary="Do a block for each item of a list.",
    arguments=(
        Argument("each", "variable", "the variable that takes each item", required=True),
        Argument("in", "list", "the list", required=True),
        Argument("do", "block", "what to do with each", required=True),
    ),
    structure=Structure(opening=lambda a, i: (f"for {a['each']} in {a['in']}:",), loop=True),
)
