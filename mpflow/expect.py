"""Trace -> outcome and Verdict: what a run amounts to, and whether it is what was expected.

Section 6 of the language, as far as one run can decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpflow import expressions
from mpflow.evaluation import Attributes
from mpflow.scenario import Condition, Expectation, Scenario
from mpflow.trace import Event, Trace, Verdict, plain


class Observed(Attributes):
    """A process in `outcome` and `expect`: its variables, its exit code, its error."""

    def __init__(self, name: str, trace: Trace) -> None:
        self.name = name
        self.trace = trace

    def get(self, name: str) -> object:
        if name == "exitcode":
            return self.trace.exitcodes.get(self.name)
        if name == "error":
            return self.trace.errors.get(self.name)
        variables = self.trace.variables.get(self.name, {})
        if name in variables:
            return variables[name]
        if name == "name":
            return self.name
        if name == "pid":
            begun = (e for e in self.trace.events if e.process == self.name)
            return next((e.extra["pid"] for e in begun if e.action == "begin"), None)
        return None


def judge(scenario: Scenario, trace: Trace) -> Trace:
    """The trace with its outcome and its verdict."""
    scope = _scope(scenario, trace)
    failures: list[str] = []
    outcome = _outcome(scenario, trace, scope, failures)
    judged = _Judge(scenario.expectation, trace, scope, outcome)
    failures += judged.failures()
    word = "failed" if failures else "unknown" if judged.undecided else "passed"
    if trace.end == "interrupted" and not failures:
        word, judged.undecided = "unknown", ["the run was interrupted"]
    verdict = Verdict(word, tuple(failures), tuple(judged.undecided))
    return trace._replace(outcome=outcome, verdict=verdict)


def _scope(scenario: Scenario, trace: Trace) -> dict[str, Any]:
    scope: dict[str, Any] = {**scenario.params, "output": trace.output}
    for declaration in (scenario.main, *scenario.processes.values()):
        seen = [Observed(name, trace) for name in declaration.replicas]
        scope[declaration.name] = seen[0] if declaration.count is None else seen
    return scope


def _outcome(
    scenario: Scenario, trace: Trace, scope: dict[str, Any], failures: list[str]
) -> Mapping[str, Any] | str | None:
    """The outcome's values by name; for a run that did not complete, only its end."""
    if trace.end != "completed":
        return trace.end if trace.end in ("deadlock", "timeout") else None
    found: dict[str, Any] = {}
    for name, condition in scenario.outcome:
        try:
            found[name] = scope[name] = expressions.evaluate(condition.compiled, scope)
        except Exception as error:
            found[name] = scope[name] = None
            failures.append(f"outcome `{name}`: {_cannot(condition, error)}")
    return found


def _cannot(condition: Condition, error: Exception) -> str:
    told = f"{type(error).__name__}: {error}"
    return f"`{condition.text}` cannot be worked out: {told} (line {condition.line})"


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
        elif self.expectation.sometimes:
            self.undecided += [f"sometimes `{c.text}`" for c in self.expectation.sometimes]
        return [*found, *self._outcomes()]

    def _ending(self) -> Iterator[str]:
        if self.trace.end == "interrupted":
            return
        for word in ("deadlock", "timeout"):
            wanted = getattr(self.expectation, word)
            happened = self.trace.end == word
            if happened and wanted == "never":
                yield f"the run ended by {word}"
            elif not happened and wanted == "always":
                yield f"{word} was expected; the run ended as {self.trace.end}{self._at(word)}"

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
                yield f"`{process}` exited with {code}, not {_either(allowed)}{self._at('exitcode')}"
            if wanted_errors is not None and error not in wanted_errors:
                was = f"ended by {error}" if error else "ended without an error"
                yield f"`{process}` {was}, not by {_either(wanted_errors)}{self._at('error')}"

    def _conditions(self) -> Iterator[str]:
        for condition in self.expectation.always:
            holds = self._holds(condition)
            if holds is not True:
                yield holds or f"always: `{condition.text}` is false (line {condition.line})"
        for condition in self.expectation.never:
            holds = self._holds(condition)
            if holds is not False:
                told = f"never: `{condition.text}` is true (line {condition.line})"
                yield told if holds is True else holds
        for condition in self.expectation.sometimes:
            holds = self._holds(condition)
            if isinstance(holds, str):
                yield holds
            elif not holds:
                self.undecided.append(f"sometimes `{condition.text}` (line {condition.line})")

    def _holds(self, condition: Condition) -> bool | str:
        try:
            return bool(expressions.evaluate(condition.compiled, self.scope))
        except Exception as error:
            return _cannot(condition, error)

    def _output(self) -> Iterator[str]:
        wanted = self.expectation.output
        if wanted is None or list(wanted) == self.trace.output:
            return
        printed = self.trace.output
        for i, line in enumerate(wanted):
            if i >= len(printed):
                yield f"output: line {i + 1}, {line!r}, was not printed{self._at('output')}"
                return
            if printed[i] != line:
                shown = f"output: line {i + 1} is {printed[i]!r}, not {line!r}"
                yield shown + self._at("output")
                return
        more = printed[len(wanted)]
        yield f"output: more was printed than expected: {more!r}{self._at('output')}"

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
            yield f"outcomes: {own} is not listed{self._at('outcomes')}"


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
