"""A record keeps what was written, whatever became of the process."""

from __future__ import annotations

import os

import pytest

from mpflow.engine import record


@pytest.fixture
def writer(tmp_path):
    made = record.Writer(str(tmp_path))
    yield made
    made.close()


def test_frames_are_read_back_as_they_were_written(writer):
    written = [("begin", "p", 1, 2), ("act", 0, [1, {"a": (None, True)}], 2.5, "ü")]
    for frame in written:
        writer.write(*frame)
    with open(writer.path, "rb") as stream:
        assert list(record.frames(stream.read())) == written


def test_a_torn_last_frame_is_left_out_at_every_length(writer):
    writer.write("one")
    whole = os.path.getsize(writer.path)
    writer.write("two", "x" * 50)
    with open(writer.path, "rb") as stream:
        data = stream.read()
    for length in range(whole, len(data)):
        assert list(record.frames(data[:length])) == [("one",)]
    for length in range(whole):
        assert list(record.frames(data[:length])) == []


def test_the_last_frame_is_found_from_the_end_or_not_at_all(writer, tmp_path):
    writer.write("one")
    writer.write("two", 2)
    with open(writer.path, "rb") as stream:
        size = os.path.getsize(writer.path)
        assert record.last_frame(stream.fileno(), size) == ("two", 2)
        assert record.last_frame(stream.fileno(), size - 1) is None
        assert record.last_frame(stream.fileno(), 0) is None


def test_stamps_always_grow(writer):
    stamps = [writer.stamp() for _ in range(1000)]
    assert stamps == sorted(set(stamps))


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no")


PORTABLE = [
    (1, 1),
    ("text", "text"),
    ([1, (2.5, None)], [1, (2.5, None)]),
    ({"a": {1, 2}, 3: b"x"}, {"a": {1, 2}, 3: b"x"}),
    (object, record.Foreign("<class 'object'>")),
    (Odd(), record.Foreign("<Odd: repr failed with ValueError>")),
    ("x" * (1 << 21), record.Foreign("'" + "x" * 398 + "…")),
]


@pytest.mark.parametrize(("value", "back"), PORTABLE, ids=[str(i) for i in range(len(PORTABLE))])
def test_what_cannot_be_written_or_is_too_large_is_shown_by_its_repr(value, back):
    assert record.restored(record.portable(value)) == back
