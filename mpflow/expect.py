"""Trace -> outcome and Verdict: what a run amounts to, and whether it is what was expected.

Section 6 of the language, as far as one run can decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpflow import expressions
from mpflow.evaluation import Attributes
from mpflow.scenario import Condition, Declaration, Expectation, Scenario
from mpflow.trace import Event, Trace, Verdict, plain, shown


class Observed(Attributes):
    """A process in `outcome` and `expect`: its variables, its exit code, its error."""

    def __init__(self, name: str, trace: Trace, system_name: str) -> None:
        self.name = name
        self.trace = trace
        self.system_name = system_name

    def get(self, name: str) -> object:
        if name == "exitcode":
            return self.trace.exitcodes.get(self.name)
        if name == "error":
            return self.trace.errors.get(self.name)
        variables = self.trace.variables.get(self.name, {})
        if name in variables:
            return variables[name]
        if name == "name":
            return self.system_name
        if name == "pid":
            begun = (e for e in self.trace.events if e.process == self.name)
            return next((e.extra.get("pid") for e in begun if e.action == "begin"), None)
        return None  # never set


def judge(scenario: Scenario, trace: Trace) -> Trace:
    """The trace with its outcome and its verdict."""
    scope = _scope(scenario, trace)
    failures: list[str] = []
    outcome = _outcome(scenario, trace, scope, failures)
    judged = _Judge(scenario.expectation, trace, scope, outcome)
    failures += judged.failures()
    if trace.end == "interrupted":
        judged.undecided = [trace.fault or "the run was interrupted"]
    word = "failed" if failures else "unknown" if judged.undecided else "passed"
    verdict = Verdict(word, tuple(failures), tuple(judged.undecided))
    return trace._replace(outcome=outcome, verdict=verdict)


def holds(scenario: Scenario, trace: Trace, condition: Condition) -> bool:
    """Whether a condition of `expect` is true of a judged run; what cannot be worked out is not."""
    try:
        return bool(_value(condition, _scope(scenario, trace), trace.outcome))
    except Exception:
        return False


def _scope(scenario: Scenario, trace: Trace) -> dict[str, Any]:
    scope: dict[str, Any] = {**scenario.params, "output": trace.output}
    for declaration in (scenario.main, *scenario.processes.values()):
        seen = [
            Observed(name, trace, _system_name(scenario, declaration, index))
            for index, name in enumerate(declaration.replicas)
        ]
        scope[declaration.name] = seen[0] if declaration.count is None else seen
    return scope


def _system_name(scenario: Scenario, declaration: Declaration, index: int) -> str:
    """What `self.name` is in the process itself."""
    if declaration.name == "main":
        return "MainProcess"
    if declaration.system_name is None:
        return declaration.replicas[index]
    own = {} if declaration.count is None else {"index": index}
    return str(expressions.evaluate(declaration.system_name, {**scenario.params, **own}))


def _outcome(
    scenario: Scenario, trace: Trace, scope: dict[str, Any], failures: list[str]
) -> Mapping[str, Any] | str | None:
    """The outcome's values by name; for a run that did not complete, only its end."""
    if trace.end != "completed":
        return trace.end if trace.end in ("deadlock", "timeout") else None
    found: dict[str, Any] = {}
    for name, condition in scenario.outcome:
        try:
            value = _value(condition, scope, found)
        except Exception as error:
            value = None
            failures.append(f"outcome: `{name}` {_cannot(condition, error)}")
        found[name] = value
    return found


def _value(
    condition: Condition, scope: Mapping[str, Any], outcome: Mapping[str, Any] | str | None
) -> object:
    """What a condition gives. A name is first of all a key of the outcome, unless something of the
    process of that name is asked for, `worker.x`."""
    return expressions.evaluate(condition.compiled, _meant(condition, scope, outcome))


def _meant(
    condition: Condition, scope: Mapping[str, Any], outcome: Mapping[str, Any] | str | None
) -> Mapping[str, Any]:
    """What the names of a condition mean."""
    if not isinstance(outcome, Mapping):
        return scope
    asked = {name for name, _ in condition.compiled.attributes} | {"output"}
    return {**scope, **{name: value for name, value in outcome.items() if name not in asked}}


def _cannot(condition: Condition, error: Exception) -> str:
    return f"cannot be worked out: {type(error).__name__}: {error} (line {condition.line})"


class _Judge:
    def __init__(
        self,
        expectation: Expectation,
        trace: Trace,
        scope: Mapping[str, Any],
        outcome: Mapping[str, Any] | str | None,
    ) -> None:
        self.expectation = expectation
        self.trace = trace
        self.scope = scope
        self.outcome = outcome
        self.undecided: list[str] = []

    def failures(self) -> list[str]:
        """Everything that this run shows to be otherwise than expected."""
        found = [*self._ending(), *self._exits(), *self._order(), *self._exclusive()]
        if self.trace.end == "completed":
            found += [*self._conditions(), *self._output()]
        else:
            self.undecided += [
                f"sometimes: {_quoted(c)} speaks of runs that complete (line {c.line})"
                for c in self.expectation.sometimes
            ]
        return [*found, *self._outcomes()]

    def _ending(self) -> Iterator[str]:
        if self.trace.end == "interrupted":
            return
        for word in ("deadlock", "timeout"):
            wanted = self._wanted(word)
            happened = self.trace.end == word
            if happened and wanted == "never":
                yield f"the run ended by {word}"
            elif not happened and wanted == "always":
                yield f"{word} was expected; the run ended as {self.trace.end}{self._at(word)}"

    def _wanted(self, word: str) -> str:
        """`never`, unless it is said otherwise: by its own key, or in the list of outcomes."""
        if word not in self.expectation.lines and word in (self.expectation.outcomes or ()):
            return "possible"
        wanted: str = getattr(self.expectation, word)
        return wanted

    def _at(self, key: str) -> str:
        line = self.expectation.lines.get(key)
        return f" (line {line})" if line else ""

    def _exits(self) -> Iterator[str]:
        for process, code in self.trace.exitcodes.items():
            if code is None:
                continue  # it did not end by itself
            allowed = self.expectation.exitcodes.get(process)
            wanted_errors = self.expectation.errors.get(process)
            error = self.trace.errors.get(process)
            if allowed is None and wanted_errors is None and code != 0:
                told = f" by {error}" if error else ""
                yield f"`{process}` exited with {code}{told}, not 0"
            if allowed is not None and code not in allowed:
                wanted = _either(allowed) + self._at("exitcode")
                yield f"`{process}` exited with {code}, not {wanted}"
            if wanted_errors is not None and error not in wanted_errors:
                was = f"ended by {error}" if error else "ended without an error"
                yield f"`{process}` {was}, not by {_either(wanted_errors)}{self._at('error')}"

    def _conditions(self) -> Iterator[str]:
        for key, wanted in (("always", True), ("never", False)):
            for condition in getattr(self.expectation, key):
                told = self._otherwise(condition, wanted)
                if told:
                    yield f"{key}: {told}"
        for condition in self.expectation.sometimes:
            told = self._otherwise(condition, True)
            if told:
                self.undecided.append(f"sometimes: {told}")

    def _otherwise(self, condition: Condition, wanted: bool) -> str:
        """What a condition is, where it is not as wanted; else nothing."""
        try:
            holds = bool(_value(condition, self.scope, self.outcome))
        except Exception as error:
            return f"{_quoted(condition)} {_cannot(condition, error)}"
        if holds == wanted:
            return ""
        word = "true" if holds else "false"
        return f"{_quoted(condition)} is {word} (line {condition.line}){self._where(condition)}"

    def _where(self, condition: Condition) -> str:
        """The values that a condition speaks of: `: items = 2, w.seen = 1`."""
        attributes = condition.compiled.attributes
        names = sorted(condition.compiled.names - {name for name, _ in attributes})
        meant = _meant(condition, self.scope, self.outcome)
        values = [(name, meant.get(name)) for name in names]
        values += [
            (f"{name}.{each}", _observed(self.scope.get(name), each)) for name, each in attributes
        ]
        told = ", ".join(f"{name} = {shown(value, 80)}" for name, value in values)
        return f": {told}" if told else ""

    def _output(self) -> Iterator[str]:
        wanted = self.expectation.output
        if wanted is None or list(wanted) == self.trace.output:
            return
        printed, at = self.trace.output, self._at("output")
        for i, line in enumerate(wanted):
            if i >= len(printed):
                yield f"output: line {i + 1}, {shown(line, 200)}, was not printed{at}"
                return
            if printed[i] != line:
                found = f"{shown(printed[i], 200)}, not {shown(line, 200)}"
                yield f"output: line {i + 1} is {found}{at}"
                return
        more = shown(printed[len(wanted)], 200)
        yield f"output: more was printed than expected: {more}{at}"

    def _order(self) -> Iterator[str]:
        first: dict[str, int] = {}
        for event in self.trace.events:
            if event.action == "mark" and event.status == "ok":
                first.setdefault(str(event.on), event.seq)
        for before, after, line in self.expectation.order:
            if before in first and after in first and first[before] > first[after]:
                yield f"order: mark `{after}` came before mark `{before}` (line {line})"

    def _exclusive(self) -> Iterator[str]:
        for section, most in self.expectation.exclusive.items():
            inside: list[str] = []
            for event in self.trace.events:
                _step_section(event, section, inside)
                if len(set(inside)) > most:
                    shown = ", ".join(f"`{p}`" for p in dict.fromkeys(inside))
                    where = f"{shown} at event {event.seq}{self._at('exclusive')}"
                    yield f"exclusive: more than {most} were inside `{section}` at once: {where}"
                    break

    def _outcomes(self) -> Iterator[str]:
        listed = self.expectation.outcomes
        if listed is None or self.outcome is None:
            return
        own = plain(self.outcome)
        if not any(own == plain(each) for each in listed):
            told = own if isinstance(own, str) else shown(own)
            yield f"outcomes: {told} is not listed{self._at('outcomes')}"


def _step_section(event: Event, section: str, inside: list[str]) -> None:
    """Who is in a section after an event; whoever ends is in none."""
    if event.action == "section" and event.on == section and event.status == "ok":
        if event.extra.get("phase") == "enter":
            inside.append(event.process)
        elif event.process in inside:
            inside.remove(event.process)
    elif event.action == "end":
        inside[:] = [each for each in inside if each != event.process]


def _either(allowed: tuple[Any, ...]) -> str:
    return " or ".join("nothing" if each is None else str(each) for each in allowed)


def _observed(process: object, attribute: str) -> object:
    """What a process has under a name; for replicas, the list of it."""
    if isinstance(process, list):
        return [_observed(each, attribute) for each in process]
    return process.get(attribute) if isinstance(process, Observed) else None


def _quoted(condition: Condition) -> str:
    """A condition's text on one line."""
    text = " ".join(condition.text.split())
    return f"`{text}`" if len(text) <= 200 else f"`{text[:200]}…`"
