"""Whatever the processes were doing at once, the trace is one order that the primitives allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count, islice
from random import Random
from typing import Any

import pytest
from histories import IN_LINE, TYPES, altered, faults, history, possible, rule

from mpflow import registry
from mpflow.engine import order
from mpflow.engine.legal import TOOK_EFFECT
from mpflow.engine.order import Interval, Placed, in_order
from mpflow.rule import Rule


def did(
    process: str, action: str, subject: str, began: float, ended: float, **more: Any
) -> Interval:
    return Interval(ended, began, process, action, more.pop("on", subject), subject, **more)


def placed(intervals: list[Interval]) -> list[Placed]:
    """The order found; the same whichever lane is read first."""
    lanes: dict[str, list[Interval]] = {}
    for each in intervals:
        lanes.setdefault(each.process, []).append(each)
    found = list(in_order(list(lanes.values()), rule))
    assert found == list(in_order(list(lanes.values())[::-1], rule))
    assert faults(found) == []
    return found


def ordered(intervals: list[Interval]) -> list[str]:
    """`process action` in the order found; none is suspect."""
    found = placed(intervals)
    assert not any(each[2] for each in found)
    return [f"{each[1].process} {each[1].action}" for each in found]


def test_a_release_stands_before_the_acquire_it_let_in():
    intervals = [
        did("a", "acquire", "lock", 0, 1, result=True),
        did("a", "release", "lock", 10, 30),
        did("b", "acquire", "lock", 5, 20, result=True),
    ]
    assert ordered(intervals) == ["a acquire", "a release", "b acquire"]


def test_a_put_stands_before_its_get_even_when_it_returned_later():
    intervals = [
        did("a", "put", "queue", 10, 30, value=1),
        did("b", "get", "queue", 5, 20, result=1),
    ]
    assert ordered(intervals) == ["a put", "b get"]


def test_a_failed_try_stands_where_the_lock_was_taken():
    intervals = [
        did("a", "acquire", "lock", 0, 10, result=True),
        did("b", "acquire", "lock", 1, 5, result=False),
        did("a", "release", "lock", 20, 21),
    ]
    assert ordered(intervals) == ["a acquire", "b acquire", "a release"]


def test_what_was_placed_is_taken_back_when_a_later_event_shows_that_it_came_later():
    intervals = [
        did("a", "set", "event", 0, 50),
        did("a", "clear", "event", 60, 90),
        did("b", "is_set", "event", 55, 100, result=True),
        did("c", "is_set", "event", 55, 110, result=False),
    ]
    assert ordered(intervals) == ["a set", "b is_set", "a clear", "c is_set"]


def test_a_bounded_queue_never_holds_more_than_its_slots():
    intervals = [
        did("a", "put", "slots", 0, 1, value=1),
        did("a", "put", "slots", 2, 3, value=2),
        did("a", "put", "slots", 4, 20, value=3),
        did("b", "get", "slots", 5, 25, result=1),
    ]
    assert ordered(intervals) == ["a put", "a put", "b get", "a put"]


def test_a_message_is_received_in_the_sender_s_order():
    intervals = [
        did("a", "send", "pipe", 0, 9, value=1, on="pipe.a"),
        did("a", "send", "pipe", 10, 40, value=2, on="pipe.a"),
        did("b", "recv", "pipe", 1, 30, result=1, on="pipe.b"),
        did("c", "recv", "pipe", 2, 20, result=2, on="pipe.b"),
    ]
    assert ordered(intervals) == ["a send", "b recv", "a send", "c recv"]


def test_a_process_begins_after_its_start_and_is_joined_after_its_end():
    intervals = [
        did("a", "start", "process b", 0, 9),
        did("a", "join", "process b", 10, 20, result=True),
        did("b", "begin", "process b", 5, 5),
        did("b", "end", "process b", 6, 21),
    ]
    assert ordered(intervals) == ["a start", "b begin", "b end", "a join"]


def test_what_never_came_back_may_have_taken_effect_or_not():
    killed = did("a", "release", "lock", 5, math.inf, status="blocked")
    intervals = [
        did("a", "acquire", "lock", 0, 1, result=True),
        killed,
        did("b", "acquire", "lock", 2, 9, result=False),
        did("b", "acquire", "lock", 10, 90, result=True),
    ]
    assert ordered(intervals) == ["a acquire", "b acquire", "a release", "b acquire"]
    assert [each[2] for each in placed(intervals)] == [None, None, TOOK_EFFECT, None]
    assert ordered(intervals[:3]) == ["a acquire", "a release", "b acquire"]
    assert [each[2] for each in placed(intervals[:3])] == [None, None, None]


@pytest.mark.parametrize("kind", ["line", "queue"])
def test_what_a_killed_process_has_taken_it_took_before_it_died(kind):
    """Which of two items that was, only the get behind it tells; it died before the second."""
    intervals = [
        did("main", "put", kind, 0, 1, value=1),
        did("a", "get", kind, 2, math.inf, status="blocked"),
        did("b", "put", kind, 6, 7, value=2),
        did("c", "get", kind, 8, 9, result=2),
    ]
    found = placed(intervals)
    assert [(each[1].process, each[2]) for each in found] == [
        ("main", None),
        ("a", TOOK_EFFECT if kind == "line" else None),
        ("b", None),
        ("c", None),
    ]


def test_what_no_order_allows_is_said_and_stands_at_its_end():
    intervals = [
        did("a", "acquire", "lock", 0, 1, result=True),
        did("b", "acquire", "lock", 2, 3, result=True),
        did("a", "release", "lock", 4, 5),
    ]
    found = placed(intervals)
    assert [(each[0], each[2]) for each in found] == [
        (1, None),
        (3, "no order of what was done to `lock` at the time allows this `acquire`"),
        (5, None),
    ]


def test_values_that_could_not_be_written_down_go_by_their_type():
    class Foreign:
        foreign_type = "Widget"

    intervals = [
        did("a", "put", "queue", 0, 1, value=Foreign()),
        did("a", "put", "queue", 2, 3, value=[math.nan]),
        did("b", "get", "queue", 4, 5, result=Foreign()),
        did("b", "get", "queue", 6, 7, result=[float("nan")]),
    ]
    assert ordered(intervals) == ["a put", "a put", "b get", "b get"]


CHANGED = [
    did("main", "put", "queue", 0, 1, value=[1]),
    did("main", "put", "queue", 2, 3, value=[1, 2]),
]


@pytest.mark.parametrize("kind", ["queue", "joinable_queue"])
def test_an_item_may_have_been_changed_behind_its_put_only_where_no_order_does_without(kind):
    def in_code(subject: str) -> Rule:
        return registry.primitive(kind).rule({"code": True})

    one = did("a", "get", "queue", 4, 6, result=[1, 2])
    other = did("b", "get", "queue", 5, 7, result=[1])
    found = list(in_order([CHANGED, [one], [other]], in_code))
    assert [(each[1].result, each[2]) for each in found[2:]] == [([1], None), ([1, 2], None)]
    later = did("b", "get", "queue", 7, 8, result=[1, 2])
    found = list(in_order([CHANGED, [one], [later]], in_code))
    assert [(each[1].result, each[2]) for each in found[2:]] == [([1, 2], None), ([1, 2], None)]
    other = did("b", "get", "queue", 7, 8, result=3)
    found = list(in_order([CHANGED, [one], [other]], in_code))
    assert found[-1][2] is not None


@pytest.mark.parametrize("name", sorted(TYPES))
def test_an_event_is_suspect_if_and_only_if_no_order_at_all_is_legal(name):
    random = Random(name)
    verdicts = set()
    in_line = name in (
        *IN_LINE,
        "polled",
    )  # puts at one moment are in no order that a get could tell
    for _ in range(400):
        lanes = history(
            random,
            [name],
            random.randint(2, 5),
            random.randint(3, 12),
            ticks=not in_line and random.random() < 0.4,
            killed=random.choice([0, 0.1, 0.3]),
        )
        assert possible(lanes)
        for each in (lanes, altered(random, lanes)):
            found = list(in_order(each, rule, batch=random.choice([2, 3, 100])))
            assert len(found) == sum(map(len, each))
            assert faults(found) == []
            assert any(one[2] for one in found) == (not possible(each))
            verdicts.add(possible(each))
    assert verdicts == {True, False}


@pytest.mark.parametrize(("items", "batch"), [(1, 4096), (3, 50), (10**6, 1000)])
def test_a_long_run_has_a_legal_order_whatever_the_batches(items, batch):
    lanes = history(Random(items), sorted(TYPES), 8, 50_000, items=items, killed=1e-5)
    found = list(in_order(lanes, rule, batch=batch))
    assert len(found) == sum(map(len, lanes)) > 40_000
    assert faults(found) == []
    assert [each for each in found if each[2]] == []


def test_nothing_moves_any_more_that_was_given_out(monkeypatch):
    """With little held back not all can be mended; what stands there is in order all the same."""
    monkeypatch.setattr(order, "HELD", 10)
    for seed in range(50):
        lanes = history(Random(seed), sorted(TYPES), 5, 300, ticks=seed % 2 == 0, killed=0.003)
        found = list(in_order(lanes, rule, batch=3))
        assert len({id(each[1]) for each in found}) == sum(map(len, lanes))
        assert faults(found, rule) == []


def test_lanes_are_read_as_they_are_needed():
    def forever(process: str) -> Iterator[Interval]:
        for n in count():
            yield did(process, "is_set", "event", n, n + 1, result=False)

    found = list(islice(in_order([forever("a"), forever("b")], rule, batch=100), 50_000))
    assert found[-1][0] == 25_000
