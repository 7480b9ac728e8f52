"""A loop that nobody can leave is closed: from a state back to it, with everybody who can move."""

from __future__ import annotations

from mpflow import api
from mpflow.model import lasso as module
from mpflow.model.check import check
from mpflow.model.lasso import lasso
from mpflow.model.schedule import replay
from mpflow.model.space import Space

SPIN = """\
mpflow: 1
primitives: {turn: value, other: value}
processes:
  a:
    actions:
      - while: {condition: "True", do: [{load: {from: turn, into: x}}, {load: {from: other}}]}
  b:
    actions:
      - while: {condition: "True", do: [{load: {from: other, into: y}}]}
  c:
    actions: [{load: turn}]
"""


def found():
    """A space, the way to a loop in it, and the state there."""
    report = check(api.loads(SPIN).scenarios[0])
    (violation,) = report.violations
    assert violation.end == "timeout"
    space = Space(report.world)
    taken = replay(space, violation.schedule)
    return space, violation.schedule, taken[-1].state


def test_the_loop_leads_from_its_state_back_to_it():
    space, schedule, state = found()
    loop = lasso(space, state)
    assert loop is not None
    assert replay(space, (*schedule, *loop.moves))[-1].state == state


def test_everybody_moves_in_it_who_can():
    space, _, state = found()
    loop = lasso(space, state)
    assert loop is not None
    assert {move.actor for move in loop.moves} == loop.actors == {"@a", "@b"}


def test_one_that_is_too_large_is_not_told(monkeypatch):
    space, _, state = found()
    monkeypatch.setattr(module, "MOST", 1)
    assert lasso(space, state) is None
