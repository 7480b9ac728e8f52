"""Model and reality: whatever random scenarios do on real processes, the model allows.

In: tests/model/programs.py. Each is run a few times with delays: every outcome must be among those
that check finds, every ordered trace one that the model can take (tests/model/allows.py), and what
verify accepts. Another selection each time; a failure shows the scenario and its seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hosts import Hosts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from model import programs
from model.agreement import canonical, made, outcomes
from model.allows import Allowing, TooLong

from mpflow import api
from mpflow.model.check import Options, check
from mpflow.model.explore import Limits
from mpflow.scenario import Scenario
from mpflow.trace import Trace, plain

PARTS, CHUNK = 20, 32  # tests, and scenarios in each
MANY_PARTS, MANY_CHUNK = 200, 100  # at night
RUNS = 3  # of each scenario
STATES = 6_000  # of a search; what has more is left out, and counted

SETTINGS = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def hosts(own_temporary_folder: None) -> Iterator[Hosts]:
    """One helper process for all tests here."""
    with Hosts() as found:
        yield found


class Worlds:
    """Runs scenarios and compares them with the model."""

    def __init__(self, hosts: Hosts, folder: Path) -> None:
        self.hosts = hosts
        self.folder = folder
        self.counts: Counter[str] = Counter()

    def compare(self, seed: int) -> None:
        """One random scenario."""
        text, _ = made(seed, programs.RUNNABLE)
        path = self.folder / "random.yaml"
        path.write_text(text, "utf-8")
        loaded = api.load(str(path))
        if loaded.problems:
            self.counts["refused"] += 1
            return
        scenario = loaded.scenarios[0]
        report = check(scenario, Options(Limits(states=STATES)))
        if report.cut:
            self.counts["too big"] += 1
            return
        self.counts["compared"] += 1
        allowed, walk = outcomes(report), Allowing(scenario)
        with ThreadPoolExecutor(2) as pool:
            traces = list(pool.map(lambda number: self.run(scenario, number), range(RUNS)))
        for trace in traces:
            wrong = self.wrong(trace, allowed, walk)
            events = "".join(trace.lines()) if wrong else ""
            assert not wrong, f"{wrong}\nseed {seed}\n{text}\n{events}"

    def run(self, scenario: Scenario, seed: int) -> Trace:
        """One run, with delays."""
        host = self.hosts.host()
        try:
            return api.run(scenario, delays=True, seed=seed, quiet=True, host=host)
        finally:
            host.close()

    def wrong(self, trace: Trace, allowed: frozenset[str], walk: Allowing) -> str:
        """What is wrong with a run, if something is."""
        self.counts[trace.end] += 1
        if trace.end == "timeout":
            return ""  # the real clock is no part of the model
        found = canonical(plain(trace.outcome))
        if found not in allowed:
            return f"the model has no outcome {found}; it has {sorted(allowed)}"
        try:
            if not walk(trace):
                if not walk(trace, by_clock=True):
                    return "the model does not allow this order"
                self.counts["another order"] += 1
        except TooLong:
            self.counts["too long"] += 1
        file = self.folder / "trace.jsonl"
        file.write_text("".join(trace.lines()), "utf-8")
        (finding,) = api.verify(str(file))
        return "" if finding.accepted else f"verify refuses it: {finding}"


def compare_many(hosts: Hosts, folder: Path, count: int) -> None:
    """So many scenarios."""
    worlds = Worlds(hosts, folder)

    @settings(SETTINGS, max_examples=count)
    @given(st.integers(0, 2**48))
    def compare(seed: int) -> None:
        worlds.compare(seed)

    compare()
    counts = worlds.counts
    tried = counts["compared"] + counts["refused"] + counts["too big"]
    assert counts["compared"] >= 0.6 * tried, counts
    assert counts["refused"] <= 0.05 * tried + 1, counts
    # A trace's order may be another one than that of the steps: the rules of a lock and of a pipe
    # let more releases and more orders of senders pass than there can be.
    assert counts["another order"] <= 0.05 * tried * RUNS + 1, counts
    assert counts["timeout"] + counts["too long"] <= 0.01 * tried + 1, counts


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_seen_is_allowed(part: int, hosts: Hosts, tmp_path: Path) -> None:
    compare_many(hosts, tmp_path, CHUNK)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(MANY_PARTS))
def test_what_is_seen_of_many_is_allowed(part: int, hosts: Hosts, tmp_path: Path) -> None:
    compare_many(hosts, tmp_path, MANY_CHUNK)
