"""exit: sys.exit; finally and with blocks are left on the way."""

from mpflow.kinds import Action, Argument


def _exit(process: object, code: object) -> None:
    raise SystemExit(code)


ACTION = Action(
    verb="exit",
    summary="End the process by sys.exit.",
    arguments=(Argument("code", "value", "the exit code; a text is printed on standard error"),),
    real=_exit,
    model=_exit,
    shows="code",
)
