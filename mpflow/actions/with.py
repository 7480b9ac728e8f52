"""with: acquire, do, and release on every way out, as Python's with statement."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="with",
    summary="Acquire, do, and release on every way out.",
    arguments=(
        Argument("lock", "subject", "what to acquire and release", required=True),
        Argument("do", "block", "what to do while it is held", required=True),
    ),
    structure=Structure(opening=lambda a, i: ("try:",), enter="acquire", leave="release"),
)
