"""The host of a run: a process of its own that forks the scenario's main, watches, and cleans up.

In, over a pipe from the user's command: the program. Out, over another: how the run ended and
who ended how. When the command dies, its pipe closes and the host ends every process; when the
host dies, the command ends the group. It runs no thread and installs no signal handler, so
main is forked from a process with nothing in it that a scenario could notice.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.connection
import multiprocessing.popen_fork
import multiprocessing.queues
import multiprocessing.synchronize  # loaded while the program is still being read
import os
import pickle
import select
import shutil
import sys
import tempfile
import threading
from contextlib import suppress
from time import monotonic, perf_counter, sleep
from typing import Any

from mpflow import registry
from mpflow.engine import system
from mpflow.engine.record import ROOM
from mpflow.engine.watch import Watch
from mpflow.engine.wire import Answer, Order, Reader, send
from mpflow.engine.worker import Job, run_job
from mpflow.exceptions import exit_code
from mpflow.plan import Program

TICK = 0.02  # seconds between two looks at what every process waits for


def serve(incoming: int, outgoing: int) -> None:
    """Take one order, run it, answer. Never returns, neither here nor in the forked main."""
    system.adopt_orphans()
    try:
        order: Order = pickle.loads(Reader(incoming).receive())
    except EOFError:
        os._exit(0)  # started early, and then there was nothing to run
    if order.quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    folder = tempfile.mkdtemp(prefix="mpflow-")
    os.close(os.open(os.path.join(folder, ROOM), os.O_CREAT | os.O_WRONLY, 0o600))
    tracker = _start_tracker(order.program)
    sys.stdout.flush()
    began = perf_counter()
    send(outgoing, pickle.dumps((folder, began)))
    main = os.fork()
    if main == 0:
        os.close(incoming)
        os.close(outgoing)
        _be_main(order, folder)
    answer = _Watcher(order, folder, main, tracker, incoming, began).watch()
    if answer is None:
        shutil.rmtree(folder, ignore_errors=True)  # nobody is left to read it
    else:
        _tell(outgoing, answer, folder)
    if answer is None or answer.end != "completed" or order.program.start_method == "fork":
        _stop_tracker(tracker)  # what was killed has left it something to remove
    os._exit(0)


def _tell(outgoing: int, answer: Answer, folder: str) -> None:
    try:
        send(outgoing, pickle.dumps(answer))
    except BrokenPipeError:
        shutil.rmtree(folder, ignore_errors=True)


def _be_main(order: Order, folder: str) -> None:
    """The scenario's main: what a script's own process would be."""
    os.setpgid(0, 0)  # so that all its descendants can be ended at once
    system.die_with_parent()
    program = order.program
    if program.code:
        from mpflow.engine.code import prepare

        prepare(program, folder)
    sys.argv[:] = [program.name]
    multiprocessing.set_start_method(program.start_method, force=True)
    if program.start_method == "forkserver":
        _keep_temporary_files(folder)
    if program.start_method == "forkserver":  # what else each child would load by itself
        multiprocessing.set_forkserver_preload(["__main__", "mpflow.engine.worker"])
    try:
        run_job(Job(program, "main", {}, folder, order.quiet))
        code = 0
    except SystemExit as leaving:
        code = exit_code(leaving.code)
        if leaving.code is not None and not isinstance(leaving.code, int):
            sys.stderr.write(f"{leaving.code}\n")
    _leave(code)


def _keep_temporary_files(folder: str) -> None:
    """Have multiprocessing keep its temporary files where they go with the records: what is
    killed cannot remove its own."""
    own = os.path.join(folder, "tmp")
    os.mkdir(own)
    config: Any = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    config["tempdir"] = own


def _leave(code: int) -> None:
    """End main as the interpreter ends a script: threads, exit hooks, streams. What it does after
    that, taking its modules apart, nobody can see, and it takes longer than a small run."""
    shut_down: Any = threading._shutdown  # type: ignore[attr-defined]
    shut_down()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _start_tracker(program: Program) -> int | None:
    """Python's resource tracker, started before main: it outlives the run and removes what a
    killed process left behind. Under fork Python starts one for shared memory alone."""
    tracked = (registry.primitive(type_name).tracked for _, type_name, _ in program.primitives)
    if program.start_method == "fork" and not any(tracked):
        return None
    from multiprocessing import resource_tracker

    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # what it would say of a killed run is no news
    try:
        resource_tracker.ensure_running()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
    pid: int | None = getattr(resource_tracker._resource_tracker, "_pid", None)
    return pid


def _stop_tracker(tracker: int | None) -> None:
    """Wait until the tracker has cleaned up; after a run that completed it ends by itself."""
    if tracker is not None:
        from multiprocessing import resource_tracker

        descriptor: Any = resource_tracker.getfd()
        os.close(descriptor)
        with suppress(ChildProcessError):  # somebody has killed it
            os.waitpid(tracker, 0)


def _idle_pools(program: Program) -> bool:
    """Whether the workers of pools have nothing to do while main does something else: nobody asks
    them for what is to be done meanwhile, and no Python code is handed a pool."""
    pools = {name for name, type_name, _ in program.primitives if type_name == "pool"}
    steps = program.plans["main"].steps
    meanwhile = any(step.verb.endswith("_async") or step.verb == "call" for step in steps)
    return bool(pools) and not meanwhile


class _Watcher:
    """Waits for the end of a run: by itself, by a deadlock, by time, by the user."""

    def __init__(
        self, order: Order, folder: str, main: int, tracker: int | None, control: int, began: float
    ) -> None:
        self.main = main
        self.tracker = tracker
        self.control = control
        self.began = began
        self.deadline = monotonic() + order.timeout
        self.exits: dict[int, tuple[int, float]] = {}
        self.childless = False
        self.watch_ = Watch(folder, os.getpid(), tracker, _idle_pools(order.program))
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.main_ends: int | None = system.death_descriptor(main)
        if self.main_ends is not None:
            self.poll.register(self.main_ends, select.POLLIN)

    def watch(self) -> Answer | None:
        """The answer, or None when nobody is left to hear it."""
        end = None
        while end is None:
            ready = [descriptor for descriptor, _ in self.poll.poll(self._patience())]
            self._forget_main(ready)
            self._reap()
            end = self._end(self.control in ready)
        killed = self._end_all()
        ended = perf_counter()  # behind everything that any process still did
        if end == "abandoned":
            return None
        return Answer(end, self.began, ended, self.exits, frozenset(killed))

    def _forget_main(self, ready: list[int]) -> None:
        """Once main has ended, its descriptor would be ready for ever."""
        descriptor = self.main_ends
        if descriptor is not None and descriptor in ready:
            self.poll.unregister(descriptor)
            os.close(descriptor)
            self.main_ends = None

    def _patience(self) -> float:
        return max(0.0, min(TICK, self.deadline - monotonic())) * 1000

    def _end(self, told: bool) -> str | None:
        if told:
            return "interrupted" if os.read(self.control, 1) else "abandoned"
        if self.main in self.exits and (self.childless or not self.watch_.living()):
            return "completed"
        if monotonic() >= self.deadline:
            return "timeout"
        if self.watch_.full():
            return "full"
        return "deadlock" if self.watch_.deadlocked() else None

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.childless = True  # and without descendants: orphans would be its children
                return
            if pid == 0:
                return
            self.exits[pid] = (os.waitstatus_to_exitcode(status), perf_counter())

    def _end_all(self) -> set[int]:
        """SIGKILL to every process of the run until none is left."""
        before = set(self.exits)
        while not self.childless:
            system.kill_group(self.main)
            left = system.descendants(os.getpid(), self.tracker)
            for pid in left:
                system.kill(pid)
            self._reap()
            if not left and self.main in self.exits:
                break
            sleep(0.001)  # a killed process needs a moment to die
        return set(self.exits) - before
