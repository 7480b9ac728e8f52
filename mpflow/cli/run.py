"""mpflow run: run each case of each file, show what happened, and tell by the exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from mpflow import cli
from mpflow.api import Loaded, load, run
from mpflow.cli import tally
from mpflow.cli.files import UsageError, chosen, named, resolve, usable
from mpflow.cli.sink import Sink, Unwritable
from mpflow.cli.tally import Told
from mpflow.engine.launch import Host
from mpflow.engine.start import EngineError, Started
from mpflow.scenario import Choice, Scenario
from mpflow.trace import Event, Trace
from mpflow.views.style import Style, columns, printable, wanted

_CODES = {"passed": cli.PASSED, "failed": cli.FAILED, "unknown": cli.UNKNOWN}
_WORDS = {
    cli.PASSED: "passed",
    cli.FAILED: "failed",
    cli.UNKNOWN: "unknown",
    cli.USAGE: "not run",
    cli.INTERRUPTED: "interrupted",
}


def command(options: Any) -> int:
    """Run all files; the exit code is the worst of them."""
    before = dict(_take_signals())
    try:
        return Runner(options).run_all()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _take_signals() -> Iterator[tuple[int, Any]]:
    """Have SIGTERM and SIGHUP end a run as Ctrl-C does; what they did before."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) != signal.SIG_DFL:
            continue  # nohup ignores SIGHUP, and so do we
        with suppress(ValueError):  # only the main thread may; another is not told of them
            yield number, signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)  # once is enough
    raise KeyboardInterrupt


class Runner:
    """Takes each case of each file, and tells of it; `simulate` does the same without processes."""

    def __init__(self, options: Any) -> None:
        self.options = options
        self.trace_only = options.format == "json" or options.trace == "-"
        self.style = Style(wanted(options.color, sys.stdout))
        self.told: list[Told] = []
        self.faults: list[int] = []  # exit codes that are no verdict of a run
        self.left = list(options.files)
        self.sinks: list[Sink] = []
        self.started: Started | None = options.started
        self.interrupt: Any = None  # what a Ctrl-C does, while it is held

    def run_all(self) -> int:
        try:
            choice = chosen(self.options)
            if self.options.follow and (self.trace_only or self.options.quiet):
                raise UsageError("mpflow: --follow prints events; leave out -q and JSON on stdout")
            self.sinks += self._open_sinks()
            self._files(choice)
            self._summary()
            sys.stdout.flush()
        except UsageError as error:
            print(error, file=sys.stderr)
            return cli.USAGE
        except BrokenPipeError:  # as in `mpflow run … | head`: nobody wants to know the rest
            cli.forget_stdout()
            if self.left:
                self.tell(cli.UNKNOWN, "")
        finally:
            for sink in self.sinks:
                sink.close()
        codes = [*self.faults, *(each.code for each in self.told)]
        return tally.worst(codes)

    def _files(self, choice: Choice) -> None:
        while self.left:
            path = self.left.pop(0)
            self._file(resolve(path), choice)
            if self.told[-1].code == cli.INTERRUPTED:
                for each in self.left:
                    self.tell(cli.USAGE, each)
                return

    # What the options say

    def _open_sinks(self) -> list[Sink]:
        """Where the trace goes as JSON Lines."""
        name = self.options.trace
        found = [Sink.standard()] if self.trace_only else []
        if name is None or name == "-":
            return found
        try:
            return [*found, Sink.file(name, map(resolve, self.options.files))]
        except Unwritable as error:
            raise UsageError(f"mpflow: {error}") from None

    def _host(self) -> Host:
        """The host of the next run; that of the first was started before anything else."""
        started, self.started = self.started, None
        try:
            return Host(started)
        except EngineError as error:  # this system cannot run any
            raise UsageError(f"mpflow: {error}") from None

    # A file

    def _file(self, path: str, choice: Choice) -> None:
        loaded = load(path, choice)
        if not self._usable(loaded, choice):
            self.tell(cli.USAGE, path)
            return
        for scenario in self.cases(loaded):
            if self.case(scenario) == cli.INTERRUPTED:
                return

    def cases(self, loaded: Loaded) -> list[Scenario]:
        """Those cases of a file that are wanted."""
        return loaded.scenarios

    def tell(self, code: int, path: str) -> None:
        self.told.append(Told(code, f"{_WORDS[code]}: {printable(named(path))}"))

    def _usable(self, loaded: Loaded, choice: Choice) -> bool:
        """Whether its cases can be run; if not, why, on standard error."""
        if not usable(loaded, choice):
            return False
        reason = self.refused(loaded.scenarios[0])
        if reason is not None:
            print(f"mpflow: {named(loaded.path)}: {reason}", file=sys.stderr)
        return reason is None

    def refused(self, scenario: Scenario) -> str | None:
        """Why a case cannot be taken: what --no-code says of a file."""
        from mpflow.program import code_in

        found = code_in(scenario) if self.options.no_code else None
        if found is None:
            return None
        return f"line {found[1]}: `{found[0]}` runs code or touches files; --no-code refuses it"

    # A case

    def case(self, scenario: Scenario) -> int:
        """Run it and show it; the exit code."""
        host = self._host()
        try:
            trace = self._run(scenario, host)
            code = code_of(trace)
            if trace.fault:
                print(f"mpflow: {trace.fault}", file=sys.stderr)
            self.show(trace, scenario, code)
            return code
        finally:
            self._let_interrupts()
            host.close()  # it has had the time to clean up

    def _run(self, scenario: Scenario, host: Host) -> Trace:
        sys.stdout.flush()  # before the scenario writes there
        return run(
            scenario,
            seed=self.options.seed,
            time_scale=self.options.time_scale,
            quiet=self.options.quiet or self.trace_only,
            host=host,
            follow=self._tell_event if self.options.follow else None,
            over=self._hold_interrupts,
        )

    def _tell_event(self, event: Event) -> None:
        """A line for an event of a run that goes on."""
        from mpflow.views import table

        width = columns(sys.stdout)
        if event.action == "begin" and event.process == "main":
            print(table.heading(self.style, width))
        print(table.row(event, self.style, width), flush=True)

    def _hold_interrupts(self) -> None:
        """The run is over and its trace worth a moment: one Ctrl-C is not enough from here on."""
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            with suppress(ValueError):  # not in the main thread: nobody is interrupted
                self.interrupt = signal.signal(signal.SIGINT, self._held)

    def _held(self, number: int, frame: FrameType | None) -> None:
        self._let_interrupts()
        told = "the run is over, its trace is being made; Ctrl-C once more gives it up"
        print(f"mpflow: {told}", file=sys.stderr)

    def _let_interrupts(self) -> None:
        if self.interrupt is not None:
            signal.signal(signal.SIGINT, self.interrupt)
            self.interrupt = None

    def show(self, trace: Trace, scenario: Scenario, code: int) -> None:
        from mpflow.views import summary, table

        self.told.append(Told(code, summary.verdict_line(trace, self.style)))
        self._write(trace)
        if self.trace_only:
            return
        if self.options.quiet:
            print(self.told[-1].line, flush=True)
            return
        if self.options.follow:
            print()
        elif trace.stored is not None:
            print(f"\n{trace.length:,} events are too many for a table; --trace FILE keeps them.\n")
        elif trace.events:
            print("", *table.lines(trace, self.style, columns(sys.stdout)), "", sep="\n")
        if self.options.verbose:
            print(*_details(trace), "", sep="\n")
        print(*summary.lines(trace, self.style, named(scenario.path)), sep="\n", flush=True)

    def _write(self, trace: Trace) -> None:
        """The trace as JSON Lines, wherever it is to go."""
        for sink in list(self.sinks):
            try:
                sink.write(trace)
            except Unwritable as error:
                print(f"mpflow: {error}", file=sys.stderr)
                self.faults.append(cli.USAGE)
                self.sinks.remove(sink)

    def _summary(self) -> None:
        """A line for several runs together."""
        if not self.trace_only:
            for line in tally.lines(self.told, _WORDS, "runs", self.options.quiet):
                print(line)


def code_of(trace: Trace) -> int:
    if trace.fault:
        return cli.USAGE
    return cli.INTERRUPTED if trace.end == "interrupted" else _CODES[trace.verdict.word]


def _details(trace: Trace) -> Iterator[str]:
    header: Mapping[str, Any] = trace.header
    yield f"seed {header['seed']}, Python {header['python']} on {header['platform']}"
    yield printable(f"params {header['scenario']['params']}")
    yield printable(f"exit codes {dict(trace.exitcodes)}")
    if trace.outcome:
        yield printable(f"outcome {trace.footer()['outcome']}")
