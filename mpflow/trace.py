"""Event, Trace and Verdict, and their JSON Lines form (language.md, section 7).

In: what a run or a simulation found. Out: lines, and from lines again a trace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LONGEST = 1000  # characters of a value as JSON; what is longer is shortened


class Event(NamedTuple):
    """One thing that happened. Times are seconds since the run began.

    `extra` holds what some actions have besides: a process's exit code and error at its end, a
    section's phase, the place in Python code that printed.
    """

    seq: int
    t: float
    process: str
    action: str
    on: str | None
    line: int | None
    value: Any
    result: Any
    status: str
    error: tuple[str, str] | None
    began: float
    extra: Mapping[str, Any] = {}

    def as_json(self) -> dict[str, Any]:
        """The event as the trace has it; what is too long or no JSON is shortened, and said."""
        shortened: list[str] = []
        found: dict[str, Any] = {
            "seq": self.seq,
            "t": self.t,
            "process": self.process,
            "action": self.action,
        }
        if self.on is not None:
            found["on"] = self.on
        if self.line is not None:
            found["line"] = self.line
        if self.value is not None or self.action in ("put", "send"):
            found["value"] = _fit(self.value, "value", shortened)
        if self.status not in ("error", "blocked") and self.action not in ("put", "send"):
            found["result"] = _fit(self.result, "result", shortened)
        found["status"] = self.status
        if self.action == "end":
            found["error"] = None
        if self.error is not None:
            found["error"] = {"type": self.error[0], "message": self.error[1][:LONGEST]}
        found["began"] = self.began
        found.update(self.extra)
        if shortened:
            found["shortened"] = shortened
        return found


class Verdict(NamedTuple):
    """passed, failed or unknown, and why."""

    word: str = "passed"
    failures: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


class Trace(NamedTuple):
    """A run from header to footer.

    `exitcodes` has None for a process that did not end by itself. `variables` and `errors` are
    those at each process's end; `report` is the explanation of a deadlock as plain data.
    """

    header: Mapping[str, Any]
    events: tuple[Event, ...]
    end: str
    duration: float
    exitcodes: Mapping[str, int | None]
    errors: Mapping[str, str | None]
    variables: Mapping[str, Mapping[str, Any]]
    outcome: Mapping[str, Any] | str | None = None
    verdict: Verdict = Verdict()
    report: Mapping[str, Any] | None = None

    @property
    def output(self) -> list[str]:
        """The printed lines, in order."""
        printed = (e for e in self.events if e.action == "print" and e.status == "ok")
        return [line for e in printed for line in str(e.value).split("\n")]

    def footer(self) -> dict[str, Any]:
        """The last line, as plain data."""
        found: dict[str, Any] = {
            "end": self.end,
            "duration": round(self.duration, 6),
            "exitcodes": dict(self.exitcodes),
            "outcome": plain(self.outcome),
            "verdict": self.verdict.word,
            "failures": list(self.verdict.failures),
        }
        if self.verdict.undecided:
            found["undecided"] = list(self.verdict.undecided)
        if self.report is not None:
            found["deadlock"] = self.report
        return found

    def lines(self) -> Iterator[str]:
        """The trace as JSON Lines, each with its end of line."""
        yield _dump(self.header) + "\n"
        for event in self.events:
            yield _dump(event.as_json()) + "\n"
        yield _dump(self.footer()) + "\n"


def plain(value: Any) -> Any:
    """A value as JSON can hold it: tuples as lists, sets sorted, the rest by repr."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)  # JSON has no infinity and no NaN
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return [plain(each) for each in sorted(value, key=repr)]
    return repr(value)


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _fit(value: Any, key: str, shortened: list[str]) -> Any:
    """The value itself where JSON can hold it and it is short; else its repr, and a note."""
    try:
        if _is_json(value) and (_short(value) or len(_dump(value)) <= LONGEST):
            return value
    except (ValueError, RecursionError):
        pass
    shortened.append(key)
    shown = repr(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def _short(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, bool | float)
        or (isinstance(value, int | str) and len(str(value)) < LONGEST // 2)
    )


def _is_json(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    return isinstance(value, list | tuple) and all(_is_json(each) for each in value)
