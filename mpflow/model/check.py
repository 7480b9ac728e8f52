"""Scenario -> Report: every interleaving looked at, and what of it is otherwise than expected.

Proved: no run is otherwise. Violated: one is, and a shortest schedule shows it. Unknown: a limit
was reached before all had been seen, and nothing was wrong so far.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from mpflow.expect import holds, judge
from mpflow.model.calm import calm
from mpflow.model.ends import ending
from mpflow.model.explore import Limits, Watch, interleavings, nearest, reached
from mpflow.model.facts import facts_of
from mpflow.model.local import Dead, Local
from mpflow.model.machine import State
from mpflow.model.moves import Schedule
from mpflow.model.names import actor
from mpflow.model.reduce import Stubborn
from mpflow.model.schedule import moves_to
from mpflow.model.space import Space
from mpflow.model.traps import explored, may_loop
from mpflow.model.values import FullError
from mpflow.model.world import World
from mpflow.plan import Plan
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import Trace, plain

COUNTED = 20_000  # states up to which interleavings are counted, where reductions left some out
NEAR = 50_000  # states among which a shorter way is looked for than reductions have left
GROWN = 1_000  # values of a variable that are many
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
        self._nearest: dict[int, Schedule] = {}  # to what states show that have a longer way
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
            tuple(dict.fromkeys(self._idle())) if not self.found.cut else (),
            len(self.found.came_from),
            self.found.transitions,
            self._interleavings(),
            tuple(self._reductions()),
            tuple(self._assumed()),
            0.0,
            f"{self.found.cut}{self._growing()}" if self.found.cut else "",
            self.world,
        )

    def _growing(self) -> str:
        """Where a search was cut short, what has had most values, if it may be that which makes the
        states endless."""
        loops = any(map(may_loop, self.world.processes.values()))
        found = [*self._grown_variables(), *(self._grown_primitives() if loops else ())]
        many, what = max(found, default=(0, ""))
        return f"; {what} has had {many:,} values: does it ever stop?" if many > GROWN else ""

    def _grown_variables(self) -> Iterator[tuple[int, str]]:
        """How many values each variable of a process with loops has had."""
        for name, process in self.world.processes.items():
            if may_loop(process):
                values = self.space.fields[actor(name)].values
                slots = [each.state.slots for each in values if isinstance(each, Local)]
                for variable, slot in process.machine.names.items():
                    yield len({each[slot] for each in slots}), f"`{variable}` of `{name}`"

    def _grown_primitives(self) -> Iterator[tuple[int, str]]:
        """The same of what stands in each component of a primitive."""
        for name, _, _ in self.world.program.primitives:
            for key in self.world.keys_of(name):
                yield len(self.space.fields[key].values), f"`{name}`"

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
        for text, state, end in self._wrong():
            if text not in said:
                said.add(text)
                if state not in ways:
                    way = self._nearest.get(state) or moves_to(self.found, state)
                    few = len(ways) < CALMED and not self.exact
                    ways[state] = calm(self.world, way) if few else way
                yield Violation(text, ways[state], end)

    def _wrong(self) -> Iterator[tuple[str, int, str]]:
        for text, key, wanted in self._on_the_way():
            state = self._first(key, wanted)
            if state is not None:
                yield text, state, ""
        for trace, state in self.runs:
            for text in trace.verdict.failures:
                yield text, state, trace.end
        yield from self._early_exits()

    def _on_the_way(self) -> Iterator[tuple[str, str, Callable[[Any], bool]]]:
        """What may be otherwise than expected before a run ends: the text of it, the component that
        shows it, and in which of its values."""
        expect = self.scenario.expectation
        for before, after, line in expect.order:
            text = f"order: mark `{after}` came before mark `{before}` (line {line})"
            yield text, "marks", partial(_turned, before, after)
        for section, most in expect.exclusive.items():
            text = f"exclusive: more than {most} were inside `{section}` at once"
            text += f" (line {expect.lines.get('exclusive')})"
            yield text, f"section {section}", partial(_over, most)

    def _first(self, key: str, wanted: Callable[[Any], bool]) -> int | None:
        """The first state in which a component's value is wanted. What reductions leave out may
        lead there sooner: so that is looked for among the nearest states."""
        for value, state in reached(self.space, self.found, key):
            if wanted(value):
                with suppress(FullError):
                    found = nearest(self.space, key, wanted, NEAR) if self._reduced() else None
                    if found is not None:
                        self._nearest[state] = moves_to(found, next(reversed(found.came_from)))
                return state
        return None

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

    # What was never put to the test

    def _idle(self) -> Iterator[str]:
        yield from self._unreached()
        expect = self.scenario.expectation
        runs = [trace for trace, _ in self.runs]
        if not any(trace.end == "completed" for trace in runs):
            for key in ("always", "never", "sometimes", "output"):
                if getattr(expect, key):
                    yield f"`{key}` speaks of runs that complete, and none does"
        for word in ("deadlock", "timeout"):
            possible = getattr(expect, word) == "possible"
            if possible and not any(trace.end == word for trace in runs):
                yield f"{word}: possible, and no run ends so"
        marks = {mark for v, _ in self._values("marks") for mark in v}
        for one, other, line in expect.order:
            for mark in (one, other):
                if mark not in marks:
                    yield f"order: no run comes to mark `{mark}` (line {line})"
        for section in expect.exclusive:
            if all(value[1] == 0 for value, _ in self._values(f"section {section}")):
                yield f"exclusive: no run enters section `{section}`"
        ended = {name for trace in runs for name in trace.errors}
        for name in dict.fromkeys([*expect.exitcodes, *expect.errors]):
            if name not in ended:
                yield f"`{name}` never ends: what `expect` says of its end is not put to the test"

    def _values(self, key: str) -> Iterator[tuple[Any, int]]:
        if key in self.world.first:
            yield from reached(self.space, self.found, key)

    def _unreached(self) -> Iterator[str]:
        """Actions that no replica comes to in any run."""
        taken: dict[str, set[int]] = {}
        for name, process in self.world.processes.items():
            plan = process.plan
            known = taken.setdefault(plan.base, set())
            known |= {number for who, number in self.world.taken if who == name}
            for value in self.space.fields[actor(name)].values:
                if isinstance(value, Local) and isinstance(value.state, State):
                    step = process.machine.code[max(value.state.at, 0)].step
                    known.add(-1 if step is None else step.number)
        said = set()
        for process in self.world.processes.values():
            base = process.plan.base
            for step in process.plan.steps:
                acts = step.kind == "do" and step.verb not in ("let", "pass", "break", "continue")
                place = base, step.number
                if acts and step.number not in taken[base] and place not in said:
                    said.add(place)
                    yield f"line {step.line}: `{step.verb}` of `{base}` is never reached"

    # The account

    def _interleavings(self) -> int | None:
        """Counted over all steps, as far as these are not many more than those looked at."""
        if self.found.cut or self.exact or self.traps:
            return None
        limits, states = self.options.limits, len(self.found.came_from)
        most = max(COUNTED, 3 * states) if self._reduced() else 3 * states
        if limits.states is not None:
            most = min(most, max(limits.states, states))
        watch = Watch(limits._replace(states=most + 1), None)
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


def _turned(before: str, after: str, marks: tuple[str, ...]) -> bool:
    """Whether a mark came before one that should come first."""
    both = before in marks and after in marks
    return both and marks.index(after) < marks.index(before)


def _over(most: int, section: tuple[tuple[str, ...], int]) -> bool:
    """Whether more than that were inside at once."""
    return section[1] > most


def _asks_pid(plan: Plan) -> bool:
    """Whether a process may decide something by a pid: not where it only prints it."""
    steps = (step for step in plan.steps if step.verb != "print")
    return any("'pid')" in source for step in steps for source in step.arguments.values())
