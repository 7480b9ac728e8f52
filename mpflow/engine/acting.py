"""Actions of one process that are worked out when they are there: arguments in, result out.

The source that source.py writes calls `do`, `enter` and `leave` between a `begin` of the record
and, should an exception come, `failed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from mpflow import registry
from mpflow.engine.alone import stirring
from mpflow.engine.children import Children
from mpflow.engine.record import IDLE, Writer
from mpflow.exceptions import told
from mpflow.kinds import Argument, Operation
from mpflow.naming import meant, names_of
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


class Way(NamedTuple):
    """What stays the same each time a step does something to targets of one type: the arguments
    that the real object gets, how it is recorded, which arguments only other types take."""

    operation: Operation
    arguments: tuple[Argument, ...]
    shows: str
    keyed: bool
    other: tuple[str, ...]


class Acting:
    """What the source of a process calls to act."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.record: Writer = worker.record
        self.steps = worker.plan.steps
        self.sites: dict[tuple[object, ...], int] = {}
        self.ways: dict[tuple[int, str, str], Way] = {}  # by step, verb and type of target

    def do(self, number: int, arguments: Mapping[str, Any]) -> Any:
        """Take a step's action; its result or its exception."""
        step = self.steps[number]
        if not step.operates:
            return self._own(step, arguments)
        targets = self._targets(step, step.verb, arguments)
        if not targets:
            self.record.change(0)  # nothing is done to nobody
        results = [
            self._operate(step, step.verb, target, arguments, first=target is targets[0])
            for target in targets
        ]
        if step.verb == "join":
            return all(results)
        return results[0] if len(results) == 1 else results

    def enter(self, number: int, arguments: Mapping[str, Any]) -> Any:
        """Begin a `with` or a `section`: what `leave` is to undo."""
        step = self.steps[number]
        if step.verb == "section":
            return self._section(step, str(arguments["name"]), "enter")
        (target,) = self._targets(step, "acquire", arguments)
        self._operate(step, "acquire", target, {"block": True, "timeout": None}, first=True)
        return target

    def leave(self, number: int, entered: Any) -> None:
        """End a `with` or a `section`, on whatever way out."""
        step = self.steps[number]
        if step.verb == "section":
            self._section(step, entered, "leave")
        else:
            self._operate(step, "release", entered, {}, first=True)

    def failed(self, at: int | None, error: BaseException) -> int:
        """An exception has come: the action in progress has failed. `at` is the record's next
        place, where the source keeps it. Returns the next place."""
        record = self.record
        if at is not None:
            record.at = at
        if not record.sites[record.at]:
            self._silent(error)
        elif record.stamps[record.at]:
            record.at += 1  # a signal's handler raised it when the action was over
        else:
            record.fail(told(error))
        return record.at

    def _silent(self, error: BaseException) -> None:
        """What leaves no record when it goes well (let) leaves one when it does not; so does what
        has not begun, for want of the value that it was to hand over."""
        step, source = self.worker.step_of(error), self.worker.source
        if step is not None and source is not None:
            site = source.shown.get(step.number) or self._site(step, step.verb, None, False)
            self.record.begin(self.record.at, site)
            self.record.fail(told(error))

    def _section(self, step: Step, name: str, phase: str) -> str:
        self.record.change(self._site(step, "section", name, False, phase=phase))
        self.record.finish()
        return name

    def _own(self, step: Step, arguments: Mapping[str, Any]) -> Any:
        action = registry.action(step.verb)
        on = str(arguments[action.names]) if action.names else None
        given = [arguments[a.name] for a in action.arguments if a.name != "into"]
        assert action.real is not None
        shows = action.records
        if any(a.form == "function" for a in action.arguments):
            return self._call(step, on, action.real, given)
        waits = bool(action.types) and not (self.worker.plan.code and stirring())
        limited = waits and arguments["timeout"] is not None
        site = self._site(step, step.verb, on, waits and not limited, shows=shows, timed=limited)
        self.record.change(site)
        value = arguments[action.shows] if action.shows else None
        self.record.change(site, self.record.given(shows, False, None, value))
        result = action.real(self.worker, *given)
        self.record.finish(self.record.gave(shows, False, None, value, result))
        return result

    def _call(
        self, step: Step, on: str | None, real: Callable[..., Any], given: Sequence[Any]
    ) -> Any:
        """What Python code does may be recorded, too: so a call has a record when it begins and
        another when it is over."""
        over = self._site(step, step.verb, on, False, shows="result")
        self.record.change(self._site(step, step.verb, on, False, phase="begun"))
        self.record.finish()
        try:
            result = real(self.worker, *given)
        finally:
            self.record.begin(self.record.at, over)
        self.record.finish(self.record.word(result))
        return result

    def _operate(
        self, step: Step, verb: str, target: Target, arguments: Mapping[str, Any], first: bool
    ) -> Any:
        way = self._way(step, verb, target, arguments)
        operation, shows, keyed = way.operation, way.shows, way.keyed
        if way.other:
            _refuse(step, target, {name: arguments[name] for name in way.other})
        value = arguments[operation.shows] if operation.shows else None
        limited = arguments.get("timeout") is not None
        waits = not limited and not (self.worker.plan.code and stirring()) and not operation.outside
        timed = limited and bool(arguments.get("block", True)) and verb != "poll"
        site = self._site(step, verb, target.name, waits, shows=shows, timed=timed, keyed=keyed)
        if not first:
            self.record.begin(self.record.at, site)
        if operation.outgoing:  # its effect may be seen before it is over: when did it begin?
            self.record.change(IDLE)
            self.record.finish()
            self.record.begin(self.record.at, site)
        at = arguments.get("at")
        self.record.change(site, self.record.given(shows, keyed, at, value))
        given = [self._given(each, arguments) for each in way.arguments]
        pause = self.worker.pause if self.worker.program.delays else None
        if pause:
            pause()
        result = operation.real(target.get(verb), *given)
        if pause:
            pause()
        seen = perf_counter()  # a child that has ended did so before this action was over
        self.record.finish(self.record.gave(shows, keyed, at, value, result))
        if target.type == "process":
            self.worker.children.note(seen)
        return result

    def _way(self, step: Step, verb: str, target: Target, arguments: Mapping[str, Any]) -> Way:
        key = step.number, verb, target.type
        if key not in self.ways:
            operation = target.operation(verb)
            self.ways[key] = Way(
                operation,
                tuple(each for each in operation.arguments if each.name != "into"),
                operation.records,
                operation.keyed,
                tuple(arguments.keys() - operation.names),
            )
        return self.ways[key]

    def _given(self, argument: Argument, arguments: Mapping[str, Any]) -> Any:
        found = arguments[argument.name]
        return self.worker.python(found) if argument.form == "function" else found

    def _site(
        self,
        step: Step,
        verb: str,
        on: str | None,
        waits: bool,
        *,
        shows: str = "",
        timed: bool = False,
        phase: str = "",
        keyed: bool = False,
    ) -> int:
        """The site of an action as it turns out to be."""
        key = step.number, verb, on, waits, shows, timed, phase
        if key not in self.sites:
            self.sites[key] = self.record.new_site(
                waits,
                action=verb,
                on=on,
                line=step.line,
                shows=shows,
                timed=timed,
                phase=phase,
                keyed=keyed,
            )
        return self.sites[key]

    # What an action is on

    def _targets(self, step: Step, verb: str, arguments: Mapping[str, Any]) -> list[Target]:
        names = names_of(step, arguments)
        return [target for name in names for target in self.named(step.verb, verb, name)]

    def named(self, said: str, verb: str, name: str) -> Iterator[Target]:
        """What a name means for a verb on primitives or processes; "": for any."""
        children, objects = self.worker.children, self.worker.objects
        kind = self.worker.types[name.partition(".")[0]] if name in objects else None
        makers = children if kind is None else None
        for each, type_name in meant(said, verb, name, kind, lambda: children.named(name, verb)):
            yield Target(each, type_name, objects.get(each), makers)


def _refuse(step: Step, target: Target, other: Mapping[str, Any]) -> None:
    """TypeError for arguments that only other types take, unless they are at their defaults."""
    for name, value in other.items():
        if step.verb != "with" and value is not None and value is not True:
            raise TypeError(f"{step.verb} of a {target.type} takes no {name!r}")
