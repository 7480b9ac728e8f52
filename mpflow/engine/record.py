"""What a process writes down while it runs: one memory-mapped record for each process.

A record is three columns that grow together: the *site* (which action of the program, written
before the action), the *word* (a value, if there is one) and the *stamp* (when it was over,
written after it). A site without a stamp is an action in progress. What is stored in a mapped
file survives the process, however it dies, and costs no system call. Values that are no small
integers are spilled into a second mapped file, and the word says where (recording.md).

Both files are chains of segments, each as large as all before it up to a limit, and allocated
before they are used: a full disk is an error at that moment and no SIGBUS later.
"""

from __future__ import annotations

import errno
import marshal
import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple

from mpflow.engine.portable import Forms, dumped, portable

# Sites that are no actions. An odd site waits without a limit: for ever, if nobody acts. Of a
# program's own sites the one that waits with a limit has the bit LIMITED: it may still get stuck
# behind that limit, as Condition.wait does when it cannot have its lock again.
BEGIN = 2  # name, pid, names of the variables that have a slot
SITES = 4  # the meaning of further sites: a list of Site
CODE = 6  # Python code runs from here on
IDLE = 8  # nothing: a stamp alone, behind what leaves none
PRINTED = 10  # line, module and line of the code that printed it
VARIABLE = 12  # name, value: of a variable that has no slot
REAPED = 14  # a child seen to have ended: name, pid, exit code, when it was seen
HELPER = 16  # pid of a process that Python started for itself
LEAVE = 18  # exit code, error, variables
LEAVE_WAITING = 19  # the same, and the exit hooks may wait for ever
END = 20  # the exit hooks are done
FIRST = 32  # of a program's own sites
STEP = 4  # from one of them to the next
LIMITED = 2

EVENTS, VALUES, ROOM = ".events", ".values", "room"

# Words: an integer between LEAST and MOST is itself; above stand constants, then places.
MOST = 1 << 62
LEAST = -MOST
CONSTANTS: tuple[object, ...] = (None, False, True)
UNSET = MOST + len(CONSTANTS)
PLACES = MOST + 16
OFFSET_BITS = 40

_SLACK = 64  # records that are still free when a segment counts as full
_SMALLEST, _LARGEST = 1 << 16, 1 << 24  # bytes of a segment
_RECORD = 20  # bytes: 4 for the site, 8 for the word, 8 for the stamp
_REMEMBERED = 100  # characters of a text that is spilled once and referred to again


Views = tuple[memoryview, memoryview, "memoryview[float]", int, int]


class Site(NamedTuple):
    """What a site's number stands for.

    `shows`: what the word holds: the `value` handed over, the `result`, the result as a
    `boolean`, `both` value and result, or nothing; `keyed`: that, and before it which item of its
    object it is about.
    `timed`: a false result means that the timeout struck. `phase`: enter or leave, of a section;
    `begun`, of a call. `code`: module and line, of Python code.
    """

    number: int
    action: str
    on: str | None
    line: int | None
    shows: str = ""
    timed: bool = False
    phase: str = ""
    code: str = ""
    keyed: bool = False


class _Place(NamedTuple):
    """Where a value is written: in which file, from where, how much fits, the word that says so."""

    values: mmap.mmap
    at: int
    size: int
    word: int


class NoRoomError(OSError):
    """The disk, or what this user may use of it, is full."""


class Writer:
    """One thread's record. `folder` is the run's, `lane` the number of the thread: 0 for main.

    `sites`, `words` and `stamps` are the columns of the present segment, `at` the next free
    place in them, `limit` the last place from which a block of actions may begin. `slots` holds
    the words of the variables. `cannot_go_on` is called when there is no room left.
    """

    def __init__(
        self,
        folder: str,
        variables: int = 0,
        lane: int = 0,
        cannot_go_on: Callable[[], None] | None = None,
    ) -> None:
        self.folder = folder
        self.cannot_go_on = cannot_go_on
        self.pid = os.getpid()
        self.name = f"{self.pid}.{lane}"
        self.segment = -1
        self.places: dict[str, int] = {}  # of short texts that are spilled already
        self.turns: dict[int, list[_Place]] = {}  # of the variables' values
        self.forms = Forms()
        self.spilled = -1  # the segment of values
        self.free = self.end = 0
        self.next_site = FIRST
        self.slots = memoryview(b"")
        self.descriptors: list[int] = []
        self._map_events(variables)

    # The columns

    def views(self) -> Views:
        """What the source of a process keeps in its locals: the columns, `at` and `limit`."""
        return self.sites, self.words, self.stamps, self.at, self.limit

    def more(self, at: int) -> Views:
        """The views of a further segment; the present one is full up to `at`."""
        self.at = at
        self._map_events()
        return self.views()

    def _map_events(self, slots: int = 0) -> None:
        self.segment += 1
        size = min(_SMALLEST << self.segment, _LARGEST) + 8 * slots
        head = slots.to_bytes(HEAD, "little") + slots * UNSET.to_bytes(8, "little")
        view = memoryview(self._mapped(f"{self.name}.{self.segment}{EVENTS}", size, head))
        variables, self.sites, self.words, self.stamps = parts_of(view)
        if slots:
            self.slots = variables
        self.at, self.limit = 0, len(self.sites) - _SLACK

    def _mapped(self, name: str, size: int, head: bytes = b"") -> mmap.mmap:
        """A new file of that size, mapped; its room is really there, and so is its head: whoever
        reads while it is written finds it whole."""
        path = os.path.join(self.folder, name)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(f"{path}~", flags, 0o600)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(descriptor, 0, size)
                else:
                    os.truncate(descriptor, size)
                found = self._map(descriptor, size)
            finally:
                os.close(descriptor)
            found[: len(head)] = head
            os.rename(f"{path}~", path)
            return found
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM):
                raise
            if self.cannot_go_on is not None:
                self.cannot_go_on()
            raise NoRoomError(error.errno, os.strerror(error.errno), self.folder) from None

    def _map(self, descriptor: int, size: int) -> mmap.mmap:
        """The file, mapped; the descriptor that `mmap` keeps of it is remembered."""
        free = os.dup(descriptor)
        os.close(free)
        found = mmap.mmap(descriptor, size)
        with suppress(OSError):
            if os.path.sameopenfile(free, descriptor):
                self.descriptors.append(free)
        return found

    def abandon(self) -> None:
        """Close the descriptors of a record that was inherited by fork: it is the parent's. The
        mappings stay, for the parent's source still stands on the stack; so `mmap` will never
        close them itself."""
        for descriptor in self.descriptors:
            with suppress(OSError):
                os.close(descriptor)
        self.descriptors.clear()

    # Values

    def word(self, value: object) -> int:
        """The word for a value; what is no small integer is spilled."""
        if type(value) is int and LEAST < value < MOST:
            return value
        if value is None or type(value) is bool:
            return MOST + CONSTANTS.index(value)
        if type(value) is not str or len(value) > _REMEMBERED:
            return self._put(dumped(value) or marshal.dumps(self.forms.foreign(value)))
        found = self.places.get(value)
        if found is None:
            if len(self.places) > 4096:
                self.places.clear()
            found = self.places[value] = self._put(marshal.dumps(("=", value)))
        return found

    def pair(self, one: object, other: object) -> int:
        """The word for two values side by side."""
        return self.spill(("&", portable(one), portable(other)))

    def given(self, shows: str, keyed: bool, at: object, value: object) -> int:
        """The word of an action that begins, as its site's `shows` and `keyed` have it: `at` which
        item it is done to, `value` what is handed over."""
        if keyed:
            return self.pair(at, value)
        if shows == "both":
            return self.pair(value, None)
        return self.word(value) if shows == "value" else MOST

    def gave(
        self, shows: str, keyed: bool, at: object, value: object, result: object
    ) -> int | None:
        """The word of the same action when it is over; None: it stays what it is."""
        if shows == "both":
            return self.pair(value, result)
        if shows == "result":
            return self.pair(at, result) if keyed else self.word(result)
        return None

    def kept(self, slot: int, value: object) -> int:
        """The word for a variable's value. A variable takes turns between two places, so that
        one whole value is always there, and a list that grows does not fill the disk."""
        kind = type(value)
        if value is None or kind is bool or kind is int or kind is str:
            return self.word(value)
        data = dumped(value) or marshal.dumps(self.forms.of(value))
        places = self.turns.setdefault(slot, [])
        place = places.pop(0) if len(places) == 2 else None
        if place is None or place.size < len(data):
            place = self._place(2 * len(data))
        place.values[place.at : place.at + len(data)] = data
        places.append(place)
        return place.word

    def _place(self, size: int) -> _Place:
        if self.free + size > self.end:
            self._map_values(size)
        at = self.free
        self.free += size
        return _Place(self.values, at, size, PLACES + (self.spilled << OFFSET_BITS) + at)

    def spill(self, payload: Any) -> int:
        """Write down something that marshal can; the word that says where."""
        return self._put(marshal.dumps(payload))

    def _put(self, data: bytes) -> int:
        values, at, size, word = self._place(len(data))
        values[at : at + size] = data
        return word

    def _map_values(self, least: int) -> None:
        self.spilled += 1
        self.end = max(min(_SMALLEST << self.spilled, _LARGEST), least)
        self.values = self._mapped(f"{self.name}.{self.spilled}{VALUES}", self.end)
        self.free = 0

    # Single records

    def note(self, site: int, payload: object = None) -> float:
        """A whole record at once; its stamp."""
        if self.at > self.limit:
            self.more(self.at)
        word = MOST if payload is None else self.spill(payload)
        at = self.at
        self.words[at] = word
        self.sites[at] = site
        stamp = self.stamps[at] = perf_counter()
        self.at = at + 1
        return stamp

    def begin(self, at: int, site: int) -> None:
        """An action begins, at a place that the caller has kept; `finish` or `fail` ends it."""
        self.at = at
        if at > self.limit:
            self.more(at)
        self.words[self.at] = MOST
        self.sites[self.at] = site

    def change(self, site: int, word: int = MOST) -> None:
        """The action in progress is that of another site, with that word."""
        self.words[self.at] = word
        self.sites[self.at] = site

    def finish(self, word: int | None = None) -> None:
        """The action in progress is over; its result's word, if the word is to hold that."""
        if word is not None:
            self.words[self.at] = word
        self.stamps[self.at] = perf_counter()
        self.at += 1

    def fail(self, told: tuple[str, str]) -> None:
        """The action in progress has raised an exception: its type and message. Its stamp is
        negative, and its word leads to the exception and to the value that stood there."""
        at = self.at
        self.words[at] = self.spill((*told, self.words[at]))
        self.stamps[at] = -perf_counter()
        self.at = at + 1

    @property
    def pending(self) -> bool:
        """Whether an action is in progress."""
        return bool(self.sites[self.at]) and not self.stamps[self.at]

    def define(self, sites: Sequence[Site]) -> None:
        """Say what sites mean, before they are used."""
        self.note(SITES, [tuple(site) for site in sites])

    def new_site(self, waits: bool, **meaning: Any) -> int:
        """A further site of this record, defined at once."""
        number = self.next_site + (LIMITED if meaning.get("timed") else int(waits))
        self.next_site += STEP
        self.define([Site(number, **meaning)])
        return number


HEAD = 8  # bytes before the slots: how many slots there are


Parts = tuple["memoryview[int]", "memoryview[int]", "memoryview[int]", "memoryview[float]"]


def parts_of(segment: memoryview) -> Parts:
    """A segment's slots, sites, words and stamps. There is room for an even number of records, so
    that every column is aligned."""
    slots = int.from_bytes(segment[:HEAD], "little")
    head = HEAD + 8 * slots
    capacity = (len(segment) - head) // _RECORD & ~1
    words, stamps = head + 4 * capacity, head + 12 * capacity
    return (
        segment[HEAD:head].cast("q"),
        segment[head:words].cast("I"),
        segment[words:stamps].cast("q"),
        segment[stamps : stamps + 8 * capacity].cast("d"),
    )
