"""Scenario -> Trace: one run in virtual time, without any process.

Among simultaneous steps the seed decides. A schedule decides all of it instead: that of a
counterexample shows the same run again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from random import Random

from mpflow.expect import judge
from mpflow.model.clock import DIGITS, TICK, Clocked, Now, Timed
from mpflow.model.facts import facts_of
from mpflow.model.lasso import trapped
from mpflow.model.moves import Move, Schedule
from mpflow.model.names import split
from mpflow.model.schedule import DIGEST, DivergedError, Taken, read_token, replay, token
from mpflow.model.space import Space
from mpflow.model.tale import first_moments, newborn, slept, tell
from mpflow.model.world import World
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import Trace

BEGAN = 1767225600.0  # 2026-01-01, when every simulation begins: `ctime()` needs some time
REST = 10_000  # moves after a schedule, until its run has to be over
STEP = 1e-6  # seconds between moves that were found without a clock
TURNS = 10_000  # steps in a row that lead to nothing new: then it is a loop that nobody leaves
MOST = 1_000_000  # steps: a loop that takes no time would go on for ever


def simulate(
    scenario: Scenario, seed: int = 0, version: tuple[int, int] = sys.version_info[:2]
) -> Trace:
    """A run, judged. Raises Uncheckable for what the model cannot say."""
    space = Space(_world(scenario, exact=True, version=version, now=BEGAN))
    taken, times, end = space.laid_out(lambda: _Run(scenario, space, seed).run())
    return judge(scenario, tell(scenario, space, taken, times, end, seed))


def follow(
    scenario: Scenario,
    schedule: Schedule,
    end: str = "",
    version: tuple[int, int] = sys.version_info[:2],
    exact: bool = False,
) -> Trace:
    """The run of a schedule, judged; where that stops short of the run's end, it goes on somehow,
    or, from where no end can be reached, as `timeout`. With a clock (`exact`) its times are those;
    else each step takes a microsecond. Raises DivergedError (schedule.py) where it does not fit."""
    space = Space(_world(scenario, exact, version))

    def run() -> tuple[list[Taken], list[float], str]:
        if exact:
            on = _Run(scenario, space, seed=0, schedule=schedule)
            return (on.taken, on.times, end) if end else on.run()
        taken = replay(space, [*schedule, *_rest(space, schedule)])
        times = list(_unhurried(space, taken))
        state = taken[-1].state if taken else space.first
        if end or not any(space.differences(actor, state) for actor in space.actors):
            return taken, times, end
        return taken, times, "timeout" if trapped(space, state) else "interrupted"

    return judge(scenario, tell(scenario, space, *space.laid_out(run), seed=0))


def _rest(space: Space, schedule: Schedule) -> list[Move]:
    """Moves from the end of a schedule on to that of its run, if there is one near."""
    taken = replay(space, schedule)
    state = taken[-1].state if taken else space.first
    moves: list[Move] = []
    for _ in range(REST):
        found = ((a, d) for a in space.actors for d in space.differences(a, state))
        actor, difference = next(found, (None, 0))
        if actor is None:
            return moves
        moves.append(Move(actor.key))
        state += difference
    return []


def _unhurried(space: Space, taken: list[Taken]) -> Iterator[float]:
    """Times in seconds at which moves can have been made that were found without a clock: a
    microsecond for each, and as long as they last for sleeps."""
    now, before = slept(first_moments(space)), space.first
    for each in taken:
        begun = sum(slept(moments) for _, moments in newborn(space, each, before))
        now = round(now + STEP + slept(each.moments) + begun, DIGITS)
        before = each.state
        yield now


def schedule_token(scenario: Scenario, schedule: Schedule, world: World) -> str:
    """A schedule as one line."""
    return token(schedule, [*world.actors(), TICK], digest(scenario, world))


def belongs(scenario: Scenario, text: str, version: tuple[int, int] = sys.version_info[:2]) -> bool:
    """Whether a token, damaged or not, says that it is this scenario's. Raises Uncheckable."""
    said = text.strip().split(".")[1:2]
    worlds = (_world(scenario, exact, version) for exact in (False, True))
    return any([digest(scenario, world)[:DIGEST]] == said for world in worlds)


def from_token(
    scenario: Scenario, text: str, version: tuple[int, int] = sys.version_info[:2]
) -> Trace:
    """The run of a token. Raises DivergedError where it is another scenario's, or damaged."""
    for exact in (scenario.timing == "exact", scenario.timing != "exact"):
        world = _world(scenario, exact, version)
        try:
            schedule = read_token(text, [*world.actors(), TICK], digest(scenario, world))
        except DivergedError as error:
            wrong = error
        else:
            return follow(scenario, schedule, version=version, exact=exact)
    raise wrong


def digest(scenario: Scenario, world: World) -> str:
    """What a schedule is bound to: the file, the case, the start method, the form of the model."""
    parts = (
        scenario.document.sha256,
        repr(sorted(scenario.params.items())),
        scenario.start_method,
        repr(world.version),
        repr((world.facts.merged, world.facts.exact)),
    )
    return sha256("\n".join(parts).encode()).hexdigest()


def _world(
    scenario: Scenario, exact: bool, version: tuple[int, int], now: float | None = None
) -> World:
    program = compile_program(scenario, seed=0)
    facts = facts_of(scenario, program, merged=True, exact=exact)._replace(shown=True)
    if now is not None:  # each print is a step, so that the seed decides on their order, too
        facts = facts._replace(log=facts.log - {"lines"} | {"output"})
    return World(program, facts, version, now)


class _Run:
    """One run with a clock."""

    def __init__(
        self, scenario: Scenario, space: Space, seed: int, schedule: Schedule = ()
    ) -> None:
        self.scenario = scenario
        self.space = space
        self.clocked = Clocked(space)
        self.random = Random(seed)
        self.draws = {name: Random(f"{seed} {name}") for name in space.world.program.plans}
        space.world.now = BEGAN
        self.taken: list[Taken] = []
        self.times: list[float] = []
        self.time, self.now = 0.0, self.clocked.first()
        if schedule:
            self.taken, self.times, self.time, self.now = Timed(space).retrace(schedule)

    def _tick(self, seconds: float) -> None:
        self.time = round(self.time + seconds, DIGITS)
        self.space.world.now = BEGAN + self.time
        self.space.world.steps.clear()

    def run(self) -> tuple[list[Taken], list[float], str]:
        """The moves, their times, and how the run ended, where its last state does not show it."""
        now = self.now
        seen, turns = {now.state}, 0  # at this moment: a loop that comes back lets time go by
        while len(self.taken) < MOST:
            moves = list(self.clocked.moves(now))
            ticking = self.clocked.tick(now)
            turning = bool(moves) and all(after.state in seen for _, after in moves)
            if not moves or (turning and ticking is not None):
                if ticking is None:
                    return self.taken, self.times, ""
                passed, now = ticking
                if self.time + passed > self.scenario.timeout:
                    self.time = self.scenario.timeout
                    return self.taken, self.times, "timeout"
                self._tick(passed)
                seen, turns = {now.state}, 0
                continue
            turns = turns + 1 if turning else 0
            if turns == TURNS:  # a loop that nobody leaves: once round is enough
                return self.taken[: 1 - TURNS], self.times[: 1 - TURNS], "timeout"
            now = self._take(now, moves)
            seen.add(now.state)
        return self.taken, self.times, "timeout"

    def _take(self, now: Now, moves: list[tuple[Move, Now]]) -> Now:
        """Take one of these: an actor by the seed, and a way of his step."""
        actors = list(dict.fromkeys(move.actor for move, _ in moves))
        key = self.random.choice(actors)
        ways = [each for each in moves if each[0].actor == key]
        number = next(n for n, each in enumerate(self.space.actors) if each.key == key)
        step = self.clocked.step(self.space.actors[number], now.state)
        kind, name, _ = split(key)
        made = [(self.clocked.take(now, number, move), after) for move, after in ways]
        if step is not None and step.draws and kind == "process":  # as a run draws, with its seed
            drawn = repr(self.draws[name].choice([each for each, _ in step.ways(())]))
            made = [each for each in made if each[0] and repr(each[0].result) == drawn][:1]
        taken, after = self.random.choice(made)
        assert taken is not None
        self.taken.append(taken)
        self.times.append(self.time)
        return after
