"""Columns of one record -> Intervals: what each site, word and stamp say, in words of the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, nextafter
from typing import Any

from mpflow import registry
from mpflow.engine import record
from mpflow.engine.order import Interval
from mpflow.engine.reading import Lane
from mpflow.plan import Program
from mpflow.subjects import subjects

_ODD = ("call", "wait_any")


class Decoder:
    """Takes one thread's columns, a batch after the other, and remembers what goes on."""

    def __init__(self, lane: Lane, process: str, begun: float, program: Program) -> None:
        self.lane = lane
        self.process = process
        self.began = begun  # when what comes next can have begun
        self.types = {name: type_name for name, type_name, _ in program.primitives}
        self.subjects = subjects(program.primitives)
        self.processes = program.plans
        self.code = program.code
        self.sites: dict[int, record.Site] = {}
        self.meanings: dict[int, tuple[Any, ...]] = {}
        self.call: record.Site | None = None  # that goes on

    def decode(
        self, sites: Sequence[int], words: Sequence[int], stamps: Sequence[float]
    ) -> list[Interval]:
        """The actions of a batch, in order; the last one may be in progress: it never ended."""
        found: list[Interval] = []
        add, who, began, value_of = found.append, self.process, self.began, self.lane.value
        make, large, first = tuple.__new__, record.MOST, record.FIRST
        for number, word, stamp in zip(sites, words, stamps, strict=True):
            if number < first:
                self.began = began
                found += self._note(number, word, stamp)
                began = stamp or began
                continue
            action, on, subject, line, shows, timed, extra, rare = self.meanings[number]
            if stamp <= 0 or rare:
                self.began = began
                found += self._rare(number, word, stamp)
                began = abs(stamp) or began
                continue
            value = result = None
            status = "ok"
            if shows == "value":
                value = word if word < large else value_of(word)
            elif shows == "result":
                result = word if word < large else value_of(word)
                if timed and result is False:
                    status = "timeout"
            elif shows == "boolean":
                result = word == 1
            row = (
                stamp,
                began,
                who,
                action,
                on,
                subject,
                line,
                value,
                result,
                status,
                None,
                extra,
            )
            add(make(Interval, row))
            began = stamp
        self.began = began
        return found

    def rest(self) -> Iterator[Interval]:
        """Behind the last batch: a call that has not come back."""
        if self.call is not None:
            yield self._interval(self.call, inf, "blocked")

    def _note(self, number: int, word: int, stamp: float) -> Iterator[Interval]:
        if number == record.SITES:
            for each in self.lane.payload(word):
                site = record.Site(*each)
                self.sites[site.number] = site
                self.meanings[site.number] = self._meaning(site)
        elif number == record.PRINTED and stamp:
            line, place = self.lane.payload(word)
            yield Interval(
                stamp,
                self.began,
                self.process,
                "print",
                None,
                None,
                None,
                line,
                extra={"code": place},
            )

    def _rare(self, number: int, word: int, stamp: float) -> Iterator[Interval]:
        """An action that has failed, one in progress, and a call, which is begun and over."""
        site = self.sites[number]
        if site.phase == "begun" and stamp:
            self.call = site
            return
        if site.action == "call":
            self.call = None
        if stamp < 0:
            kind, message, word = self.lane.payload(word)
            found = self._interval(site, -stamp, "error")._replace(error=(kind, message))
            if site.timed and kind == "BrokenBarrierError":
                found = found._replace(extra={**found.extra, "limited": True})
        else:
            over = nextafter(self.began, inf) if stamp and self._outgoing(site) else stamp
            found = self._interval(site, over or inf, "ok" if stamp else "blocked")
        value = self.lane.value(word)
        if site.action == "wait_any" and stamp > 0:
            found = found._replace(subject=self._first(value))
        if site.shows == "both":
            value, result = value if isinstance(value, tuple) else (None, None)
            found = found._replace(value=value, result=result if stamp > 0 else None)
        if site.keyed:
            at, value = value if isinstance(value, tuple) else (None, None)
            found = found._replace(extra={**found.extra, "at": at})
        if site.shows == "value":
            found = found._replace(value=value)
        elif site.shows == "result" and stamp > 0:
            found = found._replace(result=value)
        yield found

    def _interval(self, site: record.Site, ended: float, status: str) -> Interval:
        _, _, subject, line, _, _, extra, _ = self.meanings[site.number]
        if ended == inf and subject is None:
            ended = nextafter(self.began, inf)  # nobody's state depends on whether it came to pass
        return Interval(
            ended,
            self.began,
            self.process,
            site.action,
            site.on,
            subject,
            line,
            status=status,
            extra=extra,
        )

    def _meaning(self, site: record.Site) -> tuple[Any, ...]:
        """What the intervals of a site share; the last item: whether they need a closer look."""
        extra: Mapping[str, Any] = {"code": site.code} if site.code else {}
        if site.phase in ("enter", "leave"):
            extra = {**extra, "phase": site.phase}
        rare = site.action in _ODD or site.keyed or site.shows == "both" or self._outgoing(site)
        subject = self._subject(site)
        return site.action, site.on, subject, site.line, site.shows, site.timed, extra, rare

    def _outgoing(self, site: record.Site) -> bool:
        """Whether others may have seen its effect before it was over: it counts from its begin."""
        operation = registry.primitive("process").operation(site.action)
        return site.on in self.processes and operation is not None and operation.outgoing

    def _first(self, names: Any) -> str | None:
        """What the first of several names that were found ready tells the state of."""
        if not isinstance(names, list) or not names:
            return None
        base = str(names[0]).partition(".")[0]
        return self.subjects.get(base, f"process {names[0]}")

    def _subject(self, site: record.Site) -> str | None:
        """The primitive, or the process, whose state an action changes or tells."""
        if site.on is None:
            return None
        declared = site.on.partition(".")[0]
        if declared in self.types:
            primitive = registry.primitive(self.types[declared])
            if self.code and not primitive.seen:
                return None
            operation = primitive.operation(site.action)
            return self.subjects[declared] if operation else None
        if site.on not in self.processes:
            return None
        operation = registry.primitive("process").operation(site.action)
        return f"process {site.on}" if operation else None
