"""One process of the scenario at work: a Job goes in, the plan is run, a record is left.

Runs in main and in every child, under fork, spawn and forkserver alike; imports neither PyYAML
nor jsonschema nor rich. It leaves no descriptor, thread or handler of its own to a child.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import util
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.acting import Acting
from mpflow.engine.children import Children
from mpflow.engine.output import TracedOutput, write_line
from mpflow.engine.scope import arguments, outer
from mpflow.engine.source import body
from mpflow.evaluation import NAMESPACE, Scope
from mpflow.exceptions import caught
from mpflow.plan import Plan, Program

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


def run_job(job: Job) -> None:
    """Run a plan in this process, to its end: SystemExit when it does not end normally."""
    Worker(job).run()


class Worker:
    """A process's variables, primitives, children and record."""

    def __init__(self, job: Job) -> None:
        global _current
        if _current is not None:
            _current.record.close()  # the parent's, inherited by fork
        _current = self  # keeps the primitives alive until the interpreter ends
        self.job: Job = job
        self.program = job.program
        self.plan: Plan = job.program.plans[job.name]
        self.steps = self.plan.steps
        self.objects = dict(job.objects)
        self.record: record.Writer = record.Writer(job.folder)
        self.output: TracedOutput | None = None
        self.lines: tuple[int, ...] = ()
        self.children = Children(self)
        self.acting = Acting(self)
        self.v = Scope({}, {})
        self._random: Any = None

    # What actions may use

    @property
    def random(self) -> Any:
        """This process's own source of chance: the same for the same seed."""
        if self._random is None:
            from random import Random

            self._random = Random(f"{self.program.seed} {self.plan.name}")
        return self._random

    def print(self, text: str) -> None:
        """One line on standard output."""
        write_line(text)

    def python(self, name: str) -> Callable[..., Any]:
        """The function or class that `package.module:function` names."""
        from importlib import import_module

        module, _, attribute = name.partition(":")
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        if not callable(found):
            raise TypeError(f"{name} cannot be called: it is {type(found).__name__}")
        return found  # type: ignore[no-any-return]

    def leave_at_once(self, code: int) -> None:
        """os._exit, with a last word in the record."""
        self.record.write(record.DONE, self.record.stamp(), "ok", ("=", None), None)
        os._exit(code)

    # A life

    def run(self) -> None:
        """From begin to the exit hooks; how it ends is Python's own way of ending it."""
        self.record.write(record.BEGIN, self.plan.name, os.getpid(), self.record.stamp())
        util.Finalize(None, self._ended, exitpriority=_LAST_OF_ALL)
        code, error = 0, None
        try:
            self._live()
        except SystemExit as leaving:
            code = exit_code(leaving.code)
            raise
        except BaseException as fault:
            code, error = 1, (type(fault).__name__, str(fault))
            self._notice(fault)
            raise SystemExit(1) from None
        finally:
            self._leave(code, error)

    def _live(self) -> None:
        if self.program.code:
            self._trace_output()
        if self.plan.name == "main":
            self._make_primitives()
        if self.plan.target is not None:
            self.record.write(record.CODE, self.record.stamp())
            function = self.python(self.plan.target)
            args, kwargs = arguments(self.plan, self.program, self.objects)
            function(*args, **kwargs)
        else:
            self._body()()

    def run_python(self, function: Callable[[], object]) -> None:
        """The life of a Process subclass: its own run(), between our begin and end."""
        self._live = lambda: self._python_run(function)  # type: ignore[method-assign]
        self.run()

    def _python_run(self, function: Callable[[], object]) -> None:
        self._trace_output()
        self.record.write(record.CODE, self.record.stamp())
        function()

    def _trace_output(self) -> None:
        """What Python code prints stands in the trace, too."""
        self.output = TracedOutput(self._printed)
        sys.stdout = self.output

    def _make_primitives(self) -> None:
        from mpflow.engine.keep import keep_names

        for name, type_name, options in self.program.primitives:
            made = registry.primitive(type_name).make(options)
            self.objects.update({f"{name}{part}": each for part, each in made.items()})
        keep_names()

    def _body(self) -> Callable[[], None]:
        processes = self.children.views() if self.plan.name == "main" else {}
        self.v.outer = outer(self.plan, self.program, self.objects, processes)
        source = body(self.steps, self.plan.vars)
        space: dict[str, Any] = {**NAMESPACE, **self._words()}
        exec(compile(source.text, _file_name(self.plan.name), "exec"), space)
        self.lines = source.lines
        run: Callable[[], None] = space["body"]
        return run

    def _words(self) -> dict[str, Any]:
        """What the generated source may call, besides the functions of expressions."""
        return {
            "v": self.v,
            "do": self.acting.do,
            "enter": self.acting.enter,
            "leave": self.acting.leave,
            "bind": _bind,
            "times": _times,
            "scaled": self._scaled,
            "caught": caught,
        }

    def _scaled(self, seconds: Any) -> Any:
        if self.program.time_scale == 1 or isinstance(seconds, bool):
            return seconds
        return seconds * self.program.time_scale if isinstance(seconds, int | float) else seconds

    # An end

    def _leave(self, code: int, error: tuple[str, str] | None) -> None:
        waits = not self.plan.code  # what user code does in its exit hooks, nobody knows
        if self.output is not None:
            self.output.finish()
        self.record.write(
            record.LEAVE, self.record.stamp(), code, error, self.acting.changed(), waits
        )

    def _ended(self) -> None:
        self.children.note()
        self.record.write(record.END, self.record.stamp())

    def _printed(self, line: str, place: str) -> None:
        self.record.write(record.PRINTED, self.record.stamp(), line, place)

    def _notice(self, error: BaseException) -> None:
        """What ended the process, on standard error: as Python would, but for people."""
        if self.job.quiet:
            return
        from mpflow.engine.notice import notice

        told = notice(self.plan.name, error, _file_name(self.plan.name), self.lines)
        sys.stderr.write(told)
        sys.stderr.flush()


def _file_name(process: str) -> str:
    return f"<mpflow {process}>"


def _bind(v: Scope, name: str, value: object) -> object:
    v[name] = value
    return value


def _times(times: Any) -> Iterator[int]:
    if times is None:
        from itertools import count

        return count()
    return iter(range(times))


def exit_code(code: object) -> int:
    """As Python makes an exit code of what sys.exit was given (process.py, popen_fork.py)."""
    if code is None:
        return 0
    return int(code) & 0xFF if isinstance(code, int) else 1
