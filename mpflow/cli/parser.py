"""The arguments of the command line: an argparse parser whose options name their command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mpflow import __version__

EPILOG = """\
exit codes:
  0 passed, proved      1 failed, violated     2 usage, or a file that cannot be run
  3 a bug in mpflow     4 unknown              130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="mpflow",
        description="Multiprocessing scenarios, declared in YAML, run on real processes.",
        epilog=EPILOG,
        formatter_class=_formatter,
    )
    whole.add_argument("--version", action="version", version=f"mpflow {__version__}")
    commands = whole.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog="mpflow"
    )
    for name, fill, sentence in (
        ("run", _run, "run scenarios on real processes"),
        ("check", _check, "explore every order in which things can happen"),
        ("simulate", _simulate, "run scenarios in virtual time, without processes"),
        ("validate", _validate, "say what is wrong with scenario files"),
        ("explain", _explain, "show what a scenario becomes"),
        ("export", _export, "say a scenario in another tool's language"),
        ("verify", _verify, "check traces again, event by event"),
        ("scenarios", _scenarios, "list the scenarios that come with mpflow"),
    ):
        fill(commands.add_parser(name, help=sentence, formatter_class=_formatter))
    return whole


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Help as wide as the terminal. argparse asks shutil, even when nobody wants help, and
    importing that takes as long as all of our parsing."""
    try:
        columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size().columns
    except (OSError, ValueError):
        columns = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(columns - 2, 20))


def _run(command: argparse.ArgumentParser) -> None:
    command.description = "Run scenarios, show each one's trace and verdict."
    add = command.add_argument
    _files(command)
    add("--timeout", type=_positive, metavar="S", help="seconds a run may take")
    add(
        "--time-scale",
        type=_positive,
        default=1.0,
        metavar="X",
        help="multiply every sleep and timeout (a run's own limit stays at 5 s or more)",
    )
    add("--seed", type=int, metavar="N", help="what `choose` draws with")
    add("--follow", action="store_true", help="print events while the run goes on")
    _traces(command)
    add(
        "--no-code",
        action="store_true",
        help="refuse scenarios that run Python code or touch files",
    )
    _loudness(command)
    _colour(command)
    command.set_defaults(command=_command("run"))


def _simulate(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Run scenarios in virtual time, at once, without any process. What is simultaneous\n"
        "happens in an order that the seed decides."
    )
    add = command.add_argument
    _files(command)
    add("--timeout", type=_positive, metavar="S", help="seconds of virtual time a run may take")
    add("--seed", type=int, default=0, metavar="N", help="another order, and what `choose` draws")
    add("--schedule", metavar="TOKEN", help="the run that `check` showed, step by step")
    _traces(command)
    _loudness(command)
    _colour(command)
    command.set_defaults(command=_command("simulate"), no_code=False, follow=False)


def _check(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Look at every order in which the processes' actions can take effect. No process is run.\n"
        "proved: no run is otherwise than expected. violated: one is, and a shortest way to it is\n"
        "shown. unknown: a limit was reached before all had been seen."
    )
    add = command.add_argument
    _files(command)
    add(
        "--timing",
        choices=["any", "exact"],
        help="any: a sleep lasts any time; exact: as it says (default: what the file says, or any)",
    )
    add("--max-states", type=_count, metavar="N", help="states to look at, at most")
    add(
        "--max-seconds",
        type=_positive,
        default=300.0,
        metavar="S",
        help="seconds to take for a case, at most (default: 300)",
    )
    add(
        "--max-memory",
        type=_positive,
        default=4000.0,
        metavar="MB",
        help="memory to take, at most (default: 4000; on Windows nobody tells)",
    )
    add("--no-reduce", action="store_true", help="look also at orders that make no difference")
    add("--format", choices=["text", "json"], default="text", help="json: an object for each case")
    add(
        "--as",
        dest="view",
        choices=["lanes", "source"],
        default="lanes",
        help="a counterexample as a lane for each process, or beside the file's text",
    )
    add(
        "--suggest",
        action="store_true",
        help="for a file that is violated, the smallest edit found that makes it right, as a diff",
    )
    add("--trace", metavar="FILE", help="write each case's first counterexample as JSON Lines")
    add("-q", "--quiet", action="store_true", help="the verdict alone")
    _colour(command)
    command.set_defaults(command=_command("check"))


def _validate(command: argparse.ArgumentParser) -> None:
    command.description = "Say what is wrong with files, and with all *.yaml and *.yml of folders."
    command.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="files and folders; default: the working directory",
    )
    command.add_argument("--format", choices=["text", "json"], default="text")
    _colour(command)
    command.set_defaults(command=_command("validate"))


def _explain(command: argparse.ArgumentParser) -> None:
    command.description = "Show the Python source that each process of a scenario runs."
    command.add_argument("--code", action="store_true", required=True, help="the source")
    command.add_argument("file", metavar="FILE", help="a scenario file, or a shipped one's name")
    command.add_argument("process", nargs="?", metavar="PROCESS", help="one process alone")
    _colour(command)
    command.set_defaults(command=_command("explain"))


def _export(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Write a scenario as a model in Promela, which Spin explores: an invalid end state is a\n"
        "deadlock. What Promela cannot say exactly is refused, with its place and the reason.\n"
        "Of a file with several cases it is the first."
    )
    add = command.add_argument
    add("file", metavar="FILE", help="a scenario file, a shipped one's name, or -")
    add("--to", choices=["promela"], required=True, help="the language")
    add("-o", dest="output", default="-", metavar="FILE", help="where to; default: standard output")
    _params(command)
    command.set_defaults(command=_command("export"))


def _verify(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Check each trace of each file again, and name the first event that is wrong."
    )
    command.add_argument(
        "files", nargs="+", metavar="TRACE", help="a trace (.jsonl or .gz), or - for standard input"
    )
    _colour(command)
    command.set_defaults(command=_command("verify"))


def _scenarios(command: argparse.ArgumentParser) -> None:
    command.description = "List the scenarios that come with mpflow; run one by its name."
    command.add_argument(
        "names", nargs="*", metavar="NAME", help="one of them, or a folder of them"
    )
    command.add_argument("--format", choices=["text", "json"], default="text")
    _colour(command)
    command.set_defaults(command=_command("scenarios"))


def _files(command: argparse.ArgumentParser) -> None:
    """Scenarios, and in which form."""
    add = command.add_argument
    add("files", nargs="+", metavar="FILE", help="a scenario file, a shipped one's name, or -")
    _params(command)
    add("--start-method", choices=["fork", "spawn", "forkserver"], help="how to start processes")


def _loudness(command: argparse.ArgumentParser) -> None:
    loudness = command.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="the verdict alone")
    loudness.add_argument("-v", "--verbose", action="store_true", help="more about the run")


def _params(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-p",
        dest="params",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="override a param; the value is read as YAML",
    )


def _traces(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--trace",
        metavar="FILE",
        help="write the trace as JSON Lines (.gz: compressed); - for standard output",
    )
    command.add_argument(
        "--format", choices=["text", "json"], default="text", help="json: the trace only"
    )


def _colour(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="default: on a terminal, unless NO_COLOR is set",
    )


def _command(name: str) -> Callable[[Any], int]:
    """The function of a sub-command, imported when it is called."""

    def call(options: Any) -> int:
        code: int = import_module(f"mpflow.cli.{name}").command(options)
        return code

    return call


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 20 or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value
