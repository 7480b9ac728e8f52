"""A schedule made calmer is the same run: the same moves with the same results, the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpflow import api
from mpflow.model.calm import Cost, calm, cost
from mpflow.model.check import Options, Report, check
from mpflow.model.explore import Limits
from mpflow.model.moves import Move, Schedule
from mpflow.model.schedule import replay
from mpflow.model.space import Space
from mpflow.model.world import World

FOLDER = Path(__file__).parents[2] / "scenarios" / "bugs"
RUN_CODE = {"pool_terminated", "pool_worker_dies", "unpicklable_at_exit"}
NOT_YET = {"manager_gone"}
BUGS = sorted(path for path in FOLDER.glob("*.yaml") if path.stem not in RUN_CODE | NOT_YET)
CROSS = """\
mpflow: 1
primitives: {left: lock, right: lock}
processes:
  ann: {actions: [{acquire: left}, {acquire: right}]}
  bob: {actions: [{acquire: right}, {acquire: left}]}
"""
START = (Move("@main"), Move("@main"))


def checked(text: str) -> Report:
    loaded = api.loads(text)
    assert loaded.problems == []
    return check(loaded.scenarios[0])


def done(world: World, schedule: Schedule) -> tuple[object, ...]:
    """What each actor did with which results, and the state in the end."""
    space = Space(world)
    taken = space.laid_out(lambda: replay(space, schedule))
    each: dict[str, list[str]] = {}
    for one in taken:
        each.setdefault(one.move.actor, []).append(repr(one.result))
    state = taken[-1].state if taken else space.first
    values = {key: repr(space.value(state, key)) for key in space.fields}
    return sorted(each.items()), sorted(values.items())


def paid(world: World, schedule: Schedule) -> Cost:
    """What a schedule costs."""
    space = Space(world)
    return space.laid_out(lambda: cost(space, schedule))


@pytest.mark.parametrize("work", [20_000, 0], ids=["searched", "greedy"])
@pytest.mark.parametrize("path", BUGS, ids=lambda path: path.stem)
def test_a_calm_schedule_is_equivalent_and_never_worse(path, work):
    scenario = api.load(str(path)).scenarios[0]
    report = check(scenario, Options(limits=Limits(states=5_000)))
    for outcome in report.outcomes[:3]:
        found = calm(report.world, outcome.schedule, work)
        assert done(report.world, found) == done(report.world, outcome.schedule)
        assert paid(report.world, found) <= paid(report.world, outcome.schedule)


def test_preemptions_count_more_than_switches_and_both_are_as_few_as_they_can_be():
    world = checked(CROSS).world
    restless = (Move("@main"), Move("@ann"), Move("@main"), Move("@bob"))
    assert paid(world, restless) == (2, 3)
    found = calm(world, restless)
    assert found == (*START, Move("@ann"), Move("@bob"))
    assert paid(world, found) == (1, 2)


def test_the_greedy_way_moves_blocks_together():
    world = checked(CROSS).world
    restless = (Move("@main"), Move("@ann"), Move("@main"), Move("@bob"))
    assert paid(world, calm(world, restless, work=1_000)) == (1, 2)


def test_the_counterexample_of_a_report_is_calm_and_has_the_fewest_steps():
    (violation,) = checked(CROSS).violations
    assert len(violation.schedule) == 4
    assert violation.schedule[:2] == START


def test_who_gives_up_only_for_his_time_limit_is_not_preempted():
    text = """\
mpflow: 1
primitives: {go: event}
processes:
  waiter: {actions: [{wait: {for: go, timeout: 1}}]}
  setter: {actions: [{set: go}]}
"""
    world = checked(text).world
    schedule = (*START, Move("@waiter"), Move("@setter"))
    assert paid(world, schedule) == (0, 2)


def test_nothing_is_calm_already():
    assert calm(checked(CROSS).world, ()) == ()
