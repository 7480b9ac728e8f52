"""Every scenario is checked: each is proved to be as it expects, its outcomes both ways, or stands
here with the reason why it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpflow import api
from mpflow.model.check import Options
from mpflow.model.explore import Limits
from mpflow.model.values import Uncheckable

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(path.relative_to(SCENARIOS).as_posix() for path in SCENARIOS.rglob("*.yaml"))
UNCHECKABLE = {
    "bugs/pool_terminated.yaml": "pool",
    "bugs/pool_worker_dies.yaml": "pool",
    "bugs/unpicklable_at_exit.yaml": "runs Python code",
    "clock_class.yaml": "runs Python code",
    "daemon_join.yaml": "asks the clock",
    "daemon_off.yaml": "asks the clock",
    "daemon_on.yaml": "asks the clock",
    "pipes/closed_end.yaml": "which number a descriptor has",
    "process.yaml": "asks the clock",
    "processes/arguments.yaml": "runs Python code",
    "processes/exception_from_code.yaml": "runs Python code",
    "processes/keep_an_object.yaml": "runs Python code",
    "processes/pool_closed.yaml": "pool",
    "processes/pool_error.yaml": "pool",
    "processes/pool_fresh_workers.yaml": "pool",
    "processes/pool_later.yaml": "pool",
    "processes/pool_map.yaml": "pool",
    "processes/pool_order.yaml": "pool",
    "processes/pool_timeout.yaml": "pool",
    "processes/relatives.yaml": "runs Python code",
    "processes/shared_with_code.yaml": "runs Python code",
    "processes/start_methods.yaml": "runs Python code",
    "processes/subclass.yaml": "runs Python code",
    "processes/word_count.yaml": "pool",
    "queues/object.yaml": "runs Python code",
    "queues/work_by_name.yaml": "runs Python code",
    "workers.yaml": "asks the clock or the machine",
}
# It counts without end: no search comes to an end.
ENDLESS = {"pipe_forever.yaml"}
# From ten seconds to minutes each.
LARGE = {
    "puzzles/building_h2o.yaml",
    "puzzles/river_crossing.yaml",
    "puzzles/unisex_bathroom.yaml",
    "queues/tasks_and_results.yaml",
}


@pytest.mark.parametrize("name", sorted({*FILES} - ENDLESS - LARGE))
def test_a_scenario_is_proved(name: str) -> None:
    loaded = api.load(str(SCENARIOS / name))
    for scenario in loaded.scenarios:
        if name in UNCHECKABLE:
            with pytest.raises(Uncheckable, match=UNCHECKABLE[name]):
                api.check(scenario)
            continue
        report = api.check(scenario, Options(Limits(seconds=120)))
        assert [each.text for each in report.violations] == []
        assert (report.verdict, report.missing) == ("proved", ())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_large_scenario_is_proved(name: str) -> None:
    (scenario,) = api.load(str(SCENARIOS / name)).scenarios
    assert api.check(scenario, Options(Limits(seconds=1200))).verdict == "proved"


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_an_endless_search_is_unknown(name: str) -> None:
    (scenario,) = api.load(str(SCENARIOS / name)).scenarios
    report = api.check(scenario, Options(Limits(states=2_000)))
    assert (report.verdict, report.cut) == ("unknown", "the limit of 2,000 states was reached")
