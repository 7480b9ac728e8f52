"""Scenario -> Report: every interleaving looked at, and what of it is otherwise than expected.

Proved: no run is otherwise. Violated: one is, and a shortest schedule shows it. Unknown: a limit
was reached before all had been seen, and nothing was wrong so far.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mpflow.expect import holds, judge
from mpflow.model.calm import calm
from mpflow.model.ends import ending
from mpflow.model.explore import Limits, Watch, interleavings, reached
from mpflow.model.facts import facts_of
from mpflow.model.growth import growing
from mpflow.model.idle import idle
from mpflow.model.local import Dead
from mpflow.model.moves import Schedule
from mpflow.model.names import actor
from mpflow.model.reduce import Stubborn
from mpflow.model.schedule import moves_to
from mpflow.model.space import Space
from mpflow.model.traps import explored
from mpflow.model.underway import underway
from mpflow.model.values import FullError
from mpflow.model.world import World
from mpflow.plan import Plan
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import Trace, plain

COUNTED = 20_000  # states up to which interleavings are counted, where reductions left some out
CALMED = 16  # schedules of violations that are made easier to follow


class Options(NamedTuple):
    """How to check: limits; whether reductions are on, and steps merged; `timing` in place of the
    file's; who hears of progress."""

    limits: Limits = Limits()
    reduce: bool = True
    merge: bool = True
    timing: str | None = None
    version: tuple[int, int] = sys.version_info[:2]
    progress: Callable[[int, int], None] | None = None


class Violation(NamedTuple):
    """What is otherwise than expected in some run, and the schedule of that run: a shortest one; of
    the first violations one with few preemptions (calm.py). `end` is how it ends (completed,
    deadlock, timeout), or nothing where that does not matter."""

    text: str
    schedule: Schedule
    end: str


class Outcome(NamedTuple):
    """What runs can be summed up as, `deadlock` and `timeout` included; whether `outcomes` lists
    it (None: there is no such list); a shortest schedule that leads to it."""

    value: Mapping[str, Any] | str
    expected: bool | None
    schedule: Schedule


class Report(NamedTuple):
    """What a check found.

    `missing`: what is expected of some run, and none has it. `idle`: actions that no run comes to,
    and expectations that none puts to the test. `interleavings`: how many runs there are, by the
    order of their steps; None where that was not counted. `assumed`: what the answer rests on.
    `cut`: what ended the search early.
    """

    verdict: str
    violations: tuple[Violation, ...]
    missing: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    idle: tuple[str, ...]
    states: int
    transitions: int
    interleavings: int | None
    reductions: tuple[str, ...]
    assumed: tuple[str, ...]
    seconds: float
    cut: str
    world: World

    @property
    def deadlock(self) -> Violation | None:
        """The first violation that is a deadlock."""
        return next((each for each in self.violations if each.end == "deadlock"), None)


def check(scenario: Scenario, options: Options = Options()) -> Report:  # noqa: B008
    """Explore all of a scenario. Raises Uncheckable for what the model cannot say."""
    begun = time.monotonic()
    program = compile_program(scenario, seed=0)
    exact = (options.timing or scenario.timing) == "exact"
    facts = facts_of(scenario, program, options.merge, exact)
    world = World(program, facts, options.version)
    checker = _Checker(scenario, world, options)
    return checker.report()._replace(seconds=time.monotonic() - begun)


class _Checker:
    def __init__(self, scenario: Scenario, world: World, options: Options) -> None:
        self.scenario = scenario
        self.world = world
        self.options = options
        self.space = Space(world)
        self.exact = world.facts.exact
        watch = Watch(options.limits, options.progress)
        self.found, self.traps = explored(self.space, watch, options.reduce)
        self.runs = list(self._runs())

    def report(self) -> Report:
        violations = list(self._violations())
        outcomes, missing = self._outcomes(), [*self._missing()]
        if self.found.cut:
            missing = []
        otherwise = "unknown" if self.found.cut else "proved"
        verdict = "violated" if violations or missing else otherwise
        return Report(
            verdict,
            tuple(violations),
            tuple(missing),
            outcomes,
            () if self.found.cut else tuple(dict.fromkeys(self._idle())),
            len(self.found.came_from),
            self.found.transitions,
            self._interleavings(),
            tuple(self._reductions()),
            tuple(self._assumed()),
            0.0,
            f"{self.found.cut}{growing(self.space)}" if self.found.cut else "",
            self.world,
        )

    # Runs

    def _runs(self) -> Iterator[tuple[Trace, int]]:
        """Every way in which a run can end, once, judged, and the first state that shows it."""
        seen = set()
        for state in self.found.ends:
            trace = ending(self.space, state)
            logs = [(event.action, event.on, event.value) for event in trace.events]
            key = repr((trace.end, trace.exitcodes, trace.errors, trace.variables, logs))
            if key not in seen:
                seen.add(key)
                yield judge(self.scenario, trace), state
        for state in self.traps:
            yield judge(self.scenario, ending(self.space, state, "timeout")), state

    def _violations(self) -> Iterator[Violation]:
        said, ways = set(), dict[int, Schedule]()
        for seen in underway(self.space, self.found, self.scenario.expectation):
            said.add(seen.text)
            yield Violation(seen.text, self._calmed(seen.way, len(said)), "")
        for text, state, end in self._wrong():
            if text not in said:
                said.add(text)
                if state not in ways:
                    way = moves_to(self.found, state)
                    ways[state] = self._calmed(way, len(said))
                yield Violation(text, ways[state], end)

    def _calmed(self, way: Schedule, number: int) -> Schedule:
        """A schedule that is easier to follow, for the first ones."""
        return calm(self.world, way) if number <= CALMED and not self.exact else way

    def _idle(self) -> Iterator[str]:
        runs = [trace for trace, _ in self.runs]
        return idle(self.space, self.found, self.scenario.expectation, runs)

    def _wrong(self) -> Iterator[tuple[str, int, str]]:
        for trace, state in self.runs:
            for text in trace.verdict.failures:
                yield text, state, trace.end
        yield from self._early_exits()

    def _early_exits(self) -> Iterator[tuple[str, int, str]]:
        """What an ended process exits with, even where the run as a whole never ends."""
        if not self.traps and not self.found.cut:
            return
        for name in self.world.program.plans:
            for value, state in reached(self.space, self.found, actor(name)):
                if isinstance(value, Dead):
                    trace = judge(self.scenario, ending(self.space, state, "interrupted"))
                    for text in trace.verdict.failures:
                        yield text, state, ""

    # Outcomes

    def _outcomes(self) -> tuple[Outcome, ...]:
        listed = self.scenario.expectation.outcomes
        known = None if listed is None else [plain(each) for each in listed]
        found: dict[str, Outcome] = {}
        for trace, state in self.runs:
            if trace.outcome is None:
                continue
            own = plain(trace.outcome)
            key = repr(own)
            if key not in found:
                expected = None if known is None else own in known
                found[key] = Outcome(own, expected, moves_to(self.found, state))
        return tuple(found.values())

    def _missing(self) -> Iterator[str]:
        """What is expected of at least one run."""
        expect = self.scenario.expectation
        runs = [trace for trace, _ in self.runs]
        if expect.outcomes is not None:
            shown = [plain(trace.outcome) for trace in runs]
            for each in expect.outcomes:
                if plain(each) not in shown:
                    line = expect.lines.get("outcomes")
                    yield f"outcomes: {plain(each)} never occurs (line {line})"
        for condition in expect.sometimes:
            if not any(holds(self.scenario, t, condition) for t in runs if t.end == "completed"):
                text = " ".join(condition.text.split())
                yield f"sometimes: `{text}` is true of no run (line {condition.line})"

    # The account

    def _interleavings(self) -> int | None:
        """Counted over all steps, as far as these are not many more than those looked at."""
        if self.found.cut or self.exact or self.traps:
            return None
        limits = self.options.limits
        most = max(COUNTED, 3 * len(self.found.came_from))
        watch = Watch(limits._replace(states=min(most, limits.states or most)), None)
        try:
            return interleavings(self.space, watch)
        except FullError:  # begun anew elsewhere: the states of this space are still needed
            space = Space(self.world)
            return space.laid_out(lambda: interleavings(space, watch))

    def _reduced(self) -> bool:
        return isinstance(self.found.graph, Stubborn)

    def _reductions(self) -> Iterator[str]:
        if self._reduced():
            yield "stubborn sets"
        if self.options.merge:
            yield "merged steps"

    def _assumed(self) -> Iterator[str]:
        program = self.world.program
        timed = any(
            step.verb == "sleep"
            or step.arguments.get("timeout", "None") not in ("None", "scaled(0)", "0")
            for plan in program.plans.values()
            for step in plan.steps
        )
        if self.exact:
            yield "timing: exact (actions take no time, sleeps and time limits exactly theirs)"
        elif timed:
            yield "timing: any (a sleep lasts any time, a time limit may strike at any time)"
        if any(map(_asks_pid, program.plans.values())):
            yield "pids: 1000, 1001 and so on"
        yield f"start method: {program.start_method}"
        yield f"Python {'.'.join(map(str, self.world.version))}"


def _asks_pid(plan: Plan) -> bool:
    """Whether a process may decide something by a pid: not where it only prints it."""
    steps = (step for step in plan.steps if step.verb != "print")
    return any("'pid')" in source for step in steps for source in step.arguments.values())
