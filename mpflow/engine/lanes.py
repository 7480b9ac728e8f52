"""Which record Python code writes to: a process goes in, a Writer for each thread comes out.

The main thread of a process of the scenario writes to its worker's record; every other thread
to one of its own, a lane. So does a signal's handler that comes while its thread is in an
action: its own actions lie within that one. A process that Python code started by itself has a
record from its first action on.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from _thread import get_ident
from contextlib import suppress
from functools import cache, partial
from itertools import count
from time import sleep
from typing import Any

from mpflow.engine import record
from mpflow.engine.alone import THREADS, others, stirring, watch_timers
from mpflow.engine.record import Writer


@cache
def lanes(folder: str) -> Lanes:
    """This process's lanes in the folder of a run's records."""
    return Lanes(folder)


def cannot_go_on(folder: str) -> None:
    """There is no room for a record: the host is told, and ends the run."""
    with suppress(OSError):  # another has told it
        os.unlink(os.path.join(folder, record.ROOM))
    while True:
        sleep(1)


class Lanes:
    """The records of this process's threads; a forked child begins without any.

    `quick` is the main thread's record as long as no timer can be under way: then it is enough to
    know that there is no other thread, to act in it.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.timers = False
        self._forget()
        os.register_at_fork(after_in_child=self._forget)
        watch_timers(self._timers_touched)

    def _forget(self) -> None:
        self.main: Writer | None = None
        self.quick: Any = None  # a Writer, or none; every action looks whether it is still its own
        self._threads: dict[int, list[Writer]] = {}
        self._ident = threading.main_thread().ident
        self._calm: dict[int, threading.Thread] = {}  # all threads, when none was one of `others`
        self._numbers = count(1)
        self._beginning = threading.RLock()  # a handler may come while a record is made

    def _timers_touched(self) -> None:
        self.timers = True
        self.quick = None

    def adopt(self, main: Writer) -> None:
        """The record of this process, which its main thread has made."""
        self.main = main
        self._threads[get_ident()] = [main]
        self.quick = None if self.timers else main

    def alone(self) -> Writer | None:
        """The main thread's record, if only others can end a wait of that thread, and if there
        is room in it and no action in progress."""
        record: Writer | None = self.quick
        if record is None or (len(THREADS) != 1 and self.unsettled()):
            return None
        return None if record.at > record.limit or record.sites[record.at] else record

    def free(self) -> Writer:
        """The record of the present thread, with room for an action and with none in progress."""
        for each in self._threads.get(get_ident()) or self._begin():
            if each.at > each.limit:
                each.more(each.at)
            if not each.sites[each.at]:
                return each
        return self._further()

    def stirring(self) -> bool:
        """Whether something of this process's own may end a wait of its main thread."""
        if self.timers:
            return stirring()
        threads = THREADS.copy()
        if threads != self._calm and not others():
            self._calm = threads
        return threads != self._calm

    def unsettled(self) -> bool:
        """Whether this is not the main thread, or there is a thread that was not yet looked at."""
        return get_ident() != self._ident or self._calm != THREADS

    def _begin(self) -> list[Writer]:
        """This thread's first record; the process's own goes before."""
        with self._beginning:
            if self.main is None:
                self.main = self._writer(0)
                self._threads[self._ident or 0] = [self.main]
                self.quick = None if self.timers else self.main
        if get_ident() not in self._threads:
            self._further()
        return self._threads[get_ident()]

    def _further(self) -> Writer:
        made = self._writer(next(self._numbers))
        self._threads.setdefault(get_ident(), []).append(made)
        return made

    def _writer(self, lane: int) -> Writer:
        made = Writer(self.folder, lane=lane, cannot_go_on=partial(cannot_go_on, self.folder))
        # None: no variables, because it is no process of the scenario's, or not its main thread.
        name = multiprocessing.current_process().name
        made.note(record.BEGIN, (name, os.getpid(), None))
        return made
