"""crash: SIGKILL to the process itself, as the kernel's out-of-memory killer would send it."""

from mpflow.kinds import Action

ACTION = Action(
    verb="crash",
    summary="End the process at once by SIGKILL: nothing is flushed, released or left in order.",
    arguments=(),
    real=lambda process: process.crash(),
    model=lambda me: me.die(-9),
)
