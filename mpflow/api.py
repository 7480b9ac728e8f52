"""What Python code imports: load, validate, run, check, verify, promela.

In: a path, or text. Out: Problems, Scenarios, Traces, Reports, Findings. Nothing here prints
or exits.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from mpflow import document
from mpflow.document import Document
from mpflow.problems import Problem, in_order
from mpflow.scenario import Choice, Scenario
from mpflow.trace import Event, Trace
from mpflow.understanding import understand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mpflow.engine.launch import Host
    from mpflow.engine.source import Source
    from mpflow.model.check import Options, Report
    from mpflow.promela import Model
    from mpflow.verify import Finding

LEAST_TIMEOUT = 5.0  # seconds: --time-scale does not make processes start faster


class Loaded(NamedTuple):
    """A file that has been read: its cases, or what is wrong with it."""

    path: str
    scenarios: list[Scenario]
    problems: list[Problem]


def load(path: str, choice: Choice | None = None) -> Loaded:
    """Read a file (`-` for standard input); every fault is a Problem, none an exception."""
    return _understand(path, *document.read(path), choice or Choice())


def loads(text: str, name: str = "<string>", choice: Choice | None = None) -> Loaded:
    """The same for a text."""
    return _understand(name, *document.parse(text, name), choice or Choice())


def validate(path: str) -> list[Problem]:
    """What is wrong with a file, sorted by place; nothing for a valid one."""
    return load(path).problems


def run(
    scenario: Scenario,
    *,
    seed: int | None = None,
    time_scale: float = 1.0,
    quiet: bool = False,
    host: Host | None = None,
    follow: Callable[[Event], None] | None = None,
    delays: bool = False,
    over: Callable[[], None] | None = None,
) -> Trace:
    """Run a scenario on real processes. `quiet` throws away what they print; `follow` is told of
    each event soon after it ended; `delays` holds up each action at random, so that rare orders
    are seen; `over` is called between the run and the making of its trace. A Ctrl-C gives a trace
    that ends as `interrupted`. Who brings a host closes it, and may find a long run's events in a
    file (Trace.stored) until then. Raises EngineError (of engine.start) when the engine fails."""
    from datetime import UTC, datetime

    from mpflow.engine.launch import Host
    from mpflow.engine.run import execute
    from mpflow.expect import judge

    seed = int.from_bytes(os.urandom(4), "little") >> 1 if seed is None else seed
    own = Host() if host is None else host
    started = datetime.now(UTC)
    timeout = limit(scenario, time_scale)
    try:
        trace = execute(
            scenario,
            own,
            seed,
            time_scale,
            timeout,
            started,
            quiet,
            host is None,
            follow,
            delays,
            over,
        )
        return judge(scenario, trace)
    finally:
        if host is None:
            own.close()


def simulate(scenario: Scenario, *, seed: int = 0, schedule: str | None = None) -> Trace:
    """Run a case in virtual time, without any process, and judge the run; with a schedule token
    (of `check`) that very run. Raises Uncheckable (of model.values) for what cannot be simulated,
    DivergedError (of model.schedule) for a token that is not this scenario's."""
    from mpflow.model.simulate import from_token, simulate

    return simulate(scenario, seed) if schedule is None else from_token(scenario, schedule)


def check(scenario: Scenario, options: Options | None = None) -> Report:
    """Explore every interleaving of a case (of model.check: Options and Report). Raises Uncheckable
    (of model.values) for what the model cannot say."""
    from mpflow.model.check import Options, check

    return check(scenario, Options() if options is None else options)


def source(scenario: Scenario) -> dict[str, Source | None]:
    """The Python source that each process runs, by name; None for one that is Python code."""
    from mpflow.engine.source import body
    from mpflow.program import compile_program

    program = compile_program(scenario, seed=0)
    return {
        name: None if plan.target or plan.class_ else body(plan, program)
        for name, plan in program.plans.items()
    }


def promela(scenario: Scenario) -> Model:
    """A scenario as a model in Promela, for Spin; or the Problems that keep it from being one."""
    from mpflow.promela import export

    return export(scenario)


def verify(path: str) -> list[Finding]:
    """Check each trace of a file again (`-` for standard input). Raises NoTrace (of verify) when
    the file cannot be read or holds none."""
    from mpflow.meaning.code import CODES
    from mpflow.verify import verify

    def cases(name: str, choice: Choice) -> list[Scenario]:
        loaded = load(name, choice)
        # A trace can be checked without the Python code whose actions stand in it.
        return [] if {each.code for each in loaded.problems} - CODES else loaded.scenarios

    return list(verify(path, cases))


def limit(scenario: Scenario, time_scale: float) -> float:
    """The seconds that a run may take: the file's own limit is scaled, but not below 5."""
    if not scenario.own_timeout or time_scale >= 1:
        return scenario.timeout
    return min(scenario.timeout, max(scenario.timeout * time_scale, LEAST_TIMEOUT))


def _understand(
    path: str, found: Document | None, problems: list[Problem], choice: Choice
) -> Loaded:
    if found is None:
        return Loaded(path, [], in_order(problems))
    return Loaded(path, *understand(found, problems, choice))
