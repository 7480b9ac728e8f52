"""A run's records, read back: a folder goes in, for each record its columns and values come out.

Reads what is finished as well as what is still being written: a place without a site is one
that nobody has come to yet.
"""

from __future__ import annotations

import marshal
import mmap
import os
from collections.abc import Iterator
from typing import Any

from mpflow.engine import record
from mpflow.engine.portable import restored
from mpflow.engine.record import EVENTS, HEAD, VALUES, parts_of

_OFFSET = (1 << record.OFFSET_BITS) - 1
_BATCH = 2048
_KEPT = 2  # files of one record that stay mapped
Columns = tuple[list[int], list[int], list[float]]  # sites, words, stamps
_OF_ACTIONS = (record.SITES, record.IDLE, record.PRINTED)


def lanes(folder: str) -> list[Lane]:
    """The records in a folder, in the order of pid and thread. FileNotFoundError without it."""
    names = (n.split(".") for n in os.listdir(folder) if n.endswith(f".0{EVENTS}"))
    return [Lane(folder, pid, lane) for pid, lane in sorted((int(n[0]), int(n[1])) for n in names)]


class Segment:
    """One file of events, mapped: its columns, and how many of its places are taken."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as stream:
            self.map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self.variables, self.sites, self.words, self.stamps = parts_of(memoryview(self.map))
        self.head = HEAD + self.variables.nbytes
        self.capacity = len(self.sites)
        self.taken = 0

    def look(self) -> int:
        """How many places are taken now."""
        at = self.taken
        while at < self.capacity and self.sites[at]:
            found = self.map.find(b"\0\0\0\0", self.head + 4 * at, self.head + 4 * self.capacity)
            if found < 0:
                at = self.capacity
                break
            at = max(at + 1, (found - self.head) // 4)
        self.taken = at
        return at

    def columns(self, start: int, end: int) -> Columns:
        """Sites, words and stamps of some places."""
        stamps: list[float] = list(self.stamps[start:end])
        return self.sites[start:end].tolist(), self.words[start:end].tolist(), stamps


class Lane:
    """The record of one thread of one process."""

    def __init__(self, folder: str, pid: int, lane: int) -> None:
        self.pid = pid
        self.lane = lane
        self._base = os.path.join(folder, f"{pid}.{lane}.")
        self._count = 0  # of its segments, as far as it is known
        self._events: dict[int, Segment] = {}  # the few that were read last
        self._values: dict[int, memoryview] = {}
        self._remembered: dict[int, Any] = {}
        self._read = (0, 0)  # the segment and the place that `fresh` has come to

    # How far it has come

    def last(self) -> tuple[int, int, int, bool] | None:
        """The newest segment's number, how many of its places are taken, and the last one's
        site and whether it is over; None while there is nothing."""
        number = self._newest()
        if number < 0:
            return None
        segment = self._segment(number)
        taken = segment.look()
        if not taken:
            if not number:
                return None
            segment = self._segment(number - 1)
            taken = segment.look()
        return number, taken, segment.sites[taken - 1], segment.stamps[taken - 1] != 0

    def _newest(self) -> int:
        """The number of the newest segment; -1 while there is none."""
        while os.path.exists(f"{self._base}{self._count}{EVENTS}"):
            self._count += 1
        return self._count - 1

    def _segment(self, number: int) -> Segment:
        """A segment, mapped; of those that were read before, few stay."""
        if number not in self._events:
            if len(self._events) >= _KEPT:
                del self._events[next(iter(self._events))]
            self._events[number] = Segment(f"{self._base}{number}{EVENTS}")
        return self._events[number]

    def count(self) -> int:
        """How many places are taken."""
        return sum(self._segment(n).look() for n in range(self._newest() + 1))

    # What it holds

    def columns(self) -> Iterator[Columns]:
        """Sites, words and stamps, in batches; only the very last one can be in progress."""
        number = 0
        while number <= self._newest():
            segment = self._segment(number)
            taken = segment.look()
            for start in range(0, taken, _BATCH):
                end = min(start + _BATCH, taken)
                yield segment.columns(start, end)
            number += 1

    def fresh(self) -> Iterator[Columns]:
        """What has been completed since this was last asked for."""
        while True:
            number, start = self._read
            if number > self._newest():
                return
            segment = self._segment(number)
            end = segment.look()
            if end and not segment.stamps[end - 1]:
                end -= 1
            if start < end:
                yield segment.columns(start, end)
            closed = os.path.exists(f"{self._base}{number + 1}{EVENTS}")
            self._read = (number + 1, 0) if closed and start == end else (number, end)
            if start == end and not closed:
                return

    def last_stamp(self) -> float:
        """When the last of its records was over."""
        return max((abs(each) for _, _, stamps in self.columns() for each in stamps), default=0.0)

    def notes(self) -> Iterator[tuple[int, Any, float]]:
        """The records that are no actions, with what they say: site, payload, stamp."""
        for sites, words, stamps in self.columns():
            if min(sites) >= record.FIRST:
                continue
            for at, site in enumerate(sites):
                if site < record.FIRST and site not in _OF_ACTIONS and stamps[at]:
                    yield site, self.payload(words[at]), stamps[at]

    def payload(self, word: int) -> Any:
        """What was spilled under a word, as it was written."""
        if word < record.PLACES:
            return None
        place = word - record.PLACES
        number = place >> record.OFFSET_BITS
        if number not in self._values:
            if len(self._values) >= _KEPT:
                del self._values[next(iter(self._values))]
            with open(f"{self._base}{number}{VALUES}", "rb") as stream:
                whole = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            self._values[number] = memoryview(whole)
        return marshal.loads(self._values[number][place & _OFFSET :])

    def value(self, word: int) -> Any:
        """The value that a word stands for."""
        if word < record.MOST:
            return word
        if word < record.UNSET:
            return record.CONSTANTS[word - record.MOST]
        found = self._remembered.get(word)
        if found is None:
            if len(self._remembered) > 4096:
                self._remembered.clear()
            found = self._remembered[word] = restored(self.payload(word))
        return found

    def variables(self, names: tuple[str, ...]) -> dict[str, Any]:
        """The variables as they were last saved."""
        if self._newest() < 0:
            return {}
        words = self._segment(0).variables.tolist()
        self._remembered.clear()  # a variable's place is written again and again
        pairs = zip(names, words, strict=False)
        return {name: self.value(word) for name, word in pairs if word != record.UNSET}
