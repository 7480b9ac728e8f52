"""mpflow simulate: each case of each file in virtual time, shown as `run` shows it."""

from __future__ import annotations

import sys
from typing import Any

from mpflow import cli
from mpflow.api import simulate
from mpflow.cli.files import named
from mpflow.cli.run import Runner, code_of
from mpflow.model.schedule import DivergedError
from mpflow.model.values import Uncheckable
from mpflow.scenario import Scenario
from mpflow.views.style import printable


def command(options: Any) -> int:
    """Simulate all files; the exit code is the worst of them."""
    return _Simulator(options).run_all()


class _Simulator(Runner):
    def case(self, scenario: Scenario) -> int:
        """Simulate it and show it; the exit code."""
        try:
            trace = simulate(scenario, seed=self.options.seed, schedule=self.options.schedule)
        except (DivergedError, Uncheckable) as error:
            print(printable(f"mpflow: {_told(error, scenario)}"), file=sys.stderr)
            self.tell(cli.USAGE, scenario.path)
            return cli.USAGE
        if not self.trace_only and not self.options.quiet:
            print(*map(printable, trace.output), sep="\n")
        code = code_of(trace)
        self.show(trace, scenario, code)
        return code


def _told(error: DivergedError | Uncheckable, scenario: Scenario) -> str:
    place, hint = named(scenario.path), ""
    if isinstance(error, Uncheckable):
        place += f":{error.line}" if error.line else ""
        hint = f"; {error.hint}" if error.hint else ""
    return f"{place}: {error}{hint}"
