"""What a run does while it goes on: a folder of records goes in, Events come out as they end.

Their order is that of their ends, as far as it is known: what one process has done may be read
before what another did sooner. The trace, made when all is over, has the legal one.
"""

from __future__ import annotations

from collections.abc import Callable

from mpflow.engine import record
from mpflow.engine.decoding import Decoder
from mpflow.engine.order import Interval
from mpflow.engine.reading import Columns, Lane, lanes
from mpflow.plan import Program
from mpflow.trace import Event


class Follower:
    """Looks into the records again and again; tells of each event once."""

    def __init__(
        self, folder: str, program: Program, began: float, tell: Callable[[Event], None]
    ) -> None:
        self.folder = folder
        self.program = program
        self.began = began
        self.tell = tell
        self.lanes: dict[tuple[int, int], Lane] = {}
        self.decoders: dict[Lane, Decoder] = {}
        self.told = 0

    def look(self) -> None:
        """Tell of everything that has ended since the last look."""
        for lane in lanes(self.folder):
            self.lanes.setdefault((lane.pid, lane.lane), lane)
        found = [each for lane in self.lanes.values() for each in self._fresh(lane)]
        for each in sorted(found, key=lambda each: each.ended):
            self.told += 1
            self.tell(self._event(each))

    def _fresh(self, lane: Lane) -> list[Interval]:
        found: list[Interval] = []
        for columns in lane.fresh():
            if lane not in self.decoders:
                name = lane.payload(columns[1][0])[0]
                self.decoders[lane] = Decoder(lane, name, columns[2][0], self.program)
            decoder = self.decoders[lane]
            found += self._ends(lane, decoder.process, columns)
            found += decoder.decode(*columns)
        return found

    def _ends(self, lane: Lane, process: str, columns: Columns) -> list[Interval]:
        """The begin and the end of a process, of which its record has notes."""
        found: list[Interval] = []
        for site, word, stamp in zip(*columns, strict=True):
            if site == record.BEGIN and not lane.lane:
                extra = {"pid": lane.pid}
                found.append(Interval(stamp, stamp, process, "begin", None, None, extra=extra))
            elif site in (record.LEAVE, record.LEAVE_WAITING):
                code, error, _ = lane.payload(word)
                extra = {"exitcode": code}
                found.append(
                    Interval(stamp, stamp, process, "end", None, None, error=error, extra=extra)
                )
        return found

    def _event(self, each: Interval) -> Event:
        return Event(
            self.told,
            each.ended - self.began,
            each.process,
            each.action,
            each.on,
            each.line,
            each.value,
            each.result,
            each.status,
            each.error,
            each.began - self.began,
            each.extra,
        )
