"""The children of a process: made when first named, started, joined, and their ends noted.

In: names of replicas. Out: multiprocessing.Process objects, which only their maker may join.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mpflow.engine import record
from mpflow.engine.scope import arguments
from mpflow.evaluation import Attributes
from mpflow.naming import family, replicas
from mpflow.plan import Plan

if TYPE_CHECKING:
    from mpflow.engine.worker import Job, Worker


class Handle(Attributes):
    """`worker` in an expression of main: a process that it may have started."""

    def __init__(self, children: Children, name: str) -> None:
        self.children = children
        self.name = name

    def get(self, name: str) -> object:
        process = self.children.get(self.name)
        if name == "name":
            return process.name
        if name == "pid":
            return process.pid
        raise AttributeError(f"{self.name} has no {name!r}; it has name and pid")


class Children:
    """All processes that one process has to do with, by name."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.known: dict[str, Any] = dict(worker.job.inherited)
        self.own: list[str] = []
        self.reaped: set[int] = set()

    def views(self) -> dict[str, object]:
        """The processes as expressions see them; replicas by their index."""
        found: dict[str, object] = {}
        for base, names in self.worker.program.names.items():
            handles = [Handle(self, name) for name in names]
            found[base] = handles[0] if names == (base,) else handles
        return found

    def named(self, name: str, verb: str) -> list[str] | None:
        """The replicas that a name means here, None if it is no process's; `all` are those that
        this process has started, or may start."""
        if name == "all" and verb != "start":
            return list(self.own)
        program = self.worker.program
        return replicas(program, program.plans, self.worker.plan.name, name, verb)

    def get(self, name: str) -> Any:
        """The process object, made now if there is none yet."""
        if name not in self.known:
            self.known[name] = self._make(name)
        return self.known[name]

    def start(self, name: str) -> Any:
        """The object to start: one of this process's own, not one inherited by fork."""
        process = self.known.get(name)
        if process is None or process._parent_pid != os.getpid():
            self.known[name] = process = self._make(name)
        return process

    def _make(self, name: str) -> Any:
        from mpflow.engine.worker import run_job

        plan = self.worker.program.plans.get(name)
        if plan is None:  # another's child: Python's own errors say so
            process = multiprocessing.Process(name=name)
            process._parent_pid = os.getppid()  # type: ignore[attr-defined]
            return process
        job = self.job(plan)
        if plan.class_ is not None:
            process = self._subclass(plan, job)
        else:
            process = multiprocessing.Process(target=run_job, args=(job,), name=plan.system_name)
        if plan.daemon:
            process.daemon = True
        return process

    def _subclass(self, plan: Plan, job: Job) -> Any:
        class_: Any = self.worker.python(plan.class_ or "")
        args, kwargs = arguments(plan, self.worker.program, self.worker.handed())
        process = class_(*args, **kwargs)
        process.name = plan.system_name
        # First of all that it holds: it is there when another piece cannot be unpickled.
        process.__dict__ = {"run": PythonRun(process, job), **process.__dict__}
        return process

    def job(self, plan: Plan) -> Job:
        """What a child is handed: its own part of the program, and the primitives that it and
        those that it starts may touch."""
        from mpflow.engine.worker import Job

        worker = self.worker
        wanted = family(worker.program.plans, plan.name)
        plans = {name: each for name, each in worker.program.plans.items() if name in wanted}
        uses = {use for each in plans.values() for use in each.uses}
        forked = worker.program.start_method == "fork"
        return Job(
            program=worker.program if forked else worker.program._replace(plans=plans),
            name=plan.name,
            objects={name: worker.objects[name] for name in uses if name in worker.objects},
            folder=worker.job.folder,
            quiet=worker.job.quiet,
            inherited=self.known if forked else {},
        )

    def note(self, seen: float) -> None:
        """Write down which children were started, and which were seen to have ended by then."""
        for name, process in self.known.items():
            popen = getattr(process, "_popen", None)  # None before start() and after close()
            if popen is None or process._parent_pid != os.getpid():
                continue
            if name not in self.own:
                self._started(name)
            code = getattr(popen, "returncode", None)
            if code is not None and popen.pid not in self.reaped:
                self.reaped.add(popen.pid)
                self.worker.record.note(record.REAPED, (name, popen.pid, code, seen))

    def _started(self, name: str) -> None:
        self.own.append(name)
        helper = _forkserver()
        if helper is not None:
            self.worker.record.note(record.HELPER, helper)


class PythonRun:
    """Stands in for the run() of a Process subclass's instance: ours around theirs."""

    def __init__(self, process: Any, job: Job) -> None:
        self.process = process
        self.job = job

    def __call__(self) -> None:
        if sys.excepthook == self._unmade:
            sys.excepthook = self.before
        own_run = type(self.process).run
        self._live(lambda: own_run(self.process))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a process that is not forked: what comes up before run() comes up here."""
        self.__dict__.update(state)
        self.before = sys.excepthook
        sys.excepthook = self._unmade

    def _unmade(self, kind: object, error: BaseException, traceback: TracebackType | None) -> None:
        """Some other piece of the instance cannot be unpickled: its process ends by that."""
        while traceback is not None and traceback.tb_frame.f_code.co_filename == "<string>":
            traceback = traceback.tb_next  # what Python was started with, `-c`

        def fail() -> None:
            raise error.with_traceback(traceback)

        with suppress(SystemExit):
            self._live(fail)

    def _live(self, function: Callable[[], object]) -> None:
        from mpflow.engine.worker import Worker

        Worker(self.job).run_python(function)


def _forkserver() -> int | None:
    """The pid of Python's fork server, if this process has started one."""
    module = sys.modules.get("multiprocessing.forkserver")
    server = getattr(module, "_forkserver", None)
    pid: int | None = getattr(server, "_forkserver_pid", None)
    return pid
