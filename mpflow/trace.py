"""Event, Trace and Verdict, and their JSON Lines form (language.md, section 7).

In: what a run or a simulation found. Out: lines of JSON, as schema/trace.schema.json has them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from math import inf
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mpflow.scenario import Scenario

LONGEST = 1000  # characters of a value as JSON; what is longer is shortened
DIGITS = 9  # of a time in seconds
_CHUNK = 256  # events whose lines are digested at once
DEEPEST = 100  # levels of nesting that are written; a value may contain itself


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

    @property
    def ended(self) -> float:
        """Until when it may have taken effect."""
        return inf if self.status == "blocked" else self.t

    def as_json(self) -> dict[str, Any]:
        """The event as the trace has it; what is too long or no JSON is shortened, and said."""
        shortened: list[str] = []
        found: dict[str, Any] = {
            "seq": self.seq,
            "t": round(self.t, DIGITS),
            "process": self.process,
            "action": self.action,
        }
        if self.on is not None:
            found["on"] = _cut(self.on, "on", shortened)
        if self.line is not None:
            found["line"] = self.line
        if self.has_value:
            found["value"] = fit(self.value, "value", shortened)
        if self.status not in ("error", "blocked") and self.action not in GIVING:
            found["result"] = fit(self.result, "result", shortened)
        found["status"] = self.status
        if self.action == "end":
            found["error"] = None
        if self.error is not None:
            name, message = self.error
            found["error"] = {"type": name, "message": _cut(message, "error", shortened)}
        found["began"] = round(self.began, DIGITS)
        found.update(self.extra)
        if "at" in self.extra:
            found["at"] = fit(self.extra["at"], "at", shortened)
        if shortened:
            found["shortened"] = shortened
        return found

    @property
    def has_value(self) -> bool:
        """Whether something was handed over, if only a None."""
        return self.value is not None or self.action in _HANDING


class Verdict(NamedTuple):
    """passed, failed or unknown, and why: a sentence for each failure, for each open question."""

    word: str = "passed"
    failures: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


def header(
    scenario: Scenario,
    mode: str,
    python: str,
    seed: int,
    started: str,
    time_scale: float = 1.0,
) -> dict[str, Any]:
    """A trace's header. `mode`: run or simulate; `python`: its version; `started`: as ISO 8601 has
    it."""
    about: dict[str, Any] = {
        "name": scenario.name,
        "path": scenario.path,
        "sha256": scenario.document.sha256,
        "params": plain(scenario.params),
    }
    if scenario.label:
        about["case"] = scenario.label
    scaled = {"time_scale": time_scale} if time_scale != 1 else {}
    return {
        "mpflow_trace": 1,
        "scenario": about,
        "mode": mode,
        "start_method": scenario.start_method,
        "python": python,
        "platform": sys.platform,
        "seed": seed,
        "started": started,
        **scaled,
    }


class Trace(NamedTuple):
    """A run from header to footer.

    `exitcodes` has None for a process that did not end by itself. `variables` and `errors` are
    those at each process's end; `report` is the explanation of a deadlock as plain data.

    A long run keeps its lines in a file (`stored`: its path; how many lines): `events` has only
    those then that a verdict or a view can ask for (TELLING, and what did not go well).
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
    stored: tuple[str, int] | None = None
    fault: str = ""  # what of ours, or of the machine's, cut the run short

    @property
    def length(self) -> int:
        """How many events there are."""
        return len(self.events) if self.stored is None else self.stored[1]

    @property
    def output(self) -> list[str]:
        """The printed lines, in order."""
        printed = (e for e in self.events if e.action == "print" and e.status == "ok")
        return [line for e in printed for line in str(e.value).split("\n")]

    def footer(self) -> dict[str, Any]:
        """The last line, as plain data."""
        shortened: list[str] = []
        found: dict[str, Any] = {
            "end": self.end,
            "duration": round(self.duration, 6),
            "exitcodes": dict(self.exitcodes),
            "outcome": _outcome(self.outcome, shortened),
            "verdict": self.verdict.word,
            "failures": list(self.verdict.failures),
        }
        if self.fault:
            found["fault"] = self.fault
        if self.verdict.undecided:
            found["undecided"] = list(self.verdict.undecided)
        if self.report is not None:
            found["deadlock"] = self.report
        if shortened:
            found["shortened"] = shortened
        return found

    def lines(self, ascii_only: bool = False) -> Iterator[str]:
        """The trace as JSON Lines, each with its end of line. `ascii_only` escapes all else: the
        same JSON, for a stream that takes no UTF-8. The footer has the digest of all that is
        before it, as it is written: who changes that by hand is found out (verify)."""
        from hashlib import sha256

        digest = sha256()
        header = _dump(self.header, ascii_only) + "\n"
        digest.update(header.encode())
        yield header
        events = self._event_lines(ascii_only)
        while chunk := list(islice(events, _CHUNK)):
            digest.update("".join(chunk).encode())
            yield from chunk
        footer = self.footer()
        digest.update(_dump(footer, ascii_only).encode())
        yield _dump({**footer, "sha256": digest.hexdigest()}, ascii_only) + "\n"

    def _event_lines(self, ascii_only: bool) -> Iterator[str]:
        if self.stored is None:
            yield from event_lines(self.events, ascii_only)
        else:
            with open(self.stored[0], encoding="ascii") as lines:
                yield from lines


def event_lines(events: Iterable[Event], ascii_only: bool = False) -> Iterator[str]:
    """A line of JSON for each event. An ordinary one is put together from what all events of its
    kind share, which takes a tenth of the time that `json.dumps` takes."""
    from json.encoder import encode_basestring, encode_basestring_ascii

    text = encode_basestring_ascii if ascii_only else encode_basestring
    shared: dict[tuple[Any, ...], tuple[bool, str, str] | None] = {}
    for event in events:
        seq, t, process, action, on, line, value, result, status, _, began, extra = event
        key = process, action, on, line, status, value is None, result is None
        try:
            parts = shared[key]
        except KeyError:
            parts = shared[key] = _shared(event, text)
        if parts is not None and not extra:
            handed, before, behind = parts
            shown = value if handed else result
            told = shown if type(shown) is int and -_SMALL < shown < _SMALL else _told(shown, text)
            if told is not None:
                yield f'{{"seq":{seq},"t":{t:.9f}{before}{told}{behind}{began:.9f}}}\n'
                continue
        yield _dump(event.as_json(), ascii_only) + "\n"


TELLING = frozenset({"begin", "end", "mark", "print", "section"})
GIVING = (
    "append",
    "put",
    "send",
    "send_bytes",
    "store",
)  # have a value, if only a None, and no result
_HANDING = (*GIVING, "print")


def _shared(event: Event, text: Callable[[str], str]) -> tuple[bool, str, str] | None:
    """Whether a value stands in an event's line, not a result; what stands before it, from the
    event's time on, and what behind it, up to its begin. None for a kind of event that has more,
    or may have."""
    if event.status not in ("ok", "timeout") or event.action == "end" or event.error is not None:
        return None
    if len(event.on or "") > LONGEST or (event.has_value and event.result is not None):
        return None
    before = f',"process":{text(event.process)},"action":{text(event.action)}'
    if event.on is not None:
        before += f',"on":{text(event.on)}'
    if event.line is not None:
        before += f',"line":{event.line}'
    behind = f',"status":{text(event.status)},"began":'
    if event.has_value and event.action not in GIVING:
        behind = ',"result":null' + behind
    before += ',"value":' if event.has_value else ',"result":'
    return event.has_value, before, behind


def _told(value: Any, text: Callable[[str], str]) -> str | None:
    """The JSON of a small value; None for one that has to be looked at."""
    kind = type(value)
    if value is None:
        return "null"
    if kind is int:
        return str(value) if -_SMALL < value < _SMALL else None
    if kind is bool:
        return "true" if value else "false"
    if kind is str and len(value) < LONGEST // 2 and value.isprintable():  # no half surrogate pair
        return text(value)
    if kind in (list, tuple) and len(value) <= _FEW:
        parts = [_told(each, text) for each in value if type(each) not in (list, tuple)]
        found = f"[{','.join(filter(None, parts))}]"
        whole = len(parts) == len(value) and None not in parts
        return found if whole and len(found) < LONGEST // 2 else None
    return None


_FEW = 8  # members of a list that is a small value
_SMALL = 1 << 64


def plain(value: Any, levels: int = DEEPEST) -> Any:
    """A value as JSON has it, to be compared and written: tuples as lists, sets sorted, infinity
    and NaN by name, the rest by repr."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)  # JSON has no infinity and no NaN
    if levels and isinstance(value, Mapping):
        return {
            k if isinstance(k, str) else shown(k): plain(v, levels - 1) for k, v in value.items()
        }
    if levels and isinstance(value, list | tuple):
        return [plain(each, levels - 1) for each in value]
    if levels and isinstance(value, set | frozenset):
        return _sorted([plain(each, levels - 1) for each in value])
    return shown(value)


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value's repr, cut where it is too long; a value that has none is told by its type."""
    try:
        text = repr(value)
    except Exception as error:  # an integer of over 4,300 digits, a value too deep, any class's own
        text = f"<{type(value).__name__}: repr failed with {type(error).__name__}>"
        if isinstance(value, int):
            text = f"<an integer of {value.bit_length():,} bits>"
    return text if len(text) <= longest else f"{text[:longest]}…"


def _sorted(members: list[Any]) -> list[Any]:
    """A set's members, always in the same order: numbers and texts by their own."""
    for kind in (int | float, str):
        if all(isinstance(each, kind) for each in members):
            return sorted(members)
    return sorted(members, key=shown)


def _outcome(outcome: Mapping[str, Any] | str | None, shortened: list[str]) -> Any:
    if not isinstance(outcome, Mapping):
        return outcome
    return {
        name: fit(plain(value), f"outcome.{name}", shortened) for name, value in outcome.items()
    }


def _dump(data: Any, ascii_only: bool = False) -> str:
    from json import dumps  # a run that shows only its verdict needs none

    text = dumps(data, ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False)
    # Half a surrogate pair (a file name that is no UTF-8) becomes JSON's own escape for it.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def fit(value: Any, name: str, shortened: list[str]) -> Any:
    """The value itself where JSON can hold it and it is short; else its repr, and a note."""
    try:
        if _is_json(value) and (_short(value) or len(_dump(value)) <= LONGEST):
            return value
    except (ValueError, RecursionError):
        pass
    shortened.append(name)
    return shown(value)


def _cut(text: str, name: str, shortened: list[str]) -> str:
    """A text that stays a text; if it is too long, its beginning, and a note."""
    if len(text) <= LONGEST:
        return text
    shortened.append(name)
    return f"{text[:LONGEST]}…"


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
        return all(isinstance(k, str) and _is_json(k) and _is_json(v) for k, v in value.items())
    return isinstance(value, list | tuple) and all(_is_json(each) for each in value)
