"""sleep: let time pass; `--time-scale` scales it."""

from mpflow.kinds import Action, Argument


def _sleep(process: object, seconds: float) -> None:
    from time import sleep

    sleep(seconds)


ACTION = Action(
    verb="sleep",
    summary="Do nothing for some seconds.",
    arguments=(Argument("seconds", "seconds", "how long", required=True),),
    real=_sleep,
    shows="seconds",
)
