"""A record keeps what was written, whatever became of the process."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from mpflow.engine import record
from mpflow.engine.portable import Foreign, portable, restored
from mpflow.engine.reading import Lane, lanes

ACTION = record.FIRST


@pytest.fixture
def writer(tmp_path):
    return record.Writer(str(tmp_path), variables=2)


@pytest.fixture
def lane(writer, tmp_path):
    (found,) = lanes(str(tmp_path))
    return found


def act(writer: record.Writer, value: object) -> None:
    writer.begin(writer.at, ACTION)
    writer.finish(writer.word(value))


def fill(writer: record.Writer) -> None:
    for value in range(10_000):
        act(writer, value)


def read(lane: Lane) -> list[tuple[int, object, bool]]:
    """Site, value, and whether it is over, of all that a record has."""
    return [
        (site, lane.value(word), bool(stamp))
        for columns in lane.columns()
        for site, word, stamp in zip(*columns, strict=True)
    ]


def test_what_was_written_is_read_back_over_many_segments(writer, lane):
    values = [n if n % 3 else f"text {n}" for n in range(30_000)]
    for value in values:
        act(writer, value)
    assert read(lane) == [(ACTION, value, True) for value in values]
    assert writer.segment > 1
    assert lane.count() == len(values)


def test_stamps_grow_and_a_segment_is_never_left_with_a_gap(writer, lane):
    for value in range(20_000):
        act(writer, value)
    stamps = [stamp for _, _, part in lane.columns() for stamp in part]
    assert stamps == sorted(set(stamps))


def test_an_action_in_progress_is_there_and_known_to_be(writer, lane):
    act(writer, 1)
    assert lane.last() == (0, 1, ACTION, True)
    writer.begin(writer.at, ACTION + 1)
    assert lane.last() == (0, 2, ACTION + 1, False)
    assert [over for _, _, over in read(lane)] == [True, False]


def test_an_action_that_failed_keeps_its_error_and_its_value(writer, lane):
    writer.begin(writer.at, ACTION)
    writer.change(ACTION, writer.word("handed over"))
    writer.fail(("Full", "no room"))
    ((_, (word,), (stamp,)),) = lane.columns()
    *error, value = lane.payload(word)
    assert (error, lane.value(value), stamp < 0) == (["Full", "no room"], "handed over", True)


def test_what_is_new_is_read_once(writer, lane):
    def fresh() -> list[int]:
        return [lane.value(word) for _, words, _ in lane.fresh() for word in words]

    act(writer, 1)
    act(writer, 2)
    writer.begin(writer.at, ACTION)
    assert fresh() == [1, 2]
    assert fresh() == []
    writer.finish(writer.word(3))
    assert fresh() == [3]
    for value in range(10_000):
        act(writer, value)
    assert fresh() == list(range(10_000))


def test_a_variable_that_grows_takes_no_more_room_than_twice_its_values(writer, lane, tmp_path):
    grown: list[int] = []
    for n in range(2_000):
        grown.append(n)
        writer.slots[0] = writer.kept(0, grown)
        assert lane.variables(("grown", "other")) == {"grown": grown}
    taken = sum(os.path.getsize(tmp_path / n) for n in os.listdir(tmp_path) if "values" in n)
    assert taken < 1 << 18


def test_nothing_is_lost_when_the_process_is_killed(tmp_path):
    pid = os.fork()
    if pid == 0:
        writer = record.Writer(str(tmp_path))
        for value in range(5_000):
            act(writer, value)
        writer.begin(writer.at, ACTION)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    (lane,) = lanes(str(tmp_path))
    found = read(lane)
    assert [value for _, value, over in found if over] == list(range(5_000))
    assert [over for _, _, over in found[-2:]] == [True, False]


def test_a_disk_without_room_is_an_error_at_once_and_told(tmp_path):
    told: list[str] = []
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        writer = record.Writer(str(tmp_path), cannot_go_on=lambda: told.append("full"))
        with pytest.raises(record.NoRoomError):
            fill(writer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told == ["full"]
    (lane,) = lanes(str(tmp_path))
    assert [value for _, value, _ in read(lane)] == list(range(writer.limit + 1))


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no")


PORTABLE = [
    (1, 1),
    (-(1 << 62), -(1 << 62)),
    (1 << 80, 1 << 80),
    (None, None),
    (True, True),
    ("text", "text"),
    ([1, (2.5, None)], [1, (2.5, None)]),
    ({"a": {1, 2}, 3: b"x"}, {"a": {1, 2}, 3: b"x"}),
    (object, Foreign("<class 'object'>")),
    (Odd(), Foreign("<Odd: repr failed with ValueError>")),
    ("x" * (1 << 21), Foreign("'" + "x" * 398 + "…")),
]


@pytest.mark.parametrize(("value", "back"), PORTABLE, ids=[str(i) for i in range(len(PORTABLE))])
def test_what_cannot_be_written_or_is_too_large_is_shown_by_its_repr(writer, lane, value, back):
    assert restored(portable(value)) == back
    found = lane.value(writer.word(value))
    assert (found, type(found)) == (back, type(back))


def test_who_reads_a_record_as_soon_as_it_is_there_finds_it_whole(tmp_path, monkeypatch):
    """One that had its head only later was read with its columns in the wrong places for ever."""
    early = []
    rename = os.rename

    def and_read(old: str, new: str) -> None:
        rename(old, new)
        (lane,) = lanes(str(tmp_path))
        assert lane.last() is None
        early.append(lane)

    monkeypatch.setattr(os, "rename", and_read)
    writer = record.Writer(str(tmp_path), variables=3)
    act(writer, 7)
    (lane,) = early
    assert read(lane) == [(ACTION, 7, True)]
    assert lane.variables(("a", "b", "c")) == {}
