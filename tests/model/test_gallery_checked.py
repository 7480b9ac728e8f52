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
UNCHECKABLE = {}
ENDLESS = {
    "pipe_forever.yaml": "it counts up without end: its states are as many as its messages",
}
"""Too large to search here."""
LARGE = {
    "puzzles/building_h2o.yaml": 300_000,
    "puzzles/river_crossing.yaml": 0,
    "puzzles/unisex_bathroom.yaml": 0,
    "queues/tasks_and_results.yaml": 0,
}


@pytest.mark.parametrize("name", [name for name in FILES if name not in {*ENDLESS, *LARGE}])
def test_a_scenario_is_proved(name: str) -> None:
    loaded = api.load(str(SCENARIOS / name))
    for scenario in loaded.scenarios:
        try:
            report = api.check(scenario, Options(Limits(seconds=120)))
        except Uncheckable as error:
            assert name in UNCHECKABLE, f"line {error.line}: {error}"
            assert UNCHECKABLE[name] in str(error)
            continue
        assert name not in UNCHECKABLE
        assert [each.text for each in report.violations] == []
        assert (report.verdict, report.missing) == ("proved", ())
