"""Why a run is stuck: a trace goes in; who waits for what, who holds it, the cycle come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mpflow import registry
from mpflow.plan import Program
from mpflow.trace import Event, Trace

_MAKERS = {
    "get": "put",
    "recv": "send",
    "wait": "set",
    "put": "get",
    "send": "recv",
    "poll": "send",
}


def report(trace: Trace, program: Program) -> dict[str, Any]:
    """`waits`: an entry for each process that cannot go on; `cycle`: processes, if there is one."""
    ended = {e.process for e in trace.events if e.action == "end" and e.status == "ok"}
    ended -= {e.process for e in trace.events if "stopped" in e.extra}
    blocked = [e for e in trace.events if e.status == "blocked"]
    holders = _holders(trace.events, program)
    waits = [_wait(event, trace, program, holders, ended) for event in blocked]
    edges = {w["process"]: [h["process"] for h in w["holders"]] for w in waits}
    return {"waits": waits, "cycle": _cycle(edges)}


def _wait(
    event: Event,
    trace: Trace,
    program: Program,
    holders: Mapping[str, list[Event]],
    ended: set[str],
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "process": event.process,
        "action": event.action,
        "on": event.on,
        **_where(event),
        "holders": [],
        "reason": "",
    }
    if event.action == "end":
        _leaving(found, event, trace, ended)
    elif event.on in program.plans:
        found["holders"] = [{"process": event.on, "line": None}]
        found["reason"] = f"`{event.on}` has not ended"
    elif event.action == "acquire":
        held = holders.get(str(event.on), [])
        found["holders"] = [{"process": e.process, **_where(e)} for e in held]
        found["reason"] = _held_by(event, held, ended)
    elif event.action in _MAKERS:
        found["reason"] = f"nobody who could `{_MAKERS[event.action]}` can go on"
    return found


def _leaving(found: dict[str, Any], event: Event, trace: Trace, ended: set[str]) -> None:
    """A process that waits in its exit hooks: for its children, or for its queues' feeders."""
    children = [
        e.on
        for e in trace.events
        if e.action == "start" and e.process == event.process and e.on not in ended
    ]
    put = {e.on for e in trace.events if e.action == "put" and e.process == event.process}
    if children:
        found["holders"] = [{"process": child, "line": None} for child in children]
        listed = ", ".join(f"`{child}`" for child in children)
        found["reason"] = f"it is at its end and waits for its children: {listed}"
    elif put:
        listed = ", ".join(f"`{name}`" for name in sorted(map(str, put)))
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


def _holders(events: Iterable[Event], program: Program) -> dict[str, list[Event]]:
    """For what can be acquired, the acquisitions that were not given back, in order."""
    types = {name: type_name for name, type_name, _ in program.primitives}
    held: dict[str, list[Event]] = {}
    for event in events:
        name = str(event.on)
        if name not in types or registry.primitive(types[name]).operation("acquire") is None:
            continue
        if event.action == "acquire" and event.status == "ok" and event.result:
            held.setdefault(name, []).append(event)
        elif event.action == "release" and event.status == "ok" and held.get(name):
            own = [e for e in held[name] if e.process == event.process]
            held[name].remove((own or held[name])[-1])
    return held


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
