"""Nothing that happened is lost, however a process dies."""

from __future__ import annotations

from random import Random

import pytest
from dying import WAYS, lost

RUNS = 4  # of each way and method: 32 in all


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("way", WAYS)
def test_a_trace_has_all_that_a_dying_process_has_done(way, method, tmp_path):
    chance = Random(f"{way} {method}")
    assert [lost(way, method, chance, str(tmp_path)) for _ in range(RUNS)] == [None] * RUNS
