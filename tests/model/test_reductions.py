"""Each reduction against the plain search without any: random programs, one answer.

In: programs.py. Outcomes, verdicts, and what violations say are the same whether stubborn sets
leave something out, and whether steps are merged.
"""

from __future__ import annotations

import pytest

from model import programs
from model.agreement import made, said, scenario
from mpflow.model.check import Options
from mpflow.model.explore import Limits

CHUNK = 50  # programs a test
FEW, MANY = 200, 5_000
MOST = 15_000  # states of a search; what has more is left out, and counted
LIMITS = Limits(states=MOST)
WAYS = [(reduce, merge) for reduce in (True, False) for merge in (True, False)]


def compare(first: int) -> None:
    """A chunk of programs, each searched in four ways."""
    refused = cut = 0
    for seed in range(first, first + CHUNK):
        text, _ = made(seed, programs.ANY)
        given = scenario(text)
        if given is None:
            refused += 1
            continue
        answers = [said(given, Options(LIMITS, *WAYS[0]))]
        for reduce, merge in WAYS[1:]:
            if answers[-1] is None:
                break
            answers.append(said(given, Options(LIMITS, reduce, merge)))
        if None in answers:
            cut += 1
        known = {each for each in answers if each is not None}
        assert len(known) <= 1, f"seed {seed}:\n{text}\n" + "\n".join(map(str, answers))
    assert refused <= CHUNK // 10
    assert cut <= CHUNK // 3


@pytest.mark.parametrize("first", range(0, FEW, CHUNK))
def test_reductions(first: int) -> None:
    compare(first)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FEW, MANY, CHUNK))
def test_reductions_of_many(first: int) -> None:
    compare(first)
