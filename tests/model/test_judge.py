"""The model against the judge: random programs, the outcomes of both are equal.

In: programs.py, and tests/judge, which shares no code with mpflow. What the judge has no say in,
or finds too big, is left out and counted. Below stand the smallest forms of what they once
disagreed about, each with the side that CPython's source was on.
"""

from __future__ import annotations

import judge
import pytest
import yaml

from model import programs
from model.agreement import made, outcomes, scenario
from mpflow.model.check import Options, check
from mpflow.model.explore import Limits

CHUNK = 50  # programs a test
FEW, MANY = 200, 5_000
MOST = 10_000  # states of the judge's search


def compare(text: str, most: int = MOST) -> bool:
    """Whether both had something to say; they say the same."""
    given = scenario(text)
    assert given is not None, text
    try:
        judged = judge.explore(
            yaml.safe_load(text), start_method=given.start_method, most_states=most
        )
    except (judge.Unsupported, judge.TooBig):
        return False
    report = check(given, Options(Limits(states=10 * most)))
    assert not report.cut, text
    found = outcomes(report)
    model, other = sorted(found - judged.outcomes), sorted(judged.outcomes - found)
    assert found == judged.outcomes, f"the model alone: {model}\nthe judge alone: {other}\n{text}"
    return True


def compare_many(first: int) -> None:
    """A chunk of programs."""
    texts = [made(seed, programs.SMALL)[0] for seed in range(first, first + CHUNK)]
    valid = [text for text in texts if scenario(text) is not None]
    assert len(valid) >= CHUNK * 0.9
    assert sum(map(compare, valid)) >= CHUNK * 0.6


@pytest.mark.parametrize("first", range(0, FEW, CHUNK))
def test_the_judge_says_the_same(first: int) -> None:
    compare_many(first)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FEW, MANY, CHUNK))
def test_the_judge_says_the_same_of_many(first: int) -> None:
    compare_many(first)


SETTLED = {
    # Two may be inside, and notify at once: merged steps would hide it.
    "a condition on a lock that somebody releases who does not hold it": """
primitives: {l: lock, c: {type: condition, lock: l}}
processes:
  a: {actions: [{release: l}, {with: {lock: c, do: [{wait: {for: c, into: x}}]}}]}
  b: {actions: [{with: {lock: c, do: [{notify_all: c}]}}]}
outcome: {o: "[a.x, a.error, b.error]"}
""",
    # Condition.wait_for looks at the clock before it gives the lock up: nobody can come meanwhile.
    "a barrier with no time at all": """
primitives: {b: {type: barrier, parties: 2}}
processes:
  p: {actions: [{wait: {for: b, timeout: 0, into: x}}]}
  q: {actions: [{wait: {for: b, into: x}}]}
outcome: {o: "[p.x, p.error, q.x, q.error]"}
""",
    "killed between what it did and the error that would have ended it": """
primitives: {e: event, l: rlock}
processes:
  p: {actions: [{set: e}, {release: l}, {acquire: l}]}
main: [{start: p}, {is_set: {event: e, into: x}}, {terminate: p}, {join: p}]
outcome: {o: "[main.x, p.error, p.exitcode]"}
""",
    "a loop of nothing": """
processes: {p: {actions: [{while: {condition: "True", do: [pass]}}]}}
outcome: {o: p.exitcode}
""",
    "a loop of actions that nobody else can see": """
primitives: {l: rlock}
processes: {p: {actions: [{repeat: {times: forever, do: [{acquire: l}, {release: l}]}}]}}
outcome: {o: p.exitcode}
""",
    "killed before a loop's first turn": """
processes:
  p: {actions: [{let: {z: 3}}, {for: {each: z, in: [1, 2], do: [pass]}}]}
main: [{start: p}, {terminate: p}, {join: p}]
outcome: {o: "[p.z, p.exitcode]"}
""",
}


@pytest.mark.parametrize("text", SETTLED.values(), ids=SETTLED)
def test_settled(text: str) -> None:
    assert compare(f"mpflow: 1\nstart_method: fork\n{text}expect: {{deadlock: possible}}\n")


def test_what_grows_for_ever_is_cut() -> None:
    """An acquisition of what it has already is no step that others could see."""
    given = scenario("""\
mpflow: 1
primitives: {l: rlock}
processes: {p: {actions: [{repeat: {times: forever, do: [{acquire: l}]}}]}}
""")
    assert given is not None
    assert "100 states" in check(given, Options(Limits(states=100))).cut
