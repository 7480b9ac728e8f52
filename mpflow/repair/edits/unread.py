"""A process that cannot end as nobody reads what it has put -> it is taken out, or given up."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, item_path
from mpflow.scenario import Declaration


def _candidates(case: Case) -> Iterator[Candidate]:
    leaving = [each for each in case.clues.waiting if not each.verb]
    declarations = {each.name: each for each in case.processes()}
    for each in leaving:
        for queue in each.on:
            own, main = declarations[each.base], case.scenario.main
            if each.base == "main":
                why = f"`main` takes out of `{queue}` what it has put: its end waits for a reader."
                yield _last(case, main, ("get", queue), why)
            why = f"`{each.base}` does not wait at its end until `{queue}` is read; what is still"
            yield _last(
                case, own, ("cancel_join_thread", queue), f"{why} in its buffer may be lost."
            )


def _last(case: Case, declaration: Declaration, action: tuple[str, object], why: str) -> Candidate:
    """An action more at the end of a process."""
    nodes = declaration.nodes or ()
    return Candidate(case.source.insert(item_path(nodes[-1]), True, action) if nodes else None, why)


EDIT = Edit("what nobody reads", 3, _candidates)
