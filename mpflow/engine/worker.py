"""One process of the scenario at work: a Job goes in, the plan is run, a record is left.

Runs in main and in every child, under fork, spawn and forkserver alike; imports neither PyYAML
nor jsonschema nor rich. It leaves no descriptor, thread or handler of its own to a child.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from multiprocessing import active_children, util
from time import perf_counter, sleep
from types import FrameType
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.acting import Acting
from mpflow.engine.children import Children
from mpflow.engine.lanes import cannot_go_on, lanes
from mpflow.engine.output import TracedOutput, write_line
from mpflow.engine.portable import Form, portable
from mpflow.engine.scope import arguments, outer
from mpflow.engine.source import Source, body
from mpflow.evaluation import NAMESPACE, PREFIX
from mpflow.exceptions import caught, exit_code, told
from mpflow.naming import variables
from mpflow.plan import Plan, Program, Step

HOLDS = 40  # times that delays hold a process up for long
_LAST_OF_ALL = -1000  # below every priority that multiprocessing gives its own exit hooks


class Job(NamedTuple):
    """What a process is handed: the program, its own name, the primitives that it may touch."""

    program: Program
    name: str
    objects: Mapping[str, Any]
    folder: str
    quiet: bool
    inherited: Mapping[str, Any] = {}


_current: Worker | None = None
_inherited: list[Worker] = []  # by fork: the parent's, and its parent's


def run_job(job: Job) -> None:
    """Run a plan in this process, to its end: SystemExit when it does not end normally."""
    Worker(job).run()


class Worker:
    """A process's variables, primitives, children and record."""

    def __init__(self, job: Job) -> None:
        global _current
        if _current is not None:
            _current.record.abandon()
            _inherited.append(_current)
        _current = self  # keeps the primitives alive until the interpreter ends
        self.job: Job = job
        self.program = job.program
        self.plan: Plan = job.program.plans[job.name]
        self.types = {name: type_name for name, type_name, _ in job.program.primitives}
        self.objects = dict(job.objects)
        self.slots, self.dynamic = variables(self.plan)
        self.record: record.Writer = record.Writer(
            job.folder, len(self.slots), cannot_go_on=partial(cannot_go_on, job.folder)
        )
        self.lanes = lanes(job.folder) if job.program.code else None
        if self.lanes is not None:
            self.lanes.adopt(self.record)
        self._handed: Mapping[str, Any] | None = None
        self.output: TracedOutput | None = None
        self.source: Source | None = None
        self.space: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}  # at the end
        self.children = Children(self)
        self.acting = Acting(self)
        self._random: Any = None
        self._chance: Callable[[], float] | None = None
        self._slowness, self._holds = 0.0, HOLDS

    # What actions may use

    @property
    def random(self) -> Any:
        """This process's own source of chance: the same for the same seed."""
        if self._random is None:
            from random import Random

            self._random = Random(f"{self.program.seed} {self.plan.name}")
        return self._random

    def pause(self) -> None:
        """Be held up now and then: by others, for up to a tenth of a millisecond, or, in some runs
        often, for longer than another process takes to be there; a long run not for ever."""
        draw = self.chance()
        if draw < 0.2:
            os.sched_yield()
        elif draw < 0.3:
            sleep((draw - 0.2) / 1000)
        elif draw < 0.3 + self._slowness and self._holds:
            self._holds -= 1
            sleep(self.chance() / 100)

    @property
    def chance(self) -> Callable[[], float]:
        """Draws between 0 and 1, another source than that of `choose`."""
        if self._chance is None:
            from random import Random

            self._chance = Random(f"{self.program.seed} {self.plan.name} delays").random
            self._slowness = self._chance() ** 3 / 2
        return self._chance

    def handed(self) -> Mapping[str, Any]:
        """The primitives as Python code gets them: what it does with them is recorded."""
        if self._handed is None:
            from mpflow.engine.standin import standins

            self._handed = standins(self.objects, self.types, self.job.folder)
        return self._handed

    def print(self, text: str) -> None:
        """One line on standard output."""
        write_line(text)

    def python(self, name: str) -> Callable[..., Any]:
        """The function or class that `package.module:function` or `./file.py:function` names."""
        from mpflow.engine.code import find

        found = find(name, self.program.folder, self.job.folder)
        if not callable(found):
            raise TypeError(f"{name} cannot be called: it is {type(found).__name__}")
        return found  # type: ignore[no-any-return]

    def leave_at_once(self, code: int) -> None:
        """os._exit, with a last word in the record; for a code that it does not take, its error."""
        if isinstance(code, int) and -(1 << 31) <= code < 1 << 31:
            self.record.finish()
        os._exit(code)

    def crash(self) -> None:
        """SIGKILL to itself, with a last word in the record."""
        from signal import SIGKILL

        self.record.finish()
        os.kill(os.getpid(), SIGKILL)

    def waitable(self, names: list[str]) -> list[tuple[str, Any]]:
        """What multiprocessing.connection.wait takes, for each of these ends and processes."""
        found: list[tuple[str, Any]] = []
        for name in [names] if isinstance(names, str) else names:
            for target in self.acting.named("wait_any", "", str(name)):
                real = target.get("")
                found.append((target.name, real if target.children is None else real.sentinel))
        return found

    # A life

    def run(self) -> None:
        """From begin to the exit hooks; how it ends is Python's own way of ending it."""
        self._run(self._live)

    def run_python(self, function: Callable[[], object]) -> None:
        """The life of a Process subclass: its own run(), between our begin and end."""
        self._run(lambda: self._code(function))

    def _run(self, live: Callable[[], object]) -> None:
        self.record.note(record.BEGIN, (self.plan.name, os.getpid(), self.slots))
        util.Finalize(None, self._ended, exitpriority=_LAST_OF_ALL)
        code, error = 0, None
        try:
            if self.program.code:
                self.output = TracedOutput(self._printed)
                sys.stdout = self.output
            live()
        except SystemExit as leaving:
            code = exit_code(leaving.code)
            if isinstance(leaving.code, int) and not -(1 << 31) <= leaving.code < 1 << 31:
                # Under fork os._exit would refuse it, and the child go on in its parent's code.
                raise SystemExit(code) from None
            raise
        except BaseException as fault:
            code, error = 1, told(fault)
            self._notice(fault)
            raise SystemExit(1) from None
        finally:
            self._leave(code, error)

    def _live(self) -> None:
        if self.plan.name == "main":
            self._make_primitives()
        if self.plan.target is not None:
            self._code(self._target)
        else:
            self._act()

    def _code(self, function: Callable[[], object]) -> None:
        self.record.note(record.CODE)
        function()

    def _target(self) -> None:
        function = self.python(self.plan.target or "")
        args, kwargs = arguments(self.plan, self.program, self.handed())
        function(*args, **kwargs)

    def _make_primitives(self) -> None:
        from mpflow.engine.keep import keep_names

        for name, type_name, options in self.program.primitives:
            made = registry.primitive(type_name).make(options, self.objects)
            self.objects.update({f"{name}{part}": each for part, each in made.items()})
        for child in active_children():  # of a manager: Python's own
            if child.name.startswith("SyncManager"):
                self.record.note(record.HELPER, child.pid)
        keep_names()
        if self.program.code and self.program.start_method == "fork":
            self.handed()  # its classes need not be made again by each child

    def _act(self) -> None:
        """Run the steps as the Python source that is made of them."""
        processes = self.children.views() if self.plan.name == "main" else {}
        objects = self.handed() if self.plan.code else self.objects
        names = outer(self.plan, self.program, objects, processes)
        self.source = source = body(self.plan, self.program)
        self.space = {**NAMESPACE, **{f"{PREFIX}{n}": each for n, each in names.items()}}
        self.space.update({f"outer_{n}": names.get(n) for n in source.hidden})
        self.space.update(self._words(source))
        if source.sites:
            self.record.define(source.sites)
        self.record.next_site += record.STEP * len(source.sites)
        exec(compile(source.text, _file_name(self.plan.name), "exec"), self.space)
        run: Callable[[], None] = self.space["body"]
        try:
            run()
        except BaseException as error:
            frame = _frame_of(error, _file_name(self.plan.name))
            if frame is not None:
                left: dict[str, Any] = frame.f_locals
                self.leaving(left.get("at", self.record.at), left)
            raise

    def _words(self, source: Source) -> dict[str, Any]:
        """What the source may call and name, besides the functions of expressions."""
        objects = self.objects
        return {
            **{n: getattr(objects[on], method) for n, (on, method) in source.methods.items()},
            **{
                name: getattr(self.record, name)
                for name in ("views", "more", "begin", "word", "kept")
            },
            **{name: getattr(self.acting, name) for name in ("do", "enter", "leave", "failed")},
            "slots": self.record.slots,
            "now": perf_counter,
            "LEAST": record.LEAST,
            "MOST": record.MOST,
            "BaseException": BaseException,
            "type": type,
            "integer": int,
            "locals": locals,
            "leaving": self.leaving,
            "assign": self.assign,
            "pause": self.pause,
            "times": _times,
            "scaled": self._scaled,
            "caught": caught,
        }

    def _scaled(self, seconds: Any) -> Any:
        if self.program.time_scale == 1 or isinstance(seconds, bool):
            return seconds
        return seconds * self.program.time_scale if isinstance(seconds, int | float) else seconds

    def assign(self, name: str, value: object) -> None:
        """Set a variable whose name the run has decided."""
        self.space[f"{PREFIX}{name}"] = value
        if name not in self.slots:
            self.slots = (*self.slots, name)  # found again at the end
        self.record.note(record.VARIABLE, (name, self.record.forms.of(value)))

    def step_of(self, error: BaseException) -> Step | None:
        """The step in whose source an exception came up."""
        if self.source is None:
            return None
        line = _line_of(error, _file_name(self.plan.name))
        number = self.source.steps[line - 1] if line else -1
        return self.plan.steps[number] if number >= 0 else None

    # An end

    def leaving(self, at: int, names: Mapping[str, Any]) -> None:
        """The source has come to its end, or to that of the process: its variables are kept."""
        self.record.at = at
        found = self.space if self.dynamic else names
        keys = ((name, f"{PREFIX}{name}") for name in self.slots)
        self.variables = {name: found[key] for name, key in keys if key in found}

    def _leave(self, code: int, error: tuple[str, str] | None) -> None:
        waits = not self.plan.code  # what user code does in its exit hooks, nobody knows
        if self.output is not None:
            self.output.finish()
        forms: dict[int, Form] = {}  # a repr may take its time: of each object it is one
        for value in self.variables.values():
            if id(value) not in forms:
                forms[id(value)] = portable(value)
        kept = {name: forms[id(value)] for name, value in self.variables.items()}
        self.record.note(record.LEAVE_WAITING if waits else record.LEAVE, (code, error, kept))

    def _ended(self) -> None:
        self.children.note(perf_counter())
        self.record.note(record.END)

    def _printed(self, line: str, place: str) -> None:
        """Code prints from any thread, and from processes that it has forked."""
        free = self.record if self.lanes is None else self.lanes.free()
        free.note(record.PRINTED, (line, place))

    def _notice(self, error: BaseException) -> None:
        """What ended the process, on standard error: as Python would, but for people."""
        if self.job.quiet:
            return
        from mpflow.engine.notice import notice

        lines = self.source.lines if self.source is not None else ()
        own = _file_name(self.plan.name)
        sys.stderr.write(notice(self.plan.name, error, own, lines, self.job.folder))
        sys.stderr.flush()


def _frame_of(error: BaseException, file_name: str) -> FrameType | None:
    """The frame of the source, on the way that an exception took."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file_name:
            return traceback.tb_frame
        traceback = traceback.tb_next
    return None


def _line_of(error: BaseException, file_name: str) -> int:
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file_name:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _file_name(process: str) -> str:
    return f"<mpflow {process}>"


def _times(times: Any) -> Iterator[int]:
    if times is None:
        from itertools import count

        return count()
    return iter(range(times))
