"""One process of the scenario at work: a Job goes in, the plan is run, a record is left.

Runs in main and in every child, under fork, spawn and forkserver alike; imports neither PyYAML
nor jsonschema nor rich. It leaves no descriptor, thread or handler of its own to a child.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import util
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.children import Children, PythonRun
from mpflow.engine.keep import keep_names
from mpflow.engine.output import TracedOutput, write_line
from mpflow.engine.source import body
from mpflow.evaluation import NAMESPACE, Attributes, Scope
from mpflow.exceptions import caught
from mpflow.kinds import Operation
from mpflow.plan import Plan, Program, Step

_LAST_OF_ALL = -1000  # below every priority that multiprocessing gives its own exit hooks


class Job(NamedTuple):
    """What a process is handed: the program, its own name, the primitives that it may touch."""

    program: Program
    name: str
    objects: Mapping[str, Any]
    folder: str
    quiet: bool
    inherited: Mapping[str, Any] = {}


class Self(Attributes):
    """`self` in an expression: this process as the system has it."""

    def get(self, name: str) -> object:
        if name == "name":
            return multiprocessing.current_process().name
        if name == "pid":
            return os.getpid()
        raise AttributeError(f"self has no {name!r}; it has name and pid")


class Error(Attributes):
    """`error` in an expression: the exception being handled just now."""

    def get(self, name: str) -> object:
        error = sys.exc_info()[1]
        if error is None:
            raise NameError("name 'error' is not defined: no exception is being handled")
        if name in ("type", "message"):
            return type(error).__name__ if name == "type" else str(error)
        raise AttributeError(f"error has no {name!r}; it has type and message")


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
        self.held: dict[int, list[Any]] = {}
        self.code = self.plan.code
        self.v = Scope({}, self._outer())
        self._random: Any = None

    # What actions may use

    @property
    def random(self) -> Any:
        """This process's own source of chance: the same for the same seed."""
        if self._random is None:
            from random import Random

            self._random = Random(f"{self.program.seed} {self.plan.name}")
        return self._random

    def print(self, text: object) -> None:
        """One line on standard output."""
        write_line(str(text))

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
            code = _exit_code(leaving.code)
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
            args, kwargs = self.arguments(self.plan)
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
        for name, type_name, options in self.program.primitives:
            made = registry.primitive(type_name).make(options)
            self.objects.update({f"{name}{part}": each for part, each in made.items()})
        keep_names()

    def _body(self) -> Callable[[], None]:
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
            "do": self.do,
            "enter": self.enter,
            "leave": self.leave,
            "bind": _bind,
            "times": _times,
            "scaled": self._scaled,
            "caught": caught,
            "BaseException": BaseException,
        }

    def _outer(self) -> dict[str, object]:
        plan = self.plan
        outer: dict[str, object] = {"self": Self(), "error": Error(), **self.program.params}
        if plan.replica is not None:
            outer["index"] = plan.replica
        if plan.name == "main":
            outer.update(self.children.views())
        outer.update(_handed(self.objects, outer))
        return outer

    def arguments(self, plan: Plan) -> tuple[list[Any], dict[str, Any]]:
        """The args and kwargs of a target or class, worked out for one replica."""
        outer = {**self.program.params, **({} if plan.replica is None else {"index": plan.replica})}
        scope = Scope({}, {**outer, **_handed(self.objects, outer), "self": Self()})
        space = {**NAMESPACE, "v": scope}
        return eval(plan.args, dict(space)), eval(plan.kwargs, dict(space))

    def _scaled(self, seconds: Any) -> Any:
        if self.program.time_scale == 1 or isinstance(seconds, bool):
            return seconds
        return seconds * self.program.time_scale if isinstance(seconds, int | float) else seconds

    # An action

    def do(self, index: int, evaluate: Callable[[], Mapping[str, Any]]) -> Any:
        """Take one step's action, with a record of it; its result or its exception."""
        step = self.steps[index]
        began = self.record.stamp()
        try:
            arguments = evaluate()
            targets = self._targets(step, arguments)
        except BaseException as error:
            self._begin(step, began, step.verb, None, None, False)
            self._failed(error)
            raise
        if not step.operates:
            return self._own(step, began, arguments)
        results = [
            self._operate(
                step, step.verb, began if i == 0 else self.record.stamp(), each, arguments
            )
            for i, each in enumerate(targets)
        ]
        if step.verb == "join":
            return all(results)
        return results[0] if len(results) == 1 else results

    def enter(self, index: int, evaluate: Callable[[], Mapping[str, Any]]) -> Any:
        """Begin a `with` or a `section`: what `leave` is to undo."""
        step = self.steps[index]
        if step.verb == "section":
            return self._section(step, evaluate, "enter")
        began = self.record.stamp()
        try:
            (target,) = self._targets(step, evaluate())
        except BaseException as error:
            self._begin(step, began, "acquire", None, None, False)
            self._failed(error)
            raise
        self._operate(step, "acquire", began, target, {"block": True, "timeout": None})
        return target

    def leave(self, index: int, entered: Any) -> None:
        """End a `with` or a `section`, on whatever way out."""
        step = self.steps[index]
        if step.verb == "section":
            self._section(step, lambda: {"name": entered}, "leave")
        else:
            self._operate(step, "release", self.record.stamp(), entered, {})

    def _section(self, step: Step, evaluate: Callable[[], Mapping[str, Any]], phase: str) -> Any:
        began = self.record.stamp()
        name = str(evaluate()["name"])
        self._begin(step, began, "section", name, None, False, phase)
        self._done("ok", None)
        return name

    def _own(self, step: Step, began: int, arguments: Mapping[str, Any]) -> Any:
        action = registry.action(step.verb)
        on = str(arguments[action.names]) if action.names else None
        value = arguments[action.shows] if action.shows else None
        self._begin(step, began, step.verb, on, value, False)
        given = [arguments[a.name] for a in action.arguments if a.name != "into"]
        assert action.real is not None
        try:
            result = action.real(self, *given)
        except BaseException as error:
            self._failed(error)
            raise
        self._done("ok", result)
        return result

    def _operate(
        self, step: Step, verb: str, began: int, target: Target, arguments: Mapping[str, Any]
    ) -> Any:
        operation = target.operation(verb)
        value = arguments[operation.shows] if operation.shows else None
        given = [arguments[a.name] for a in operation.arguments if a.name != "into"]
        timeout = arguments.get("timeout")
        self._begin(step, began, verb, target.name, value, timeout is None)
        try:
            result = operation.real(target.get(verb), *given)
        except BaseException as error:
            self._failed(error)
            raise
        struck = timeout is not None and result is False and verb != "poll"
        self._done("timeout" if struck and arguments.get("block", True) else "ok", result)
        if target.type == "process":
            self.children.note()
        return result

    def _begin(
        self,
        step: Step,
        began: int,
        action: str,
        on: str | None,
        value: Any,
        waits: bool,
        phase: str | None = None,
    ) -> None:
        kept = None if value is None else record.portable(value)
        self.record.write(
            record.ACT,
            step.number,
            began,
            action,
            on,
            kept,
            step.line,
            waits,
            self._changed(),
            phase,
        )

    def _done(self, status: str, result: Any) -> None:
        self.record.write(record.DONE, self.record.stamp(), status, record.portable(result), None)

    def _failed(self, error: BaseException) -> None:
        told = (type(error).__name__, _text(error))
        self.record.write(record.DONE, self.record.stamp(), "error", ("=", None), told)

    def _changed(self) -> dict[str, Any]:
        changed = self.v.changed
        if not changed:
            return {}
        values = {name: record.portable(self.v[name]) for name in changed}
        changed.clear()
        return values

    # What an action is on

    def _targets(self, step: Step, arguments: Mapping[str, Any]) -> list[Target]:
        if not step.operates:
            return []
        named = arguments[step.operates]
        if not isinstance(named, str | list | tuple):
            raise TypeError(f"{step.verb}: {named!r:.60} is not a name")
        listed = [named] if isinstance(named, str) else named
        return [target for name in listed for target in self._named(step, str(name))]

    def _named(self, step: Step, name: str) -> Iterator[Target]:
        if name in self.objects:
            type_name = self._type(name)
            if registry.primitive(type_name).operation(_first(step.verb)) is None:
                raise TypeError(f"{step.verb} does not go with {name}: it is a {type_name}")
            yield Target(name, type_name, self.objects[name])
            return
        children = self.children.named(name, step.verb)
        process = registry.primitive("process")
        if not children or process.operation(step.verb) is None:
            raise NameError(f"{step.verb}: nothing that this process was handed is called {name!r}")
        for child in children:
            yield Target(child, "process", None, self.children)

    def _type(self, name: str) -> str:
        declared = name.partition(".")[0]
        return next(t for n, t, _ in self.program.primitives if n == declared)

    # An end

    def _leave(self, code: int, error: tuple[str, str] | None) -> None:
        waits = not self.code
        if self.output is not None:
            self.output.finish()
        self.record.write(record.LEAVE, self.record.stamp(), code, error, self._changed(), waits)

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


class Target(NamedTuple):
    """What an operation is done to: a real primitive, or a process by its name."""

    name: str
    type: str
    object: Any
    children: Children | None = None

    def operation(self, verb: str) -> Operation:
        found = registry.primitive(self.type).operation(verb)
        assert found is not None
        return found

    def get(self, verb: str) -> Any:
        """The real object; a process object is made when it is first needed."""
        if self.children is None:
            return self.object
        return self.children.start(self.name) if verb == "start" else self.children.get(self.name)


def _first(verb: str) -> str:
    return "acquire" if verb == "with" else verb


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


def _exit_code(code: object) -> int:
    """As Python makes an exit code of what sys.exit was given (process.py, popen_fork.py)."""
    if code is None:
        return 0
    return int(code) & 0xFF if isinstance(code, int) else 1


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


class Ends(Attributes):
    """A pipe in `args`: its ends, to be handed over one by one."""

    def __init__(self, name: str, objects: Mapping[str, Any]) -> None:
        self.name = name
        self.objects = objects

    def get(self, name: str) -> object:
        try:
            return self.objects[f"{self.name}.{name}"]
        except KeyError:
            raise AttributeError(f"{self.name} has no end {name!r}") from None


def _handed(objects: Mapping[str, Any], hidden: Mapping[str, Any]) -> dict[str, Any]:
    """The primitives by their declared names, for `$jobs`, `$(link.conn1)` and `$(forks[1])`."""
    found: dict[str, Any] = {}
    for name, each in objects.items():
        whole, _, part = name.partition(".")
        base, _, index = whole.partition("[")
        if base in hidden:
            continue
        entry = Ends(whole, objects) if part else each
        if index:
            found.setdefault(base, {})[int(index.rstrip("]"))] = entry
        else:
            found[base] = entry
    return found


__all__ = ["Job", "PythonRun", "Worker", "run_job"]
