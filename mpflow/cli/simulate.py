"""mpflow simulate: each case of each file in virtual time, shown as `run` shows it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from mpflow import cli
from mpflow.api import Loaded, simulate
from mpflow.cli.files import named
from mpflow.cli.run import Runner, code_of
from mpflow.model.schedule import DivergedError
from mpflow.model.simulate import belongs
from mpflow.model.values import Uncheckable
from mpflow.scenario import Scenario
from mpflow.views.style import printable


def command(options: Any) -> int:
    """Simulate all files; the exit code is the worst of them."""
    return _Simulator(options).run_all()


class _Simulator(Runner):
    def cases(self, loaded: Loaded) -> list[Scenario]:
        """The cases of a file: those that the schedule is of, if there are any."""
        token, found = self.options.schedule, loaded.scenarios
        if token is None or len(found) < 2:
            return found
        with suppress(Uncheckable):  # that is told when it is simulated
            return [each for each in found if belongs(each, token)] or found
        return found

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
