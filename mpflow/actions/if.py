"""if: one of two blocks."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="if",
    summary="Do one block or another.",
    arguments=(
        Argument("condition", "condition", "what decides", required=True),
        Argument("then", "block", "done when it holds", required=True),
        Argument("else", "block", "done when it does not"),
    ),
    structure=Structure(
        opening=lambda a, i: (f"if {a['condition']}:",), parts={"else": "else:"}, weight=0
    ),
)
