"""Why a run is stuck: a trace goes in; who waits for what, who holds it, the cycle come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mpflow.plan import Program
from mpflow.trace import Event

_MAKERS = {
    "get": "put",
    "recv": "send",
    "wait": "set",
    "put": "get",
    "send": "recv",
    "poll": "send",
}


def report(events: Iterable[Event], program: Program) -> dict[str, Any]:
    """`waits`: an entry for each process that cannot go on; `cycle`: processes, if there is one."""
    facts = _Facts(program)
    for event in events:
        facts.take(event)
    waits = [_wait(event, facts, program) for event in facts.blocked]
    edges = {w["process"]: [h["process"] for h in w["holders"]] for w in waits}
    return {"waits": waits, "cycle": _cycle(edges)}


class _Facts:
    """What one pass over the events of a run leaves for the report."""

    def __init__(self, program: Program) -> None:
        self.types = {name: type_name for name, type_name, _ in program.primitives}
        self.blocked: list[Event] = []
        self.ended: set[str] = set()
        self.started: dict[str, dict[str, None]] = {}  # by whom
        self.put: dict[str, set[str]] = {}  # who has put into what
        self.held: dict[str, list[Event]] = {}  # acquisitions not given back, by what was acquired

    def take(self, event: Event) -> None:
        if event.status == "blocked":
            self.blocked.append(event)
        elif event.action == "end" and "stopped" not in event.extra:
            self.ended.add(event.process)
        elif event.action == "start":
            self.started.setdefault(event.process, {})[str(event.on)] = None
        elif event.action == "put":
            self.put.setdefault(event.process, set()).add(str(event.on))
        elif event.status == "ok" and event.action in ("acquire", "release"):
            self._take_held(event, str(event.on))

    def _take_held(self, event: Event, name: str) -> None:
        held = self.held.setdefault(name, [])
        if event.action == "acquire" and event.result:
            held.append(event)
        elif event.action == "release" and held:
            own = [each for each in held if each.process == event.process]
            held.remove((own or held)[-1])


def _wait(event: Event, facts: _Facts, program: Program) -> dict[str, Any]:
    found: dict[str, Any] = {
        "process": event.process,
        "action": event.action,
        "on": event.on,
        **_where(event),
        "holders": [],
        "reason": "",
    }
    if event.action == "end":
        _leaving(found, event, facts)
    elif event.on in program.plans:
        found["holders"] = [{"process": event.on, "line": None}]
        found["reason"] = f"`{event.on}` has not ended"
    elif event.action == "acquire":
        held = facts.held.get(str(event.on), [])
        found["holders"] = [{"process": e.process, **_where(e)} for e in held]
        found["reason"] = _held_by(event, held, facts.ended)
    elif event.action in _MAKERS:
        found["reason"] = f"nobody who could `{_MAKERS[event.action]}` can go on"
    return found


def _leaving(found: dict[str, Any], event: Event, facts: _Facts) -> None:
    """A process that waits in its exit hooks: for its children, or for its queues' feeders."""
    started = facts.started.get(event.process, {})
    children = [child for child in started if child not in facts.ended]
    put = facts.put.get(event.process)
    if children:
        found["holders"] = [{"process": child, "line": None} for child in children]
        listed = ", ".join(f"`{child}`" for child in children)
        found["reason"] = f"it is at its end and waits for its children: {listed}"
    elif put:
        listed = ", ".join(f"`{name}`" for name in sorted(put))
        found["reason"] = f"it is at its end, but what it put into {listed} is not taken out"
    else:
        found["reason"] = "it is at its end and waits in its exit hooks"


def _held_by(event: Event, held: list[Event], ended: set[str]) -> str:
    if not held:
        return "nobody holds it, and nobody can release it"
    parts = []
    for each in held:
        if each.process == event.process:
            parts.append(f"it holds it itself since {_place(each)}")
        elif each.process in ended:
            parts.append(f"`{each.process}` took it at {_place(each)} and ended without release")
        else:
            parts.append(f"`{each.process}` holds it since {_place(each)}")
    return "; ".join(parts)


def _where(event: Event) -> dict[str, Any]:
    """The line of an action; of one that Python code took also its place there."""
    code = event.extra.get("code")
    return {"line": event.line} if code is None else {"line": None, "code": code}


def _place(event: Event) -> str:
    return f"line {event.line}" if event.line is not None else str(event.extra.get("code"))


def _cycle(edges: Mapping[str, list[str]]) -> list[str]:
    """Processes that wait for one another in a circle, or nothing."""
    for start in edges:
        path: list[str] = []
        found = _walk(start, start, edges, path, set())
        if found:
            return path
    return []


def _walk(
    start: str, at: str, edges: Mapping[str, list[str]], path: list[str], seen: set[str]
) -> bool:
    path.append(at)
    for following in edges.get(at, ()):
        if following == start:
            return True
        if following not in seen:
            seen.add(following)
            if _walk(start, following, edges, path, seen):
                return True
    path.pop()
    return False
