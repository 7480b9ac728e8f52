"""mark: a named point in the trace, for `expect: order`."""

from mpflow.kinds import Action, Argument

ACTION = Action(
    verb="mark",
    summary="A named point in the trace.",
    arguments=(Argument("name", "text", "the mark's name", required=True),),
    real=lambda process, name: None,
    names="name",
    model=lambda me, name: me.mark(name),
)
