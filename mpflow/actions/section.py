"""section: a named stretch of actions, for `expect: exclusive`; the trace has both its ends."""

from typing import Any

from mpflow.kinds import Action, Argument, Structure


def _model(me: Any, phase: str, name: str) -> Any:
    return me.section(name, phase)


ACTION = Action(
    verb="section",
    summary="A named stretch of actions.",
    arguments=(
        Argument("name", "text", "the section's name", required=True),
        Argument("do", "block", "its actions", required=True),
    ),
    real=lambda process, name: None,
    names="name",
    model=_model,
    structure=Structure(opening=lambda a, i: ("try:",), enter="enter", leave="leave"),
)
