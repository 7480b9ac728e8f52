"""section: a named stretch of actions, for `expect: exclusive`; the trace has both its ends."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="section",
    summary="A named stretch of actions.",
    arguments=(
        Argument("name", "text", "the section's name", required=True),
        Argument("do", "block", "its actions", required=True),
    ),
    real=lambda process, name: None,
    names="name",
    structure=Structure(opening=lambda a, i: ("try:",), enter="enter", leave="leave"),
)
