"""The other way round: what the model allows has been seen for real, or a table says why not.

For each file of scenarios/ that check can explore and whose outcomes are few: it is run, with and
without delays, until each outcome was seen, or for so many runs. What was never seen here stands in
RARE with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts import Hosts
from model.agreement import canonical, outcomes

from mpflow import api
from mpflow.model.check import Options, check
from mpflow.model.explore import Limits
from mpflow.model.values import Uncheckable
from mpflow.scenario import Choice, Scenario
from mpflow.trace import plain

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
FEW = 8  # outcomes that are looked for
RUNS = 400  # one in thirty is seen all but surely, and whoever has seen all stops
LIMITS = Limits(states=20_000, seconds=20)
QUICK = ("bugs/barrier_index.yaml", "bugs/condition_timeout.yaml", "bugs/event_pulse.yaml")
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml"))

# What may never be seen in so many runs here, and why.
_FEEDER = "a feeder thread has to be held up, and delays come between actions only"
RARE: dict[str, str] = {
    "bugs/double_release.yaml": "both have to look at the value before either gives back: within"
    " one release, where no delay reaches",
    "bugs/pill_overtakes.yaml": _FEEDER,
    "bugs/producers_order.yaml": _FEEDER,
    "bugs/spurious_empty.yaml": "a get has to come while another one holds the readers' lock",
    "bugs/terminate_holder.yaml": "the signal has to strike inside the lock, before or after it",
    "bugs/unreferenced_lock.yaml": "a child has to be spawned before its parent drops the lock",
}


@pytest.fixture(scope="module")
def hosts(own_temporary_folder: None) -> Iterator[Hosts]:
    """One helper process for all tests here."""
    with Hosts() as found:
        yield found


def allowed(scenario: Scenario) -> frozenset[str]:
    """The outcomes of the model, where they are few and all are known; else none."""
    try:
        report = check(scenario, Options(LIMITS))
    except Uncheckable:
        return frozenset()
    found = outcomes(report)
    return frozenset() if report.cut or len(found) > FEW else found


def unseen(scenario: Scenario, hosts: Hosts, runs: int) -> frozenset[str]:
    """The outcomes that so many runs have not shown; each seen one is among them."""
    wanted = allowed(scenario)
    left = set(wanted)
    for seed in range(runs if wanted else 0):
        if not left:
            break
        host = hosts.host()
        try:
            trace = api.run(
                scenario, delays=seed % 4 > 0, seed=seed, quiet=True, host=host,
                time_scale=0.02 if seed % 3 else 1.0,
            )  # fmt: skip
        finally:
            host.close()
        if trace.end == "timeout" and "timeout" not in wanted:
            continue  # the real clock is no part of the model
        found = canonical(plain(trace.outcome))
        assert found in wanted
        left.discard(found)
    return frozenset(left)


@pytest.fixture
def look(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function: of this file all outcomes are seen, in a folder of its own, or it is in RARE."""
    monkeypatch.chdir(tmp_path)

    def seen(name: str) -> None:
        for scenario in api.load(str(FOLDER / name), Choice()).scenarios[:1]:
            left = unseen(scenario, hosts, RUNS)
            assert not left or name in RARE, left

    return seen


@pytest.mark.parametrize("name", QUICK)
def test_each_outcome_is_seen(name: str, look: Callable[[str], None]) -> None:
    look(name)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FILES)
def test_each_outcome_of_many_is_seen(name: str, look: Callable[[str], None]) -> None:
    look(name)


def test_the_table_names_files() -> None:
    assert set(RARE) <= set(FILES)
