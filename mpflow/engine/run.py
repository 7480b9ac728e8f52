"""A Scenario and a Host go in; the run is made, and its trace, not yet judged, comes out."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from mpflow.engine.launch import Host
from mpflow.program import compile_program
from mpflow.scenario import Scenario
from mpflow.trace import Trace, plain


def execute(
    scenario: Scenario,
    host: Host,
    seed: int,
    time_scale: float,
    timeout: float,
    started: datetime,
    quiet: bool,
) -> Trace:
    """One run, from the program to the trace."""
    program = compile_program(scenario, seed, time_scale)
    host.begin(program, timeout, quiet)
    from mpflow.engine.merge import Merge  # loaded while the run goes on

    header = _header(scenario, seed, time_scale, started)
    records = host.finish()
    merged = Merge(records, program)
    trace = Trace(
        header=header,
        events=tuple(merged),
        end=records.end,
        duration=records.ended - records.began,
        exitcodes=merged.exitcodes,
        errors=merged.errors,
        variables=merged.variables,
    )
    if records.end == "deadlock":
        from mpflow.engine.blame import report

        trace = trace._replace(report=report(trace, program))
    return trace


def _header(scenario: Scenario, seed: int, time_scale: float, started: datetime) -> dict[str, Any]:
    header: dict[str, Any] = {
        "mpflow_trace": 1,
        "scenario": {
            "name": scenario.name,
            "path": scenario.path,
            "sha256": scenario.document.sha256,
            "params": plain(scenario.params),
        },
        "mode": "run",
        "start_method": scenario.start_method,
        "python": sys.version.split()[0],
        "platform": sys.platform,
        "seed": seed,
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if scenario.label:
        header["scenario"]["case"] = scenario.label
    if time_scale != 1:
        header["time_scale"] = time_scale
    return header
