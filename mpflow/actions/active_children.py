"""active_children: the sorted names of this process's living children."""

from mpflow.kinds import INTO, Action


def _active_children(process: object) -> list[str]:
    from multiprocessing import active_children

    return sorted(child.name for child in active_children())


ACTION = Action(
    verb="active_children",
    summary="The names of the living children of this process, sorted.",
    arguments=(INTO,),
    real=_active_children,
    model=lambda me: me.living_children(),
)
