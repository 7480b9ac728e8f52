"""Actions of one process, each with a record of it: a step goes in, its result comes out.

The source that source.py writes calls `do`, `enter` and `leave`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.children import Children
from mpflow.kinds import Operation
from mpflow.plan import Step

if TYPE_CHECKING:
    from mpflow.engine.worker import Worker


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


class Acting:
    """What the source of a process calls to act."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.record: record.Writer = worker.record

    def do(self, index: int, evaluate: Callable[[], Mapping[str, Any]]) -> Any:
        """Take one step's action, with a record of it; its result or its exception."""
        step = self.worker.steps[index]
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
        step = self.worker.steps[index]
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
        step = self.worker.steps[index]
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
            result = action.real(self.worker, *given)
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
            self.worker.children.note()
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
        if waits and self.worker.plan.code:
            waits = not _stirring()
        self.record.write(
            record.ACT,
            step.number,
            began,
            action,
            on,
            kept,
            step.line,
            waits,
            self.changed(),
            phase,
        )

    def _done(self, status: str, result: Any) -> None:
        self.record.write(record.DONE, self.record.stamp(), status, record.portable(result), None)

    def _failed(self, error: BaseException) -> None:
        told = (type(error).__name__, _text(error))
        self.record.write(record.DONE, self.record.stamp(), "error", ("=", None), told)

    def changed(self) -> dict[str, Any]:
        changed = self.worker.v.changed
        if not changed:
            return {}
        values = {name: record.portable(self.worker.v[name]) for name in changed}
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
        if name in self.worker.objects:
            type_name = self._type(name)
            if registry.primitive(type_name).operation(_first(step.verb)) is None:
                raise TypeError(f"{step.verb} does not go with {name}: it is a {type_name}")
            yield Target(name, type_name, self.worker.objects[name])
            return
        children = self.worker.children.named(name, step.verb)
        operates = registry.primitive("process").operation(step.verb) is not None
        if children is None or not operates:
            raise NameError(f"{step.verb}: nothing that this process was handed is called {name!r}")
        for child in children:
            yield Target(child, "process", None, self.worker.children)

    def _type(self, name: str) -> str:
        declared = name.partition(".")[0]
        return next(t for n, t, _ in self.worker.program.primitives if n == declared)


def _stirring() -> bool:
    """Whether Python code has left something that may end a wait: a timer, or a thread."""
    import signal
    import threading

    if signal.getitimer(signal.ITIMER_REAL)[0] > 0:
        return True
    usual = {threading.main_thread().name, "QueueFeederThread"}
    return any(thread.name not in usual for thread in threading.enumerate())


def _first(verb: str) -> str:
    return "acquire" if verb == "with" else verb


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""
