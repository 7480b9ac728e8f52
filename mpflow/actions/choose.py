"""choose: one of several values; a run draws it with its seed, `check` tries each."""

from mpflow.kinds import INTO, Action, Argument

ACTION = Action(
    verb="choose",
    summary="Choose any one of some values.",
    arguments=(
        Argument("from", "values", "the values to choose from", required=True),
        INTO,
    ),
    model=lambda me, values: me.any_of(values),
    real=lambda process, values: process.random.choice(values),
)
