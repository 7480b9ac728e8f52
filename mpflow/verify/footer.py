"""A footer against the events above it: exit codes, how it ended, and the verdict judged again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpflow.expect import judge
from mpflow.scenario import Scenario
from mpflow.stepwise import Lost
from mpflow.trace import Event, Trace
from mpflow.verify.form import Wrong, shown
from mpflow.verify.sequence import Sequence
from mpflow.verify.values import Shown, Unknown

JUDGED = frozenset(("begin", "end", "mark", "print", "section"))  # what `expect` looks at
_ROUNDED = 1e-6  # seconds
_LATE = 5.0  # seconds from a run's end until its last process is gone
_WORDS = ("outcome", "verdict", "failures", "undecided")


class Variables(Mapping[str, Any]):
    """The variables of a process that could not be followed: any may be there, none is known."""

    def __init__(self, process: str) -> None:
        self.process = process

    def __getitem__(self, name: str) -> Any:
        return Unknown(f"variables of {self.process}")

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def check(footer: Mapping[str, Any], sequence: Sequence) -> None:
    """Wrong where the footer is not what follows from the events alone."""
    slack = _ROUNDED if footer["end"] == "completed" else _LATE
    if footer["duration"] + slack < sequence.t:
        raise Wrong(f"`duration` is {footer['duration']}, but the last t is {sequence.t}")
    for name in sequence.last:  # how others ended that Python code has started, nobody may know
        if name in footer["exitcodes"]:
            raise Wrong(f"`{name}` has not ended")
    codes = {name: event.extra["exitcode"] for name, event in sequence.ended.items()}
    for name, code in footer["exitcodes"].items():
        if name not in codes:
            raise Wrong(f"`exitcodes` has `{name}`, which never began")
        if code != codes[name]:
            raise Wrong(f"`{name}` ended with exit code {codes[name]}, not {code}")
    _end(footer, sequence)


def _end(footer: Mapping[str, Any], sequence: Sequence) -> None:
    end = footer["end"]
    stopped = [e for e in sequence.ended.values() if "stopped" in e.extra]
    for event in stopped:
        if event.extra["stopped"] != end and end != "completed":
            raise Wrong(f"`end` is {end}, but `{event.process}` was stopped by another")
        if end == "completed" and event.process == "main":
            raise Wrong("`end` is completed, but main was stopped")
    if end in ("deadlock", "timeout") and sequence.ended and not stopped:
        raise Wrong(f"`end` is {end}, but every process ended by itself")
    if (end == "deadlock") != ("deadlock" in footer):
        raise Wrong(f"`end` is {end}: an explanation of a deadlock is there or missing")
    if end == "deadlock":
        told = [
            (w["process"], w["action"], w["on"], w["line"]) for w in footer["deadlock"]["waits"]
        ]
        inside = {e.process for e in sequence.blocked if "code" in e.extra}
        waits = [
            (e.process, e.action, e.on, e.line)
            for e in sequence.blocked
            if "stopped" in sequence.ended[e.process].extra
            and not (e.action == "call" and e.process in inside)
        ]
        if told != waits:
            raise Wrong("`deadlock` tells of other waits than the blocked events")


def declared(footer: Mapping[str, Any], sequence: Sequence, plans: Mapping[str, Any]) -> None:
    """Wrong where a declared process has not ended, or `exitcodes` leaves it out."""
    for name in plans:
        if name in sequence.last:
            raise Wrong(f"`{name}` has not ended")
        if name in sequence.ended and name not in footer["exitcodes"]:
            raise Wrong(f"`exitcodes` lacks `{name}`")


def judged_again(
    scenario: Scenario,
    footer: Mapping[str, Any],
    header: Mapping[str, Any],
    events: list[Event],
    variables: Mapping[str, Mapping[str, Any] | None],
    sequence: Sequence,
) -> str:
    """Why outcome and verdict cannot be judged again, or nothing; Wrong where they differ."""
    if any("value" in e.extra.get("shortened", ()) for e in events if e.action == "print"):
        return "a printed line is shortened"
    trace = Trace(
        header=header,
        events=tuple(events),
        end=footer["end"],
        duration=footer["duration"],
        exitcodes=footer["exitcodes"],
        errors={n: e.error[0] if e.error else None for n, e in sequence.ended.items()},
        variables={n: Variables(n) if v is None else v for n, v in variables.items()},
        report=footer.get("deadlock"),
        fault=footer.get("fault", ""),
    )
    try:
        again = judge(scenario, trace).footer()
    except Lost as lost:
        return str(lost)
    for name in _WORDS:
        if not _same(again.get(name), footer.get(name)):
            wanted = shown(again.get(name))
            raise Wrong(f"`{name}` is {wanted} by these events, not {shown(footer.get(name))}")
    return ""


def _same(one: Any, other: Any) -> bool:
    """Whether two are alike; reprs with an address or of a set may differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or ("0x" in one and Shown(one) == Shown(other))
    return type(one) is type(other) and bool(one == other)
