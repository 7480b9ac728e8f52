"""try: a block whose exceptions are handled, as Python's try statement."""

from mpflow.kinds import Action, Argument, Structure

ACTION = Action(
    verb="try",
    summary="Handle the exceptions of a block.",
    arguments=(
        Argument("do", "block", "what may go wrong", required=True),
        Argument("except", "handlers", "an exception's name, and what to do about it"),
        Argument("else", "block", "done when nothing went wrong"),
        Argument("finally", "block", "done on every way out"),
    ),
    structure=Structure(
        opening=lambda a, i: ("try:",),
        parts={"except": "except caught({exception}):", "else": "else:", "finally": "finally:"},
        weight=2,
    ),
)
