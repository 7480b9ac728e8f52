"""choose: one of several values; a run draws it with its seed, `check` tries each."""

from mpflow.kinds import INTO, Action, Argument

ACTION = Action(
    verb="choose",
    summary="Choose any one of some values.",
    arguments=(
        Argument("from", "values", "the values to choose from", required=True),
        INTO,
    ),
    real=lambda process, values: process.random.choice(values),
)
