"""A signal that is only given with a lock in hand -> the signal before the lock is taken."""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.repair.kinds import Candidate, Case, Edit, item_path, subject

_GIVES = ("release", "set", "put", "send")


def _candidates(case: Case) -> Iterator[Candidate]:
    """Only what comes first under the lock: it then tells of nothing that is yet to be done."""
    stuck = {each.base for each in case.clues.waits("acquire", "with", "wait", "get", "recv")}
    for signal in case.of(*_GIVES):
        holder = signal.around[-1] if signal.around else None
        if holder is None or holder.verb != "with" or signal.at or signal.process not in stuck:
            continue
        changes = case.source.move(signal.path, item_path(holder), after=False)
        did = f"`{signal.process}` does the `{signal.node.verb}` of `{subject(signal.node)}`"
        yield Candidate(changes, f"{did} before it takes `{subject(holder)}`.")


EDIT = Edit("signal earlier", 2, _candidates)
