"""os_exit: os._exit; nothing is flushed, released or left in order."""

from mpflow.kinds import Action, Argument

ACTION = Action(
    verb="os_exit",
    summary="End the process at once by os._exit.",
    arguments=(Argument("code", "integer", "the exit code", default=0),),
    real=lambda process, code: process.leave_at_once(code),
    shows="code",
    model=lambda me, code: me.die(code & 0xFF),
)
