"""The search: as many states as are known, each end found, the nearest way to it."""

from __future__ import annotations

import pytest

from mpflow import api
from mpflow.model.check import Options, Report, check
from mpflow.model.explore import Limits, Watch, interleavings, search
from mpflow.model.facts import facts_of
from mpflow.model.machine import State
from mpflow.model.names import actor
from mpflow.model.reduce import Stubborn
from mpflow.model.space import Space
from mpflow.model.world import World
from mpflow.program import compile_program


def world(text: str) -> World:
    loaded = api.loads(text)
    assert not loaded.problems
    scenario = loaded.scenarios[0]
    program = compile_program(scenario, seed=0)
    return World(program, facts_of(scenario, program, merged=True, exact=False), (3, 11))


def checked(text: str, **options: object) -> Report:
    loaded = api.loads(text)
    assert not loaded.problems, loaded.problems[0].render()
    return check(loaded.scenarios[0], Options(**options))


def philosophers(number: int, ordered: bool) -> str:
    """Each takes his left fork, then his right one; the last one the other way round if ordered."""
    last = f"index == {number - 1} and {ordered}"
    return f"""\
mpflow: 1
primitives: {{forks: {{type: lock, count: {number}}}}}
processes:
  p:
    count: {number}
    actions:
      - acquire: forks[$(0 if {last} else index)]
      - acquire: forks[$(index if {last} else (index + 1) % {number})]
      - release: forks[$(index if {last} else (index + 1) % {number})]
      - release: forks[$(0 if {last} else index)]
"""


@pytest.mark.parametrize(
    ("number", "ordered", "states"),
    [(4, False, 391), (4, True, 320), (6, False, 7_759), (6, True, 6_336)],
)
def test_philosophers_have_as_many_states_as_are_known(
    number: int, ordered: bool, states: int
) -> None:
    """Without reductions, and seen from when main has started them all: where each philosopher is
    and who holds which fork. That one has ended after his last release is no state of its own."""
    space = Space(world(philosophers(number, ordered)))
    found = search(space)
    assert not found.cut
    names = [name for name in space.world.program.plans if name != "main"]
    seen = set()
    for state in found.came_from:
        values = [space.value(state, actor(name)) for name in names]
        if None not in values:
            forks = tuple(space.value(state, f"forks[{i}]") for i in range(number))
            seen.add((tuple(_place(value) for value in values), forks))
    assert len(seen) == states


def _place(value: object) -> int:
    state = getattr(value, "state", None)
    return state.at if isinstance(state, State) else 4


@pytest.mark.parametrize("number", [3, 4, 5])
def test_the_first_deadlock_is_the_nearest(number: int) -> None:
    """Each is started, and each takes one fork: no way to it is shorter."""
    report = checked(philosophers(number, ordered=False))
    assert report.verdict == "violated"
    assert report.deadlock is not None
    assert len(report.deadlock.schedule) == 2 * number
    assert checked(philosophers(number, ordered=True)).verdict == "proved"


@pytest.mark.parametrize("ordered", [False, True])
def test_a_reduced_search_finds_the_same_ends(ordered: bool) -> None:
    space = Space(world(philosophers(4, ordered)))
    whole, few = search(space), search(space, graph=Stubborn)
    assert set(whole.ends) == set(few.ends)
    assert len(few.came_from) * 5 < len(whole.came_from)


def test_interleavings_are_counted_exactly() -> None:
    """Two processes of two steps each, which main starts and joins: ways to mix them, by hand.

    A process's last release and its end are two steps. Main starts a, then b, and joins a, then b.
    """
    text = """\
mpflow: 1
primitives: {s: {type: semaphore, value: 2}}
processes:
  a: {actions: [{acquire: s}]}
  b: {actions: [{acquire: s}]}
"""
    space = Space(world(text))
    # main: start a, start b, join a, join b, end. a: acquire, end. b: acquire, end.
    assert interleavings(space, Watch(Limits(), None)) == _ways(
        {"m": 5, "a": 2, "b": 2},
        [("m1", "a1"), ("m2", "b1"), ("a2", "m3"), ("b2", "m4")],
    )


def _ways(lengths: dict[str, int], before: list[tuple[str, str]]) -> int:
    """Orders of all steps in which each row keeps its own, and the first of each pair comes before
    the second, counted one by one."""

    def count(done: dict[str, int]) -> int:
        if done == lengths:
            return 1
        total = 0
        for name, length in lengths.items():
            step = f"{name}{done[name] + 1}"
            ready = all(int(a[1:]) <= done[a[0]] for a, b in before if b == step)
            if done[name] < length and ready:
                total += count({**done, name: done[name] + 1})
        return total

    return count(dict.fromkeys(lengths, 0))


def test_a_limit_reached_is_unknown_and_says_so() -> None:
    report = checked(philosophers(6, ordered=True), limits=Limits(states=100), reduce=False)
    assert (report.verdict, report.cut) == ("unknown", "the limit of 100 states was reached")


def test_what_was_found_before_the_limit_counts() -> None:
    text = """\
mpflow: 1
primitives: {q: queue}
processes:
  fails: {actions: [raise: ValueError]}
  grows:
    vars: {n: 0}
    actions: [{repeat: {times: forever, do: [{put: {to: q, value: $n}}, {let: {n: $(n + 1)}}]}}]
"""
    report = checked(text, limits=Limits(states=5_000))
    assert report.verdict == "violated"
    assert report.violations[0].text == "`fails` exited with 1 by ValueError, not 0"


def test_a_loop_that_nobody_can_leave_never_ends() -> None:
    text = """\
mpflow: 1
primitives: {e: event}
processes:
  waits:
    vars: {ready: false}
    actions:
      - while: {condition: not ready, do: [{is_set: {event: e, into: ready}}]}
"""
    report = checked(text)
    assert [each.text for each in report.violations] == ["the run ended by timeout"]
    assert [each.value for each in report.outcomes] == ["timeout"]


def test_a_loop_that_somebody_else_ends_is_none() -> None:
    text = """\
mpflow: 1
primitives: {e: event}
processes:
  waits:
    vars: {ready: false}
    actions:
      - while: {condition: not ready, do: [{is_set: {event: e, into: ready}}]}
  sets: {actions: [set: e]}
"""
    assert checked(text).verdict == "proved"


def test_deadlocked_processes_beside_one_that_goes_on() -> None:
    """Two block each other while a third turns for ever: the run never ends, and is no deadlock."""
    text = """\
mpflow: 1
primitives: {a: lock, b: lock, e: event}
processes:
  one: {actions: [{acquire: a}, {wait: e}, {acquire: b}]}
  two: {actions: [{acquire: b}, {set: e}, {acquire: a}]}
  turns: {actions: [{repeat: {times: forever, do: [is_set: e]}}]}
expect: {timeout: always}
"""
    assert checked(text).verdict == "proved"


TWO_MARKS = """\
mpflow: 1
processes:
  a: {actions: [mark: first]}
  b: {actions: [mark: second]}
expect: {order: [[first, second]]}
"""


@pytest.mark.parametrize("options", [{}, {"reduce": False}, {"merge": False}, {"timing": "exact"}])
def test_runs_that_differ_in_their_marks_alone_are_two(options: dict[str, object]) -> None:
    report = checked(TWO_MARKS, **options)
    assert report.verdict == "violated"
    assert report.violations[0].text.startswith("order: mark `second` came before mark `first`")


def test_what_has_no_lock_cannot_be_acquired() -> None:
    text = """\
mpflow: 1
primitives: {v: {type: value, lock: false}}
processes:
  p: {actions: [{try: {do: [acquire: v], except: {AttributeError: [{let: {told: true}}]}}}]}
outcome: {told: p.told}
expect: {outcomes: [{told: true}]}
"""
    assert checked(text).verdict == "proved"


LOCKSTEP = """\
mpflow: 1
timing: exact
primitives: {b: lock}
processes:
  x:
    vars: {got: false}
    actions:
      - while:
          condition: not got
          do: [{sleep: 1}, {acquire: {lock: b, block: false, into: got}}, {sleep: 2}]
  y:
    actions:
      - repeat: {times: forever, do: [{acquire: b}, {sleep: 2}, {release: b}, {sleep: 1}]}
expect: {timeout: always}
"""


def test_time_goes_by_on_its_own_only_in_loops_in_which_it_stands_still() -> None:
    """y has the lock from 0 to 2, from 3 to 5 …, and x tries it at 1, at 4 …"""
    report = checked(LOCKSTEP)
    assert (report.verdict, [each.value for each in report.outcomes]) == ("proved", ["timeout"])


RELEASES = """\
mpflow: 1
primitives: {s: {type: semaphore, value: 0}}
processes:
  a: {actions: [{repeat: {times: forever, do: [{release: s}]}}]}
"""


def test_who_goes_on_for_ever_by_himself_is_seen_by_limits() -> None:
    report = checked(RELEASES, limits=Limits(states=50))
    told = "the limit of 50 states was reached; `s` has had "
    assert (report.verdict, report.states) == ("unknown", 50)
    assert report.cut.startswith(told)


def test_a_loop_may_have_more_turns_than_len_can_count() -> None:
    text = """\
mpflow: 1
processes: {p: {actions: [{repeat: {times: 99999999999999999999, do: [break]}}]}}
"""
    assert checked(text).verdict == "proved"


def test_a_counterexample_on_the_way_is_shortest_and_ends_there() -> None:
    """Of three, two are enough to be inside at once; reductions have all three started first."""
    text = """\
mpflow: 1
primitives: {s: {type: semaphore, value: 2}}
processes:
  w:
    count: 3
    actions: [{with: {lock: s, do: [{section: {name: crit, do: [pass]}}]}}]
expect: {exclusive: {crit: 1}}
"""
    lengths = [len(checked(text, reduce=reduce).violations[0].schedule) for reduce in (True, False)]
    assert lengths == [6, 6]
