"""The user's side of a run: a Program goes to the host, the records come back."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mpflow.engine.start import EngineError, Started, start
from mpflow.engine.wire import Answer, Order, Reader, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpflow.engine.reading import Lane
    from mpflow.plan import Program


_LOOK = 0.1  # seconds between two looks at a run that is followed


class Records(NamedTuple):
    """What is left of a run: how it ended, and each process's record as it stands on disk."""

    end: str
    began: float
    ended: float
    exits: dict[int, tuple[int, float]]
    killed: frozenset[int]
    lanes: list[Lane]


class Host:
    """A host that waits for its order. Started early, it loads what it needs while the scenario
    is still being read."""

    def __init__(self, started: Started | None = None) -> None:
        self._started = started or start()
        self._incoming = Reader(self._started.incoming)
        self._folder: str | None = None
        self.began = 0.0  # perf_counter seconds, once something has

    def begin(self, program: Program, timeout: float, quiet: bool = False) -> None:
        """Have a program run for so many seconds at most; `quiet`: throw away what it prints."""
        import pickle

        try:
            send(self._started.outgoing, pickle.dumps(Order(program, timeout, quiet)))
            self._folder, self.began = pickle.loads(self._incoming.receive())
        except (EOFError, BrokenPipeError):
            raise self._died() from None

    def finish(self, look: Callable[[], None] | None = None) -> Records:
        """Wait for the end of what has begun; Ctrl-C ends it as `interrupted`. `look` is called
        now and then while it goes on, and once when it is over."""
        assert self._folder is not None
        answer = self._answer(look)
        from mpflow.engine.reading import lanes  # loaded while the run went on

        try:
            return Records(*answer, lanes=lanes(self._folder))
        except FileNotFoundError:
            message = f"the folder of the run's records, {self._folder}, has been removed"
            raise EngineError(message) from None

    def _died(self) -> EngineError:
        _end_orphans(self._folder)
        return EngineError("the process that hosts the run has died")

    def _answer(self, look: Callable[[], None] | None) -> Answer:
        """Wait for the end; a Ctrl-C is passed on, and the answer awaited all the same."""
        try:
            while look is not None and not self._incoming.ready(_LOOK):
                look()
            answer = self._received()
        except KeyboardInterrupt:
            self.interrupt()
            answer = self._received()
        if look is not None:
            look()
        return answer

    def interrupt(self) -> None:
        """End what has begun, as `interrupted`."""
        with suppress(BrokenPipeError):  # it has died: that is said when its answer is missing
            os.write(self._started.outgoing, b"!")

    def _received(self) -> Answer:
        import pickle

        try:
            answer: Answer = pickle.loads(self._incoming.receive())
        except EOFError:
            raise self._died() from None
        return answer

    def path(self, name: str) -> str:
        """Where to put a file that is to go with the records."""
        assert self._folder is not None
        return os.path.join(self._folder, name)

    def close(self) -> None:
        """End the host, and through it everything that it still runs, and remove its folder."""
        self._started.close()
        if self._folder is not None:
            _remove(self._folder)
            self._folder = None


def _remove(folder: str) -> None:
    """The records, and what multiprocessing itself put into its folder there."""
    for here, folders, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(os.path.join(here, name))
        for name in folders:
            os.rmdir(os.path.join(here, name))
    with suppress(FileNotFoundError):
        os.rmdir(folder)


def _end_orphans(folder: str | None) -> None:
    """Without a host nobody watches any more: end main's process group."""
    from mpflow.engine import record, system
    from mpflow.engine.reading import lanes

    with suppress(FileNotFoundError):
        for lane in lanes(folder) if folder else ():
            notes = (note for site, note, _ in lane.notes() if site == record.BEGIN)
            if next(notes, ("",))[0] == "main":
                system.kill_group(lane.pid)
