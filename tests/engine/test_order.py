"""Whatever the processes were doing at once, the trace is one order that the primitives allow."""

from __future__ import annotations

from itertools import permutations

from mpflow.engine.order import Interval, in_order
from mpflow.plan import Program


def program(**primitives: tuple[str, dict[str, object]]) -> Program:
    declared = tuple((name, type_, options) for name, (type_, options) in primitives.items())
    return Program("x", ".", "fork", 1.0, 1, {}, declared, {}, {}, False)


def ordered(intervals: list[Interval], **primitives: tuple[str, dict[str, object]]) -> list[str]:
    """`process action` in the order found, the same for every order of reading."""
    found = {
        tuple(f"{e.process} {e.action}" for _, _, e in in_order(list(each), program(**primitives)))
        for each in permutations(intervals)
    }
    (one,) = found
    return list(one)


LOCK = ("lock", {})
QUEUE = ("queue", {"maxsize": 0})


def test_a_release_stands_before_the_acquire_it_let_in():
    intervals = [
        Interval("a", "acquire", "l", 0, 1, result=True),
        Interval("a", "release", "l", 10, 30),
        Interval("b", "acquire", "l", 5, 20, result=True),
    ]
    assert ordered(intervals, l=LOCK) == ["a acquire", "a release", "b acquire"]


def test_a_put_stands_before_its_get_even_when_it_returned_later():
    intervals = [
        Interval("a", "put", "q", 10, 30, value=1),
        Interval("b", "get", "q", 5, 20, result=1),
    ]
    assert ordered(intervals, q=QUEUE) == ["a put", "b get"]


def test_a_failed_try_stands_where_the_lock_was_taken():
    intervals = [
        Interval("a", "acquire", "l", 0, 10, result=True),
        Interval("b", "acquire", "l", 1, 5, result=False),
        Interval("a", "release", "l", 20, 21),
    ]
    assert ordered(intervals, l=LOCK) == ["a acquire", "b acquire", "a release"]


def test_a_flag_is_read_true_only_between_set_and_clear():
    intervals = [
        Interval("a", "set", "e", 0, 50),
        Interval("a", "clear", "e", 60, 90),
        Interval("b", "is_set", "e", 55, 100, result=True),
        Interval("c", "is_set", "e", 55, 100, result=False),
    ]
    assert ordered(intervals, e=("event", {})) == ["a set", "b is_set", "a clear", "c is_set"]


def test_a_bounded_queue_never_holds_more_than_its_slots():
    intervals = [
        Interval("a", "put", "q", 0, 1, value=1),
        Interval("a", "put", "q", 2, 20, value=2),
        Interval("b", "get", "q", 5, 15, result=1),
    ]
    assert ordered(intervals, q=("queue", {"maxsize": 1})) == ["a put", "b get", "a put"]


def test_a_message_is_received_after_it_was_sent_and_in_the_sender_s_order():
    options: dict[str, object] = {"duplex": True, "ends": ["conn1", "conn2"]}
    intervals = [
        Interval("a", "send", "p.conn1", 0, 9, value=1),
        Interval("a", "send", "p.conn1", 10, 40, value=2),
        Interval("b", "recv", "p.conn2", 1, 30, result=1),
        Interval("c", "recv", "p.conn2", 2, 20, result=2),
    ]
    assert ordered(intervals, p=("pipe", options)) == ["a send", "a send", "b recv", "c recv"] or (
        ordered(intervals, p=("pipe", options)) == ["a send", "b recv", "a send", "c recv"]
    )


def test_events_of_one_process_keep_their_order_whatever_they_are_on():
    intervals = [
        Interval("a", "acquire", "l", 0, 10, result=True),
        Interval("a", "put", "q", 11, 12, value=1),
        Interval("a", "print", None, 13, 14),
        Interval("a", "release", "l", 15, 16),
    ]
    found = ordered(intervals, l=LOCK, q=QUEUE)
    assert found == ["a acquire", "a put", "a print", "a release"]


def test_the_moments_lie_inside_the_intervals_and_never_go_back():
    intervals = [
        Interval("a", "acquire", "l", 0, 9, result=True),
        Interval("a", "release", "l", 10, 30),
        Interval("b", "acquire", "l", 5, 12, result=True),
        Interval("b", "release", "l", 13, 31),
        Interval("c", "acquire", "l", 1, 40, result=True),
    ]
    found = in_order(intervals, program(l=LOCK))
    moments = [moment for moment, _, _ in found]
    assert moments == sorted(moments)
    assert all(each.began <= moment <= each.ended for moment, _, each in found)
