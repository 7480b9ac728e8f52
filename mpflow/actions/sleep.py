"""sleep: let time pass; `--time-scale` scales it."""

from mpflow.kinds import Action, Argument


def _sleep(process: object, seconds: float) -> None:
    from time import sleep

    sleep(seconds)


def _wrong(seconds: float) -> str:
    return f"a sleep cannot last {seconds} seconds: 0 or more" if seconds < 0 else ""


ACTION = Action(
    verb="sleep",
    summary="Do nothing for some seconds.",
    arguments=(Argument("seconds", "seconds", "how long", required=True, wrong=_wrong),),
    real=_sleep,
    shows="seconds",
    model=lambda me, seconds: me.sleep(seconds),
)
