"""print: a line on standard output, and in the trace."""

from mpflow.kinds import Action, Argument

ACTION = Action(
    verb="print",
    summary="Print a line.",
    arguments=(Argument("text", "line", "what to print", required=True),),
    real=lambda process, text: process.print(text),
    shows="text",
    model=lambda me, text: me.printed(text),
)
