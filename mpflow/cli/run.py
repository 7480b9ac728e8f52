"""mpflow run: run each case of each file, show what happened, and tell by the exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, TextIO

from mpflow import cli
from mpflow.api import Loaded, load, run
from mpflow.scenario import Choice, Scenario
from mpflow.trace import Trace
from mpflow.views.style import Style, wanted

_CODES = {"passed": cli.PASSED, "failed": cli.FAILED, "unknown": cli.UNKNOWN}
_WORST = (cli.BUG, cli.USAGE, cli.FAILED, cli.UNKNOWN, cli.PASSED)


def command(options: Any) -> int:
    """Run all files; the exit code is the worst of them."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, _interrupt)
    runner = _Runner(options)
    return runner.run_all()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP end a run as Ctrl-C does."""
    raise KeyboardInterrupt


class _Runner:
    def __init__(self, options: Any) -> None:
        self.options = options
        self.json = options.format == "json"
        self.style = Style(wanted(options.color, sys.stdout))
        self.codes: list[int] = []
        self.lines: list[str] = []
        self.host: Any = None

    def run_all(self) -> int:
        choice = self._choice()
        if choice is None:
            return cli.USAGE
        self._warm_up()
        sink = self._open_trace()
        if sink is False:
            return cli.USAGE
        try:
            for path in self.options.files:
                if cli.INTERRUPTED in self.codes:
                    break
                self._file(path, choice, sink)
        finally:
            if self.host is not None:
                self.host.close()
            if sink is not None and sink is not sys.stdout:
                sink.close()
        self._summary()
        if cli.INTERRUPTED in self.codes:
            return cli.INTERRUPTED
        return next(code for code in _WORST if code in self.codes)

    def _warm_up(self) -> None:
        """Start the first run's host now: it loads what it needs while the file is read."""
        from mpflow.engine.launch import EngineError, Host

        try:
            self.host = Host(quiet=self.options.quiet or self.json or self.options.trace == "-")
        except EngineError as error:
            raise SystemExit(f"mpflow: {error}") from None

    def _choice(self) -> Choice | None:
        """What the options settle; None, and a message, when a param is no YAML."""
        params: dict[str, Any] = {}
        for name, text in self.options.params:
            from mpflow.document import parse

            found, problems = parse(text, f"-p {name}") if text.strip() else (None, [])
            if problems or (found is None and text.strip()):
                print(problems[0].render(), file=sys.stderr)
                return None
            params[name] = found.data if found is not None else None
        return Choice(params, self.options.start_method, self.options.timeout)

    def _open_trace(self) -> Any:
        """The stream for --trace; None without, False (and a message) when it cannot be had."""
        name = self.options.trace
        if name is None or name == "-":
            return sys.stdout if name == "-" or self.json else None
        try:
            return open(name, "w", encoding="utf-8")
        except OSError as error:
            print(f"mpflow: cannot write {name}: {error.strerror}", file=sys.stderr)
            return False

    def _file(self, path: str, choice: Choice, sink: TextIO | None) -> None:
        loaded = load(_resolve(path), choice)
        if not self._usable(loaded, choice):
            self.codes.append(cli.USAGE)
            return
        for scenario in loaded.scenarios:
            reason = self._refused(scenario)
            if reason is not None:
                print(f"mpflow: {scenario.path}: {reason}", file=sys.stderr)
                self.codes.append(cli.USAGE)
                continue
            trace = self._run(scenario)
            self._show(trace, scenario, sink)
            if trace.end == "interrupted":
                self.codes.append(cli.INTERRUPTED)
                return
            self.codes.append(_CODES[trace.verdict.word])

    def _usable(self, loaded: Loaded, choice: Choice) -> bool:
        for problem in loaded.problems:
            print(problem.render() + "\n", file=sys.stderr)
        if loaded.problems:
            count = len(loaded.problems)
            print(f"{loaded.path}: {count} problem{'s' * (count != 1)}", file=sys.stderr)
            return False
        unknown = [
            name for s in loaded.scenarios[:1] for name in choice.params if name not in s.declared
        ]
        for name in unknown:
            from mpflow.problems import suggestion

            hint = suggestion(name, loaded.scenarios[0].declared)
            told = f"mpflow: {loaded.path} has no param `{name}`" + (f"; {hint}" if hint else "")
            print(told, file=sys.stderr)
        return not unknown

    def _refused(self, scenario: Scenario) -> str | None:
        """Why a case is not run: --no-code, or a start method that this system lacks."""
        from mpflow.program import code_in

        found = code_in(scenario) if self.options.no_code else None
        if found is not None:
            return f"line {found[1]}: `{found[0]}` runs code or touches files; --no-code refuses it"
        if scenario.start_method != "spawn" and sys.platform == "win32":
            return f"start method {scenario.start_method} does not exist on Windows"
        return None

    def _run(self, scenario: Scenario) -> Trace:
        host, self.host = self.host, None
        if host is None:
            self._warm_up()
            host, self.host = self.host, None
        sys.stdout.flush()
        return run(
            scenario,
            seed=self.options.seed,
            time_scale=self.options.time_scale,
            quiet=self.options.quiet or self.json or self.options.trace == "-",
            host=host,
        )

    def _show(self, trace: Trace, scenario: Scenario, sink: TextIO | None) -> None:
        from mpflow.views import summary, table

        if sink is not None:
            sink.writelines(trace.lines())
            sink.flush()
        self.lines.append(summary.verdict_line(trace, self.style))
        if self.json or self.options.trace == "-":
            return
        if self.options.quiet:
            print(self.lines[-1])
            return
        if trace.events and self.options.trace is None or self.options.verbose:
            print("", *table.lines(trace, self.style), "", sep="\n")
        if self.options.verbose:
            print(*_details(trace), sep="\n")
        print(*summary.lines(trace, self.style, scenario.path), sep="\n", flush=True)

    def _summary(self) -> None:
        """A line for several runs together."""
        if len(self.codes) < 2 or self.json or self.options.trace == "-":
            return
        if not self.options.quiet:
            print("", *self.lines, sep="\n")
        words = {
            cli.PASSED: "passed",
            cli.FAILED: "failed",
            cli.UNKNOWN: "unknown",
            cli.USAGE: "not run",
            cli.INTERRUPTED: "interrupted",
        }
        counts = [
            f"{self.codes.count(code)} {word}" for code, word in words.items() if code in self.codes
        ]
        print(f"{len(self.codes)} runs: {', '.join(counts)}")


def _resolve(path: str) -> str:
    """The file itself, or the shipped scenario of that name when there is no such file."""
    if path == "-" or os.path.exists(path):
        return path
    from mpflow import shipped

    return shipped.find(path) or path


def _details(trace: Trace) -> Iterator[str]:
    header: Mapping[str, Any] = trace.header
    yield f"seed {header['seed']}, Python {header['python']} on {header['platform']}"
    yield f"params {header['scenario']['params']}"
    yield f"exit codes {dict(trace.exitcodes)}"
    if trace.outcome:
        yield f"outcome {trace.footer()['outcome']}"
    yield ""
