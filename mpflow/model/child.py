"""A process as something acted upon: started, joined, asked, sent signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpflow.model.me import Me
from mpflow.model.names import ALIVE, NEW, STOP, actor, life, signals, stopped
from mpflow.model.parts import Parts
from mpflow.model.steps import Step
from mpflow.model.values import Uncheckable
from mpflow.naming import family
from mpflow.primitives import _pipes

if TYPE_CHECKING:
    from mpflow.model.world import World


class Child(Parts):
    """A process as something acted upon."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(name, "process", {}, world.parts)
        self.world = world

    def starting(self, me: Me) -> Step:
        """The step that starts it. A forked one has all that its parent has open, another one what
        it was handed."""
        world, name = self.world, self.name
        forked = world.program.start_method == "fork"
        given = world.handed(name)
        closed = me.get("closed", frozenset()) if forked else frozenset()
        known = (*me.get("known", ()), *me.get("children", ())) if forked else ()
        held = [(f"{pipe}{end}", key) for pipe, end, key in world.ends]

        def change(stage: Any, who: Any, *values: Any) -> Any:
            if stage != NEW:
                raise Uncheckable(f"`{name}` is started by more than one process")
            new = [
                each | {name} if me.name in each and (forked or end in given) else each
                for (end, _), each in zip(held, values, strict=True)
            ]
            return [(None, (ALIVE, world.processes[name].begin(closed, known)[0], *new))]

        keys = [key for _, key in held]
        kinds = [f"{life(name)}:start", *(f"{key}:hold" for key in keys)]
        return Step((life(name), actor(name), *keys), tuple(kinds), change)

    def starting_accesses(self) -> tuple[str, ...]:
        """What starting does to what."""
        return (f"{life(self.name)}:start", *(f"{key}:hold" for _, _, key in self.world.ends))

    def ended_accesses(self, waits: bool) -> tuple[str, ...]:
        """What joining does to what."""
        timed = () if waits else self.ended(0).kinds
        return (*self.ended(None).kinds, *timed)

    def startable(self, me: Me) -> bool:
        """Whether it is this process that may start it."""
        return self.name in me.process.plan.starts

    def ended(self, timeout: float | None) -> Step:
        """The step that waits until it has ended. Under fork, one with a time limit waits for its
        children, too, which inherit the pipe that it is told by (popen_fork.py)."""
        names = [self.name]
        if timeout is not None and self.world.program.start_method == "fork":
            names += sorted(family(self.world.program.plans, self.name) - {self.name})
        touches = tuple(life(name) for name in names)

        def ready(*stages: Any) -> Any:
            over = stages[0] not in (NEW, ALIVE) and ALIVE not in stages
            return [(True, stages)] if over else []

        if timeout is None:
            return Step(touches, (f"{touches[0]}:join",), ready)

        def late(*stages: Any) -> Any:
            return [] if ready(*stages) else [(stages[0] not in (NEW, ALIVE), stages)]

        return Step(touches, tuple(f"{key}:look" for key in touches), ready, late, max(timeout, 0))

    def stage(self) -> Step:
        """The step that asks how far it has come: NEW, ALIVE, or its exit code."""
        key = life(self.name)
        return Step((key,), (f"{key}:look",), lambda stage: [(stage, (stage,))])

    def send(self, number: int) -> Step:
        """The step that sends it a signal; one that has ended gets none."""
        keys = (life(self.name), signals(self.name))

        def change(stage: Any, pending: Any) -> Any:
            doomed = pending or stage != ALIVE  # by the first one that was sent (signal.c)
            return [(None, (stage, pending if doomed else (number,)))]

        if self.name in self.world.facts.suspendable:
            return self._send_stoppable(number)
        return Step(keys, (f"{keys[0]}:look", f"{keys[1]}:send"), change)

    def _send_stoppable(self, number: int) -> Step:
        """The same where the process may be stopped, or about to be: then it may wait, and another
        one end it before (told by a minus)."""

        def change(stage: Any, pending: Any, is_stopped: Any) -> Any:
            doomed = any(each > 0 and each != STOP for each in pending)
            if stage == ALIVE and not doomed:
                sure = not is_stopped and STOP not in pending
                pending = tuple(sorted({*pending, number if sure else -number}))
            return [(None, (stage, pending, is_stopped))]

        return self._signalling(change, "see")

    def _signalling(self, change: Any, kind: str) -> Step:
        name = self.name
        keys = (life(name), signals(name), stopped(name))
        kinds = (f"{keys[0]}:look", f"{keys[1]}:sends", f"{keys[2]}:{kind}")
        return Step(keys, kinds, change)

    def suspend(self) -> Step:
        """The step that sends SIGSTOP: it stops some time after that, if it is not ending."""

        def change(stage: Any, pending: Any, is_stopped: Any) -> Any:
            doomed = any(each > 0 for each in pending)
            if stage == ALIVE and not doomed and not is_stopped:
                pending = tuple(sorted((*pending, STOP)))
            return [(None, (stage, pending, is_stopped))]

        return self._signalling(change, "see")

    def resume(self) -> Step:
        """The step that sends SIGCONT; a SIGSTOP that has not come yet never will. Who was asleep
        for want of room in a pipe looks for it once more."""
        if self.name not in self.world.facts.suspendable:
            return self.stage()

        def change(stage: Any, pending: Any, is_stopped: Any, *ways: Any) -> Any:
            left = tuple(each for each in pending if each != STOP)
            if is_stopped or left != pending:
                ways = tuple(_pipes.awake(each, self.name) for each in ways)
            return [(None, (stage, left, False, *ways))]

        step = self._signalling(change, "cont")
        ways = self.world.detail.sleeps(self.name)
        kinds = (*step.kinds, *(f"{each}:stir" for each in ways))
        return step._replace(touches=(*step.touches, *ways), kinds=kinds)

    def handed_closed(self, me: Me) -> bool:
        """Whether it would be handed an end that its parent has closed: by fork alone it can."""
        if self.world.program.start_method == "fork":
            return False
        closed = me.get("closed", frozenset())
        return any(f"{pipe}{end}" in self.world.handed(self.name) for pipe, end in closed)
