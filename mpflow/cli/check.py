"""mpflow check: look at every order in which a scenario's actions can take effect, and tell."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from types import FrameType
from typing import TYPE_CHECKING, Any

from mpflow import cli
from mpflow.api import check, load
from mpflow.cli import tally
from mpflow.cli.files import UsageError, chosen, named, resolve, usable
from mpflow.cli.sink import Sink, Unwritable
from mpflow.cli.tally import Told
from mpflow.model.check import Options, Report, Violation
from mpflow.model.explore import Limits
from mpflow.model.story import story
from mpflow.model.values import Uncheckable
from mpflow.problems import Problem, Span
from mpflow.scenario import Choice, Scenario
from mpflow.views import checked, lanes, source_margin, summary
from mpflow.views.style import Style, columns, printable, wanted

if TYPE_CHECKING:
    from mpflow.repair import Suggestion

_CODES = {"proved": cli.PASSED, "violated": cli.FAILED, "unknown": cli.UNKNOWN}
_WORDS = {
    cli.PASSED: "proved",
    cli.FAILED: "violated",
    cli.UNKNOWN: "unknown",
    cli.USAGE: "not checked",
    cli.INTERRUPTED: "interrupted",
}
_IN_FULL = 2  # counterexamples that are shown
_FEW = 20  # sentences without one
_CLEAR = "\r\033[K"  # what erases a line of a terminal


def command(options: Any) -> int:
    """Check all files; the exit code is the worst of them."""
    try:
        return _Command(options).check_all()
    except UsageError as error:
        print(error, file=sys.stderr)
        return cli.USAGE


class _Command:
    def __init__(self, options: Any) -> None:
        self.options = options
        self.choice = chosen(options)
        self.style = Style(wanted(options.color, sys.stdout))
        self.watch = _Watch()
        self.searching = _options(options, self.watch)
        self.sink = self._sink()
        self.told: list[Told] = []
        self.faults: list[int] = []  # exit codes that are no verdict

    def _sink(self) -> Sink | None:
        """Where counterexamples go as traces."""
        name = self.options.trace
        if name is None:
            return None
        if name == "-":
            raise UsageError("mpflow: --trace needs a file: standard output has the verdict")
        try:
            return Sink.file(name, map(resolve, self.options.files))
        except Unwritable as error:
            raise UsageError(f"mpflow: {error}") from None

    def check_all(self) -> int:
        try:
            with self.watch:
                for path in self.options.files:
                    self._file(resolve(path), self.choice)
            if self.options.format == "text":
                for line in tally.lines(self.told, _WORDS, "cases", self.options.quiet):
                    print(line)
            sys.stdout.flush()
        except BrokenPipeError:  # as in `mpflow check … | head`: nobody wants to know the rest
            cli.forget_stdout()
            self.faults.append(cli.UNKNOWN)
        finally:
            if self.sink is not None:
                self.sink.close()
        return tally.worst([*self.faults, *(each.code for each in self.told)])

    def _file(self, path: str, choice: Choice) -> None:
        if self.watch.asked:
            self._tell(cli.INTERRUPTED, path)
            return
        loaded = load(path, choice)
        if not usable(loaded, choice):
            self._tell(cli.USAGE, path)
            return
        for scenario in loaded.scenarios:
            if self.watch.asked:
                self._tell(cli.INTERRUPTED, path)
            else:
                self._case(scenario)

    def _tell(self, code: int, path: str) -> None:
        self.told.append(Told(code, f"{_WORDS[code]}: {printable(named(path))}"))

    # A case

    def _case(self, scenario: Scenario) -> None:
        try:
            report = check(scenario, self.searching)
        except Uncheckable as error:
            self.watch.erase()
            print(*_uncheckable(error, scenario), sep="\n", file=sys.stderr)
            self._tell(cli.USAGE, scenario.path)
            return
        except KeyboardInterrupt:  # the second: nothing is known
            self.watch.erase()
            self._tell(cli.INTERRUPTED, scenario.path)
            return
        self.watch.erase()
        line = checked.verdict_line(report, _title(scenario), named(scenario.path), self.style)
        self.told.append(Told(_CODES[report.verdict], line))
        self._write(scenario, report)
        repair = self._repair(scenario, report)
        if self.options.format == "json":
            print(_json(report, scenario, repair), flush=True)
        elif self.options.quiet:
            print(line, flush=True)
        else:
            first = [""] if len(self.told) > 1 else []
            print(*first, line, *self._body(scenario, report), sep="\n", flush=True)
        if self.options.suggest and self.options.format == "text" and report.verdict == "violated":
            print(*self._suggested(repair), sep="\n", end="", flush=True)

    def _repair(self, scenario: Scenario, report: Report) -> Suggestion | None:
        """The edit that --suggest asks for."""
        if not self.options.suggest or report.verdict != "violated":
            return None
        from mpflow.repair import suggest

        text, path = scenario.document.text, named(scenario.path)
        try:
            return suggest(text, path, self.choice, self.searching, (scenario, report))
        except KeyboardInterrupt:
            return None

    def _suggested(self, repair: Suggestion | None) -> Iterator[str]:
        """The edit as people see it."""
        if repair is None:
            yield from ["", "no small edit was found that makes it right", ""]
        else:
            yield from ["", printable(f"suggested, and proved right: {repair.why}"), ""]
            yield repair.diff

    def _body(self, scenario: Scenario, report: Report) -> Iterator[str]:
        """All that is told below the verdict."""
        shown = groupby(report.violations, lambda each: (each.schedule, each.end))
        others = []
        for number, (_, alike) in enumerate(shown):
            violations = list(alike)
            if number >= _IN_FULL:
                others += [each.text for each in violations]
                continue
            yield ""
            yield from (self.style(printable(each.text), "red", "bold") for each in violations)
            yield from self._counterexample(scenario, report, violations[0])
        others += report.missing
        yield from [""] if others else []
        yield from (self.style(printable(each), "red", "bold") for each in others[:_FEW])
        if len(others) > _FEW:
            yield f"{len(others) - _FEW:,} more; --format json has all"
        for part in (checked.idle(report, self.style), checked.outcomes(report, self.style)):
            found = list(part)
            yield from ["", *found] if found else []
        yield ""
        yield from checked.account(report)

    def _counterexample(
        self, scenario: Scenario, report: Report, violation: Violation
    ) -> Iterator[str]:
        """How it comes to a violation, and why nobody goes on from there."""
        told = story(scenario, report.world, violation.schedule, violation.end)
        width = columns(sys.stdout)
        if self.options.view == "source":
            yield from source_margin.lines(told, scenario.document.text, self.style, width)
        else:
            yield from lanes.lines(told, self.style, width)
        path = named(scenario.path)
        if told.report is not None:
            yield ""
        if violation.end == "deadlock" and told.report is not None:
            yield from summary.deadlock(told.report, self.style, path)
        elif told.report is not None:
            yield from summary.livelock(told.going, told.report, self.style, path)
        if path != "<stdin>":
            yield self.style(f"again: {self._again(scenario, report, violation)}", "dim")

    def _again(self, scenario: Scenario, report: Report, violation: Violation) -> str:
        """The command that shows this very run."""
        from json import dumps
        from shlex import join

        from mpflow.model.simulate import schedule_token

        given = dict(self.options.params)
        axes = (scenario.document.data.get("matrix") or {}).keys() - given.keys()
        given |= {name: dumps(scenario.params[name]) for name in axes - {"start_method"}}
        words = ["mpflow", "simulate", scenario.path]
        words += [word for name in sorted(given) for word in ("-p", f"{name}={given[name]}")]
        if self.options.start_method or "start_method" in axes:
            words += ["--start-method", scenario.start_method]
        token = schedule_token(scenario, violation.schedule, report.world)
        return printable(join([*words, "--schedule", token]))

    def _write(self, scenario: Scenario, report: Report) -> None:
        """The first counterexample as a trace."""
        if self.sink is None:
            return
        if not report.violations:
            told = f"{_title(scenario)} has no counterexample to write to {self.sink.name}"
            print(printable(f"mpflow: {told}"), file=sys.stderr)
            return
        from mpflow.model.simulate import follow

        first = report.violations[0]
        try:
            version, exact = report.world.version, report.world.facts.exact
            self.sink.write(follow(scenario, first.schedule, first.end, version, exact))
        except Unwritable as error:
            print(f"mpflow: {error}", file=sys.stderr)
            self.faults.append(cli.USAGE)
            self.sink = None


def _title(scenario: Scenario) -> str:
    return f"{scenario.name} [{scenario.label}]" if scenario.label else scenario.name


class _Watch:
    """Shows how far a search has come, and lets a Ctrl-C end it where it can be ended: the first
    one gives what is known, the second one gives all up."""

    def __init__(self) -> None:
        self.asked = False
        self.shows = sys.stderr.isatty()
        self.shown = False
        self.last = 0, time.monotonic()  # states, and when there were so many
        self.before: Any = None

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            with suppress(ValueError):  # not in the main thread: nobody is interrupted
                self.before = signal.signal(signal.SIGINT, self._interrupt)

    def __exit__(self, *error: object) -> None:
        self.erase()
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.erase()
        told = "interrupted: what is known will be told; Ctrl-C once more gives it up"
        print(f"mpflow: {told}", file=sys.stderr)

    def progress(self, states: int, depth: int) -> None:
        """What a search calls now and then, where it can be ended."""
        if self.asked:
            raise KeyboardInterrupt
        if not self.shows:
            return
        before, then = self.last
        now = time.monotonic()
        if states < before:
            before, then = 0, now
        rate = (states - before) / (now - then) if now > then else 0.0
        self.last = states, now
        line = f"{states:,} states, depth {depth:,}, {rate:,.0f} states/s"
        self.shown = True  # before it is: a Ctrl-C may come in between
        print(f"{_CLEAR}{line}", end="", file=sys.stderr, flush=True)

    def erase(self) -> None:
        """Take the line away."""
        if self.shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
            self.shown = False


def _options(options: Any, watch: _Watch) -> Options:
    """What the command line says of the search."""
    memory = None if options.max_memory is None else int(options.max_memory * 1e6)
    return Options(
        limits=Limits(options.max_states, options.max_seconds, memory),
        reduce=not options.no_reduce,
        timing=options.timing,
        progress=watch.progress,
    )


def _json(report: Report, scenario: Scenario, repair: Suggestion | None = None) -> str:
    """A report on one line; however many interleavings there are."""
    from json import dumps

    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        data = checked.as_json(report, scenario)
        if repair is not None:
            data["suggestion"] = {"why": repair.why, "diff": repair.diff}
        return dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    finally:
        sys.set_int_max_str_digits(limit)


def _uncheckable(error: Uncheckable, scenario: Scenario) -> Iterator[str]:
    """Where the file says something that cannot be checked, and what could be done."""
    path = named(scenario.path)
    place = path if error.line is None else f"{path}:{error.line}"
    hint = f": {error.hint}" if error.hint else ""
    yield printable(f"mpflow: {place}: {error}{hint}")
    source = scenario.document.text.splitlines()
    if error.line is not None and error.line <= len(source):
        line = source[error.line - 1]
        start = len(line) - len(line.lstrip(" -")) + 1
        span = Span(error.line, start, error.line, len(line.rstrip()) + 1)
        yield from Problem("", "", path, span, "", line).render().splitlines()[2:]
