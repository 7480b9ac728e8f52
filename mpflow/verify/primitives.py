"""Events replayed one by one against the rules of what they are done to.

A `blocked` event stands where it was begun: whether it took effect, and when, nobody knows. So
where no event but a later one's sense needs it, it had none; else the states with and without it
are kept side by side.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from mpflow import registry
from mpflow.plan import Plan, Program
from mpflow.subjects import rule, subjects
from mpflow.trace import Event
from mpflow.verify.form import Wrong
from mpflow.verify.values import Shown

_MOST = 2000  # states of one primitive side by side
_TOLD_BY_VERBS = (
    "event",
    "pipe",
    "queue",
)  # whose rules need no more than what no other type knows

Subject = tuple[str, str]  # a type, where it is a process or guessed; a name
State = tuple[Any, frozenset[int]]  # a rule's own, and which blocked events are still to come


class History:
    """What was done to one primitive or process."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.states: dict[State, None] = {(rule.start(), frozenset()): None}
        self.blocked: list[Event] = []

    def take(self, event: Event) -> bool:
        """Whether the event can come now."""
        if event.status == "blocked" and event.action != "end":
            self.blocked.append(event)
            new = frozenset([len(self.blocked) - 1])
            self.states = {(state, left | new): None for state, left in self.states}
            return True
        before = self.states
        while before:
            found = {(s, left): None for state, left in before for s in self._after(state, event)}
            if found or len(before) > _MOST:
                self.states = found or self.states  # too many: it is let pass
                return True
            before = dict.fromkeys(self._unblocked(before))
        return hasattr(self.rule, "relax") and self.rule.relax() and self.take(event)

    def _after(self, state: Any, event: Event) -> Iterator[Any]:
        """The state after an event; where it cannot come, what a trace does not tell came first."""
        found = self.rule.after(state, event)
        if found is None and hasattr(self.rule, "silent"):
            silent = self.rule.silent(state)
            found = None if silent is None else self.rule.after(silent, event)
        if found is not None:
            yield found

    def _unblocked(self, states: Mapping[State, None]) -> Iterator[State]:
        """The states in which one more of the blocked events has had its effect."""
        for state, left in states:
            for number in left:
                for found in self._after(state, self.blocked[number]):
                    yield found, left - {number}


class Replay:
    """All primitives and processes; `untold` are those that Python code was handed: what it does
    with them is in the trace, but there are ways around the stand-ins. Without a program only what
    the verbs alone tell is judged."""

    def __init__(self, program: Program | None) -> None:
        self.program = program
        self.histories: dict[Subject, History | None] = {}
        self.codes: dict[str, Any] = {}
        self.types: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.untold = frozenset[str]()
        if program is not None:
            self.types = {name: (kind, options) for name, kind, options in program.primitives}
            self.subjects = subjects(program.primitives)
            self.untold = frozenset(_in_code(program))

    def take(self, event: Event) -> None:
        """Wrong where a rule does not allow the event."""
        if event.action in ("begin", "end"):
            self._follow(("process", event.process), event)
        else:
            subject = self._subject(event)
            if subject is not None:
                self._follow(subject, event)
        if event.action == "end":
            self.codes[event.process] = event.extra["exitcode"]
        elif event.action == "exitcode" and event.result is not None:
            code = self.codes.get(str(event.on), event.result)
            if code != event.result:
                raise Wrong(f"`{event.on}` ended with exit code {code}")

    def _follow(self, subject: Subject, event: Event) -> None:
        if subject not in self.histories:
            rule = self._rule(subject)
            self.histories[subject] = None if rule is None else History(rule)
        history = self.histories[subject]
        if history is None:
            return
        shortened = event.extra.get("shortened")
        if shortened:
            event = _opaque(event, shortened)
        if not history.take(event):
            raise Wrong(
                f"after all that was done to `{subject[1]}`, this cannot come{_came(event)}"
            )

    def _rule(self, subject: Subject) -> Any:
        kind, name = subject
        if kind == "process":
            declared = self.program is None or name in self.program.plans
            return registry.primitive(kind).rule({"born": name == "main" or not declared})
        if kind:
            primitive = registry.primitive(kind)
            return primitive.rule({each.name: each.default for each in primitive.options})
        assert self.program is not None
        return rule(name, self.program.primitives, self.program.code)

    def _subject(self, event: Event) -> Subject | None:
        """The primitive or process whose state an event changes or tells, if it can be judged."""
        if event.on is None or (event.line is None and event.extra.get("code") is None):
            return None
        name = event.on.partition(".")[0]
        if self.program is None:
            return _guess(event, name)
        if name in self.types:
            known = registry.primitive(self.types[name][0]).operation(event.action)
            return ("", self.subjects[name]) if known else None
        known = registry.primitive("process").operation(event.action)
        return ("process", event.on) if known and event.on in self.program.plans else None


def _opaque(event: Event, shortened: list[str]) -> Event:
    """The event with values that are only shown in place of shortened ones."""
    if "at" in shortened:
        at = _shown(str(event.extra["at"]))
        event = event._replace(extra={**event.extra, "at": at})
    if "value" in shortened:
        event = event._replace(value=_shown(str(event.value)))
    if "result" in shortened:
        event = event._replace(result=_shown(str(event.result)))
    return event


def _shown(text: str) -> object:
    """What is shown by its repr; bytes are known by it, if they are all there."""
    if text.startswith(("b'", 'b"')):
        with suppress(ValueError, SyntaxError):
            found: bytes = literal_eval(text)
            return found
    return Shown(text)


def _came(event: Event) -> str:
    if event.status == "error" and event.error is not None:
        return f": {event.error[0]}"
    return "" if event.result is None else f": {event.result!r:.80}"


def _in_code(program: Program) -> Iterator[str]:
    """The primitives that are handed to Python code: what that does with them is not all seen."""
    names = {name.partition("[")[0] for name, _, _ in program.primitives}
    for plan in program.plans.values():
        text = " ".join(_sources(plan))
        for name in names:
            if re.search(rf"\bv_{name}\b", text):
                yield from (n for n, _, _ in program.primitives if n.partition("[")[0] == name)


def _sources(plan: Plan) -> Iterator[str]:
    yield from (plan.args, plan.kwargs)
    yield from (source for _, source in plan.vars)
    for step in plan.steps:
        yield from step.arguments.values()


def _guess(event: Event, name: str) -> Subject | None:
    """Without its scenario: what only one type of primitive can do, or can be done to a process."""
    if registry.primitive("process").operation(event.action) is not None:
        return ("process", str(event.on)) if event.action != "close" else None
    kinds = _kinds(event.action)
    if event.action in ("get", "put"):
        kinds = ["queue"]  # whichever of them it is: this much is true of all
    if len(kinds) != 1 or kinds[0] not in _TOLD_BY_VERBS:
        return None
    options = {each.name: each.default for each in registry.primitive(kinds[0]).options}
    part = str(event.on)[len(name) :]
    return (kinds[0], name) if part in registry.primitive(kinds[0]).parts(options) else None


def _kinds(verb: str) -> list[str]:
    return [kind for kind, each in registry.declared().items() if each.operation(verb)]
