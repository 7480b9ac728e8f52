"""Why a run is stuck: a trace goes in; who waits for what, who holds it, the cycle come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mpflow.plan import Program
from mpflow.subjects import subjects
from mpflow.trace import Event

# Whom a blocked action waits for, by the verb, or by the verb and the primitive's type.
_MAKERS = {
    "get": "put",
    "recv": "send",
    "recv_bytes": "send_bytes",
    "wait event": "set",
    "put": "get",
    "send": "recv",
    "send_bytes": "recv_bytes",
    "poll": "send",
}
_SENDERS = {"recv": "send", "recv_bytes": "send_bytes", "get": "put"}
_SENT = frozenset(_SENDERS.values())
_LOCKERS = ("put", "task_done", "join")  # on a joinable queue they take its own lock
_WAKERS = ("set", "notify", "notify_all", "wait barrier", "abort", "reset")  # wait for the woken


def report(events: Iterable[Event], program: Program) -> dict[str, Any]:
    """`waits`: an entry for each process that cannot go on; `cycle`: processes, if there is one."""
    facts = _Facts(program)
    for event in events:
        facts.take(event)
    waits = [_wait(event, facts, program) for event in facts.waits()]
    edges = {w["process"]: [h["process"] for h in w["holders"]] for w in waits}
    return {"waits": waits, "cycle": cycle(edges)}


class _Facts:
    """What one pass over the events of a run leaves for the report."""

    def __init__(self, program: Program) -> None:
        self.types = {name: type_name for name, type_name, _ in program.primitives}
        self.options = {name: options for name, _, options in program.primitives}
        self.subjects = subjects(program.primitives)
        self.blocked: list[Event] = []
        self.ended: set[str] = set()
        self.killed: set[str] = set()
        self.suspended: dict[str, Event] = {}
        self.started: dict[str, dict[str, None]] = {}  # by whom
        self.put: dict[str, set[str]] = {}  # who has put into what
        self.given: dict[str, int] = {}  # how much was put or sent, by where
        self.taken: dict[str, int] = {}  # how much was got or received
        self.last: dict[str, Event] = {}  # what each process did last
        self.hurried: set[tuple[str, str | None]] = set()  # whose feeder of what is not waited for
        self.held: dict[str, list[Event]] = {}  # acquisitions not given back, by what was acquired
        self.undone: dict[str, int] = {}  # what was put into a joinable queue and is not done
        self.waiting: dict[str, list[Event]] = {}  # waits that never came back, by what for

    def take(self, event: Event) -> None:
        name = str(event.on)
        if event.action in ("os_exit", "cancel_join_thread"):
            self.hurried.add((event.process, event.on))
        if event.action != "end":
            self.last[event.process] = event
        self._count(event, name)
        if event.status == "blocked":
            self.blocked.append(event)
            if event.action == "wait":
                self.waiting.setdefault(name, []).append(event)
                self._given_up(event, name)
        elif event.action == "end" and "stopped" not in event.extra:
            self.ended.add(event.process)
            if (event.extra.get("exitcode") or 0) < 0:
                self.killed.add(event.process)
        elif event.action == "start":
            self.started.setdefault(event.process, {})[name] = None
        elif event.action == "put":
            self.put.setdefault(event.process, set()).add(name)
            self.undone[name] = self.undone.get(name, 0) + 1
        elif event.action == "task_done" and event.status == "ok":
            self.undone[name] = self.undone.get(name, 0) - 1
        elif event.action == "suspend":
            self.suspended[name] = event
        elif event.action == "resume":
            self.suspended.pop(name, None)
        elif event.status == "ok" and event.action in ("acquire", "release"):
            self._take_held(event, self.subjects.get(name, name))

    def _count(self, event: Event, name: str) -> None:
        if event.status == "ok" and event.action in _SENT:
            self.given[name] = self.given.get(name, 0) + 1
        elif event.status == "ok" and event.action in _SENDERS:
            self.taken[name] = self.taken.get(name, 0) + 1

    def stopped(self) -> Iterator[tuple[Event, str]]:
        """What was, or may have been, under way when its process died or was suspended, and how
        that is told."""
        for event in self.blocked:
            if event.process in self.ended:
                yield event, "died in"
            elif event.process in self.suspended:
                yield event, "was suspended in"
        for name, event in self.last.items():
            if name in self.killed and event.status == "ok":  # its effect was seen: it may be over
                yield event, "was killed in or after"

    def waits(self) -> Iterable[Event]:
        """What never came back of processes that are still there; of a call what is done in it."""
        inside = {e.process for e in self.blocked if "code" in e.extra}
        for event in self.blocked:
            called = event.action == "call" and event.process in inside
            if event.process not in self.ended and not called:
                yield event

    def type_of(self, event: Event) -> str:
        return self.types.get(str(event.on).partition(".")[0], "")

    def _take_held(self, event: Event, name: str) -> None:
        held = self.held.setdefault(name, [])
        if event.action == "acquire" and event.result:
            held.append(event)
        elif event.action == "release" and held:
            own = [each for each in held if each.process == event.process]
            held.remove((own or held)[-1])

    def _given_up(self, event: Event, name: str) -> None:
        """Who waits for a condition has given up its lock."""
        held = self.held.get(self.subjects.get(name, name), [])
        if self.type_of(event) == "condition":
            held[:] = [each for each in held if each.process != event.process]


def _wait(event: Event, facts: _Facts, program: Program) -> dict[str, Any]:
    found: dict[str, Any] = {
        "process": event.process,
        "action": event.action,
        "on": event.on,
        **_where(event),
        "holders": [],
        "reason": "",
    }
    if event.process in facts.suspended:
        by = facts.suspended[event.process]
        found["reason"] = f"`{by.process}` suspended it at {_place(by)}, and nobody resumed it"
    elif event.action == "end":
        _leaving(found, event, facts)
    elif event.on in program.plans:
        found["holders"] = [{"process": event.on, "line": None}]
        found["reason"] = f"`{event.on}` has not ended"
        if event.on in facts.suspended:
            by = facts.suspended[event.on]
            found["reason"] += f": it was suspended at {_place(by)}"
    elif event.action in ("acquire", "load", "store"):
        held = facts.held.get(facts.subjects.get(str(event.on), str(event.on)), [])
        if facts.options.get(str(event.on), {}).get("value") == 0:
            # A semaphore that begins without a permit is a signal, which nobody holds.
            found["reason"] = "nobody who could `release` can go on"
            return found
        found["holders"] = [{"process": e.process, **_where(e)} for e in held]
        found["reason"] = _held_by(event, held, facts.ended)
    else:
        found["reason"] = _nobody(event, facts)
    return found


def _nobody(event: Event, facts: _Facts) -> str:
    """Why nobody ends a wait that no single process could end."""
    if event.action == "get":
        gets = [e.process for e in facts.blocked if (e.action, e.on) == ("get", event.on)]
        if dead := " and ".join(f"`{process}`" for process in gets if process in facts.ended):
            return f"{dead} died in a `get`: the lock of those who get may be gone with it"
    left = (*_own_lock(event, facts), *_unfed(event, facts), *_half(event, facts))
    return "; ".join(filter(None, (_unmade(event, facts), *left)))


def _unmade(event: Event, facts: _Facts) -> str:
    """What others have not done that would have ended a wait."""
    kind, name = facts.type_of(event), str(event.on)
    if event.action == "wait_any":
        return f"none of {', '.join(map(str, event.value or ()))} gets ready"
    if event.action == "join":
        left = facts.undone.get(name, 0)
        return f"{left} of what was put is not done: `task_done` is missing" if left else ""
    if event.action == "put" and "queue" in kind and facts.options[name].get("maxsize", 1) <= 0:
        return ""  # there is always room
    if kind == "condition" and event.action == "wait":
        return "nobody who could `notify` can go on"
    if kind == "barrier" and event.action == "wait":
        came, parties = len(facts.waiting[name]), facts.options[name]["parties"]
        if came < parties:
            return f"{came} of {parties} have come"
    if event.action in _WAKERS or f"{event.action} {kind}" in _WAKERS:
        return _not_woken(event, facts)
    makes = maker(event.action, kind)
    return f"nobody who could `{makes}` can go on" if makes else ""


# What may be left behind by who was stopped in the middle


def _own_lock(event: Event, facts: _Facts) -> Iterator[str]:
    """The own lock of a joinable queue, which a `task_done` has until those are awake who join."""
    if facts.type_of(event) != "joinable_queue" or event.action not in _LOCKERS:
        return
    name = event.on
    for each, fate in facts.stopped():
        if each.on != name or each.action not in _LOCKERS or each is event:
            continue
        if each.action != "join":
            yield f"{_fate(each, fate)}: it may not have given back the own lock of `{name}`"
        elif event.action == "task_done":
            yield f"{_fate(each, fate)}: a `task_done` waits until it is awake"
    for each in facts.waits() if event.action != "task_done" else ():
        if (each.action, each.on) == ("task_done", name) and each.process not in facts.suspended:
            yield f"{_fate(each, 'is in')}: it may have the own lock of `{name}`"


def _unfed(event: Event, facts: _Facts) -> Iterator[str]:
    """Items that were left to a feeder thread."""
    name = str(event.on)
    feeds = facts.type_of(event) in ("queue", "joinable_queue")
    if event.action != "get" or not feeds:
        return
    if facts.given.get(name, 0) <= facts.taken.get(name, 0):
        return
    for process, put in facts.put.items():
        hurried = {(process, None), (process, name)} & facts.hurried or process in facts.killed
        if name in put and process in facts.ended and hurried:
            what = "what it put may be lost, or half of it in the pipe"
            yield f"`{process}` ended without waiting for its feeder thread: {what}"


def _half(event: Event, facts: _Facts) -> Iterator[str]:
    """A message that may not have been written to its end."""
    if facts.type_of(event) not in ("pipe", "simple_queue") or event.action not in _SENDERS:
        return
    name = str(event.on)
    for each, fate in facts.stopped():
        to = str(each.on)
        if each.action != _SENDERS[event.action] or not _meets(to, name):
            continue
        if each.status == "blocked" or facts.given[to] > facts.taken.get(name, 0):
            yield f"{_fate(each, fate)}: half of its message may be in the pipe"


def _meets(one: str, other: str) -> bool:
    """Whether what is put or sent here is got there: of a pipe, at its other end."""
    if "." not in one:
        return one == other
    return one.partition(".")[0] == other.partition(".")[0] and one != other


def _fate(event: Event, fate: str) -> str:
    return f"`{event.process}` {fate} its `{event.action}` at {_place(event)}"


def maker(action: str, kind: str) -> str | None:
    """The verb by which somebody else ends a wait in this action on a primitive of this type."""
    return _MAKERS.get(action) or _MAKERS.get(f"{action} {kind}")


def _not_woken(event: Event, facts: _Facts) -> str:
    """Who wakes others waits until they have said that they are awake: one of them cannot."""
    asleep = [e.process for e in facts.waiting.get(str(event.on), ()) if e is not event]
    unable = [name for name in asleep if name in facts.suspended or name in facts.killed]
    if not unable:
        return "who it has woken does not come back"
    listed = " and ".join(f"`{name}`" for name in unable)
    was = "was suspended" if unable[0] in facts.suspended else "was killed"
    return f"it waits until {listed} is awake, which {was} in its wait"


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


def cycle(edges: Mapping[str, list[str]]) -> list[str]:
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
