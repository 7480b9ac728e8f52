"""Trace file -> a Finding for each trace in it: whether every line is what it must be.

Read line by line and never held as a whole. Each event is looked at in layers, and the first one
that is wrong is named: its form (form.py), its place in the row (sequence.py), the steps of its
process (program.py), the primitive it is done to (primitives.py); then the footer (footer.py),
and last the digest, which catches what no rule sees. `load` gives the cases of a scenario file.
"""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any, NamedTuple

from mpflow import document, registry
from mpflow.document import Document
from mpflow.plan import Program
from mpflow.program import compile_program
from mpflow.scenario import Choice, Scenario
from mpflow.trace import Event
from mpflow.verify import footer as footers
from mpflow.verify.form import Events, Wrong, check, parsed
from mpflow.verify.primitives import Replay
from mpflow.verify.program import Follower, Shared
from mpflow.verify.sequence import Sequence

LONGEST = 64 << 20  # bytes of a line
Cases = Callable[[str, Choice], list[Scenario]]


class NoTrace(Exception):  # noqa: N818 - it says what is the matter
    """A file cannot be read, or holds no trace; the message says why."""


class Finding(NamedTuple):
    """What is to be said of one trace: accepted or refused, where (`header`, `event 17 (…)`), the
    number of that event, and why; `notes` tell what could not be checked."""

    accepted: bool
    name: str
    events: int
    place: str = ""
    event: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def verify(path: str, load: Cases) -> Iterator[Finding]:
    """A Finding for each trace of a file (`-` is standard input, .gz is unpacked). NoTrace when
    there is none."""
    with _opened(path) as stream:
        lines = _Lines(stream)
        head = lines.peek()
        if head is None:
            raise NoTrace("it is empty")
        if not _like_a_trace(head) and not _like_a_trace(lines.peek(1) or b""):
            raise NoTrace("it holds no trace: the first line is no header")
        while lines.peek() is not None:
            yield _Checker(lines, load, os.path.dirname(path)).check()


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The bytes of a trace, unpacked where they are packed."""
    standard = path == "-"
    try:
        stream = open(sys.stdin.fileno() if standard else path, "rb", closefd=not standard)  # noqa: SIM115
        packed = stream.peek(2)[:2] == b"\x1f\x8b"
    except (OSError, ValueError) as error:
        raise NoTrace(getattr(error, "strerror", None) or str(error)) from None
    with stream:
        yield gzip.GzipFile(fileobj=stream) if packed else stream


def _like_a_trace(line: bytes) -> bool:
    return line.lstrip()[:1] == b"{" and any(
        key in line for key in (b'"mpflow_trace"', b'"seq"', b'"exitcodes"')
    )


class _Lines:
    """The lines of a stream, one or two ahead."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self.stream = stream
        self.ahead: list[bytes] = []

    def peek(self, number: int = 0) -> bytes | None:
        """A line to come, if there is one. One too long comes in pieces, which are no JSON."""
        while len(self.ahead) <= number:
            try:
                line = self.stream.readline(LONGEST)
            except (OSError, EOFError, ValueError, zlib.error) as error:
                if not self.ahead and isinstance(error, gzip.BadGzipFile | IsADirectoryError):
                    raise NoTrace(getattr(error, "strerror", None) or str(error)) from None
                line = b""
            if not line:
                return None
            self.ahead.append(line)
        return self.ahead[number]

    def next(self) -> bytes | None:
        """The next line, taken."""
        line = self.peek()
        if line is not None:
            del self.ahead[0]
        return line


class _Checker:
    """One trace, from its header to its footer."""

    def __init__(self, lines: _Lines, load: Cases, folder: str) -> None:
        self.lines = lines
        self.load = load
        self.folder = folder
        self.digest = sha256()
        self.place, self.number = "header", 0
        self.name = "?"
        self.notes: list[str] = []
        self.header: dict[str, Any] = {}
        self.data: dict[str, Any] = {}  # of the event that is looked at
        self.scenario: Scenario | None = None
        self.program: Program | None = None
        self.sequence = Sequence()
        self.form = Events()
        self.followers: dict[str, Follower] = {}
        self.variables: dict[str, Mapping[str, Any] | None] = {}
        self.kept: list[Event] = []  # what the verdict looks at

    def check(self) -> Finding:
        """The Finding; the next line is another trace's, if there is one."""
        try:
            self._header(self._line())
            self.replay = Replay(self.program)
            self._events()
        except Wrong as wrong:
            self._skip()
            reason = str(wrong).encode("utf-8", "backslashreplace").decode()
            number = self.number or None
            where = self._named() if self.data else self.place
            return Finding(False, self.name, self.number, where, number, reason, self._notes())
        return Finding(True, self.name, self.sequence.count, notes=self._notes())

    def _line(self) -> dict[str, Any]:
        line = self.lines.next()
        if line is None:
            self.place = f"the end, behind event {self.sequence.count}"
            raise Wrong("the footer is missing: the trace is cut off")
        self.raw = line
        data = parsed(line)
        if "exitcodes" not in data:
            self.digest.update(line)
        return data

    def _skip(self) -> None:
        """On to the next trace."""
        while (line := self.lines.peek()) is not None and b'"mpflow_trace"' not in line[:200]:
            self.lines.next()

    def _events(self) -> None:
        while True:
            self.place, self.number = f"event {self.number + 1}", self.number + 1
            following = self.lines.peek()
            if following is not None and b'"mpflow_trace"' in following[:20]:
                raise Wrong("another header: the footer of the trace before it is missing")
            data = self._line()
            if "seq" not in data and ("end" in data or "exitcodes" in data):
                self.place, self.number = "footer", 0
                self._footer(data)
                return
            self.data = data
            self._event(self.form.event(data))
            self.data = {}

    def _named(self) -> str:
        """How a message calls the event at hand."""
        data = self.data
        words = [str(data.get(name, "?"))[:60] for name in ("process", "action")]
        words += [str(data["on"])[:60]] if data.get("on") is not None else []
        line = f", line {data['line']}" if isinstance(data.get("line"), int) else ""
        return f"event {self.number} ({' '.join(words)}{line})"

    # The header

    def _header(self, data: dict[str, Any]) -> None:
        if "mpflow_trace" not in data:
            raise Wrong("the header is missing")
        check("header", data)
        self.header = data
        told = data["scenario"]
        self.name = told["name"]
        found = self._document(told["path"])
        if found is None:
            self.notes.append(f"without its scenario: {told['path']} was not found")
            return
        if found.sha256 != told["sha256"]:
            raise Wrong(f"`sha256` is not that of {found.path}: the scenario is another one")
        self._scenario(found)

    def _document(self, path: str) -> Document | None:
        """The scenario's file: as it was named, or beside the trace."""
        for each in (path, os.path.join(self.folder, path)):
            try:
                if path != "-" and os.path.isfile(each):
                    return document.read(each)[0]
            except ValueError:  # a NUL in the name
                return None
        return None

    def _scenario(self, found: Document) -> None:
        told = self.header["scenario"]
        choice = Choice(told["params"], self.header["start_method"])
        scenarios = self.load(found.path, choice)
        if not scenarios:
            raise Wrong("`params` or `start_method` do not go with the scenario")
        self.scenario = scenarios[0]
        unknown = told["params"].keys() - self.scenario.declared
        if unknown or told["params"].keys() != self.scenario.params.keys():
            raise Wrong("`params` are not those of the scenario")
        if self.scenario.name != told["name"]:
            raise Wrong(f"`name` is not the scenario's, {self.scenario.name}")
        self._case(found.data.get("matrix") or {})
        scale = self.header.get("time_scale", 1.0)
        self.program = compile_program(self.scenario, self.header["seed"], scale)
        drawn = self.header["mode"] == "run"  # else a schedule may have decided
        self.shared = Shared(self.program, self.header["seed"], drawn)

    def _case(self, matrix: Mapping[str, Any]) -> None:
        """The case of the matrix, as far as it was not settled on the command line."""
        told = self.header["scenario"]
        values = {**told["params"], "start_method": self.header["start_method"]}
        label = told.get("case", "")
        parts = [f"{key}={values.get(key)}" for key in matrix]
        if label != ", ".join(part for part in parts if part in label):
            raise Wrong("`case` is not what params and start_method are")
        for key, listed in matrix.items():
            if f"{key}=" in label and values.get(key) not in listed:
                raise Wrong(f"`case` has a {key} that the matrix has not")

    # An event

    def _event(self, event: Event) -> None:
        self.sequence.take(event)
        if "suspect" in event.extra:
            self._suspect(event)
        if event.action not in ("begin", "end") and event.action not in registry.verbs():
            raise Wrong(f"there is no action `{event.action}`")
        if self.program is not None:
            self._follow(self.program, event)
            self._known(event)
        if "suspect" not in event.extra:
            self.replay.take(event)
        if event.action in footers.JUDGED:
            self.kept.append(event)

    def _known(self, event: Event) -> None:
        """Wrong where Python code has done what cannot be done to a primitive."""
        if "code" not in event.extra or event.action == "print":
            return
        kind = self.replay.types.get(str(event.on).partition(".")[0], ("process", {}))[0]
        if event.on is None or registry.primitive(kind).operation(event.action) is None:
            raise Wrong(f"`{event.action}` is nothing that Python code does to `{event.on}`")

    def _suspect(self, event: Event) -> None:
        """The trace says that no order explains it: so be it, where Python code had its part."""
        said = f"suspect: {event.extra['suspect']}"
        if str(event.on).partition(".")[0] not in self.replay.untold:
            raise Wrong(f"the trace itself calls it {said}")
        self.notes.append(f"event {event.seq} is {said}; Python code was handed `{event.on}`")

    def _follow(self, program: Program, event: Event) -> None:
        name = event.process
        plan = program.plans.get(name)
        if plan is None and not program.code:
            raise Wrong(f"the scenario has no process `{name}`")
        if plan is None or plan.target or plan.class_:
            if event.line is not None:
                raise Wrong(f"`{name}` has no steps of its own")
            return
        if event.action == "begin":
            self._begin(program, event)
        elif event.action == "end":
            self.followers[name].end(event)
            self._ended(name)
        elif "code" not in event.extra:
            self.followers[name].take(event)
        elif not program.code:
            raise Wrong("the scenario has no Python code")

    def _begin(self, program: Program, event: Event) -> None:
        name = event.process
        starters = [each for each in program.plans.values() if name in each.starts]
        if name in self.sequence.ended and len(starters) < 2:
            raise Wrong(f"`{name}` begins for the second time")
        self.shared.pids[name] = event.extra["pid"]
        self.followers[name] = Follower(program.plans[name], self.shared)

    def _ended(self, name: str) -> None:
        follower = self.followers.pop(name)
        self.variables[name] = follower.variables()
        follower.walk.abandon()
        if follower.lost:
            where = f"process {name} could be followed up to event {follower.count}"
            self.notes.append(f"{where}: {follower.lost}")

    # The footer

    def _footer(self, data: dict[str, Any]) -> None:
        check("footer", data)
        footers.check(data, self.sequence)
        if self.scenario is not None and self.program is not None:
            footers.declared(data, self.sequence, self.program.plans)
            known = {name: self.variables.get(name, {}) for name in self.program.plans}
            why = footers.judged_again(
                self.scenario, data, self.header, self.kept, known, self.sequence
            )
            if why:
                self.notes.append(f"outcome and verdict were not judged again: {why}")
        told = data.get("sha256")
        if told is None:
            self.notes.append("it has no digest: what no rule sees may have been changed")
        self.digest.update(self.raw.rstrip().replace(b',"sha256":"%s"' % str(told).encode(), b""))
        if told not in (None, self.digest.hexdigest()):
            self.place = f"between the header and event {self.sequence.count}"
            raise Wrong("something in this trace was changed that no rule sees")
        following = self.lines.peek()
        if following is not None and b'"mpflow_trace"' not in following[:200]:
            self.lines.next()
            self.place = "behind the footer"
            raise Wrong("another line stands there")

    def _notes(self) -> tuple[str, ...]:
        for follower in self.followers.values():
            follower.walk.abandon()
        self.followers.clear()
        return tuple(note.encode("utf-8", "backslashreplace").decode() for note in self.notes)
