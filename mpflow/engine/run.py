"""A Scenario and a Host go in; the run is made, and its trace, not yet judged, comes out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from mpflow.engine.launch import Host
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import TELLING, Event, Trace, event_lines, header

NO_ROOM = "no room is left on the disk for the records of the run: it was stopped"
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mpflow.engine.merge import Merge

LONG = 200_000  # events; the lines of a longer run go to a file at once


def execute(
    scenario: Scenario,
    host: Host,
    seed: int,
    time_scale: float,
    timeout: float,
    started: datetime,
    quiet: bool,
    whole: bool = True,
    follow: Callable[[Event], None] | None = None,
    delays: bool = False,
    over: Callable[[], None] | None = None,
) -> Trace:
    """One run, from the program to the trace. `whole`: all events are wanted in memory, however
    many; else those of a long run stay in a file, for as long as the host is open. `over` is
    called between the run and the making of its trace."""
    program = compile_program(scenario, seed, time_scale, delays)
    host.begin(program, timeout, quiet)
    try:
        merge = _merge()  # loaded while the run goes on
    except KeyboardInterrupt:
        host.interrupt()
        merge = _merge()
    look = None
    if follow is not None:
        from mpflow.engine.follow import Follower

        look = Follower(host.path(""), program, host.began, follow).look
    records = host.finish(look)
    if over is not None:
        over()
    began = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    merged = merge(records, program)
    full = records.end == "full"
    if whole or full or merged.count() <= LONG:
        events, stored = tuple(merged), None
    else:
        events, stored = _store(merged, host.path("events.jsonl"))
    trace = Trace(
        header=header(scenario, "run", sys.version.split()[0], seed, began, time_scale),
        events=events,
        end="interrupted" if full else records.end,
        duration=records.ended - records.began,
        exitcodes=merged.exitcodes,
        errors=merged.errors,
        variables=merged.variables,
        stored=stored,
        fault=NO_ROOM if full else "",
    )
    if records.end == "deadlock":
        from mpflow.blame import report

        trace = trace._replace(report=report(events if stored is None else merged, program))
    return trace


def _merge() -> type[Merge]:
    from mpflow.engine.merge import Merge

    return Merge


def _store(merged: Iterable[Event], path: str) -> tuple[tuple[Event, ...], tuple[str, int]]:
    """The lines of a long run go to a file as they are put in order; the events that a verdict
    can ask for are kept."""
    kept: list[Event] = []
    count = 0

    def noticing() -> Iterator[Event]:
        nonlocal count
        for event in merged:
            count += 1
            odd = event.status not in ("ok", "timeout") or "suspect" in event.extra
            if odd or event.action in TELLING:
                kept.append(event)
            yield event

    with open(path, "w", encoding="ascii") as stream:
        stream.writelines(event_lines(noticing(), ascii_only=True))
    return tuple(kept), (path, count)
