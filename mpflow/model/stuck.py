"""Last state of a schedule -> why nobody goes on: what blame.py says of the trace, and besides what
only a model knows.

It knows who holds the locks inside primitives, who could still do what somebody waits for, who has
left half of a message, and which ends of a pipe are open. Who holds a lock, and whose a message is,
is in no state: it follows from the schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.blame import cycle, maker, report
from mpflow.model.halves import in_part, poured
from mpflow.model.instructions import Instruction
from mpflow.model.local import Dead, Local
from mpflow.model.machine import State
from mpflow.model.names import actor, feeder, split, stopped
from mpflow.model.schedule import Taken
from mpflow.model.space import Space
from mpflow.model.steps import Step
from mpflow.model.text import candidates, following, named, static
from mpflow.primitives import _pipes
from mpflow.trace import Event

_INNER = {
    "lock": "the own lock of `{}`",
    "readers": "the lock that a `get` from `{}` holds",
    "writers": "the lock for writing into the pipe of `{}`",
}


class Holding(NamedTuple):
    """Who has taken a lock, or has half of a message in a pipe, and the line and the verb of the
    action by which he did; neither where his feeder thread did."""

    process: str
    line: int | None
    verb: str


def explain(
    space: Space, taken: Sequence[Taken], events: Iterable[Event], without: Iterable[str] = ()
) -> dict[str, Any]:
    """`waits` and `cycle`, as blame.report has them. `without`: processes that can go on."""
    events = list(events)
    found = report(events, space.world.program)
    stuck = _Stuck(space, taken, events)
    out = set(without)
    waits = [stuck.refined(each) for each in found["waits"] if each["process"] not in out]
    edges = {w["process"]: [h["process"] for h in w["holders"]] for w in waits}
    return {"waits": waits, "cycle": cycle(edges)}


class _Stuck:
    def __init__(self, space: Space, taken: Sequence[Taken], events: Sequence[Event]) -> None:
        self.space = space
        self.world = space.world
        self.state = taken[-1].state if taken else space.first
        self.events = events
        self.taken = taken
        self.held = _held(space, taken)
        self.halves = _halves(space, taken)
        self.types = {name: kind for name, kind, _ in self.world.program.primitives}

    def refined(self, wait: Mapping[str, Any]) -> dict[str, Any]:
        """An entry of `waits` with what is known besides."""
        name = wait["process"]
        value = self._value(actor(name))
        step = self._step(actor(name))
        if step is None or not isinstance(value, Local) or self._suspended(name):
            return dict(wait)
        lock = _lock(step)
        part = lock.rpartition("/")[2]
        if lock and part in _INNER and wait["action"] != "acquire" and self.held.get(lock):
            return self._inner(wait, lock, part)
        if wait["action"] == "end":
            return self._leaving(wait, step)
        if half := self._half(wait, value, step):
            return half
        if wait["on"] in self.types or str(wait["on"]).partition(".")[0] in self.types:
            return self._unmade(wait, step)
        return dict(wait)

    def _value(self, key: str) -> Any:
        return self.space.value(self.state, key)

    def _step(self, key: str) -> Step | None:
        return self.world.step(key, self._value(key))

    def _suspended(self, process: str) -> bool:
        key = stopped(process)
        return key in self.space.fields and bool(self._value(key))

    # Locks inside primitives

    def _inner(self, wait: Mapping[str, Any], lock: str, part: str) -> dict[str, Any]:
        """It waits for a lock that no action names."""
        inner = _INNER[part].format(lock.rpartition("/")[0])
        held = self.held[lock]
        who = "; ".join(map(self._told, held))
        what = f"it needs {inner}: {who}"
        return {**wait, "reason": what, "holders": [_holder(each) for each in held]}

    def _told(self, held: Holding) -> str:
        by = _by(held) or "as it fed the pipe"
        if end := self._end(held.process):
            return f"`{held.process}` took it {by} and {end} without giving it back"
        return f"`{held.process}` has it {by}"

    def _end(self, process: str) -> str:
        """What has come over a process that does no more, if something has."""
        value = self._value(actor(process))
        if isinstance(value, Dead):
            return "was killed" if value.code < 0 else "ended"
        return "was suspended" if self._suspended(process) else ""

    # Half of a message

    def _half(self, wait: Mapping[str, Any], value: Local, step: Step) -> dict[str, Any] | None:
        """It reads a message, and waits for the rest of it."""
        key, _, kind = step.kinds[0].rpartition(":") if step.kinds else ("", "", "")
        halves = list(self.halves.get(key, {}).values())
        if kind not in ("recv", "take") or not halves or not self._within(wait, value, key):
            return None
        name = str(wait["on"])
        pipe = f"the pipe `{name.partition('.')[0]}`" if "." in name else f"the pipe of `{name}`"
        reasons = [self._left(each, pipe) for each in halves]
        holders = [_holder(each) for each in halves]
        for found in self._shut_out_of(wait):
            reasons.append(found["reason"])
            holders += [each for each in found["holders"] if each not in holders]
        reasons += self._no_end_of_file(step)
        return {**wait, "reason": "; ".join(reasons), "holders": holders}

    def _within(self, wait: Mapping[str, Any], value: Local, key: str) -> bool:
        """Whether something of the message has been written or read: it stays in the pipe until all
        of it has come, but where bytes are told the reader has it."""
        if self._value(key):
            return True
        own = [each for each in self.taken if each.move.actor == actor(wait["process"])]
        since = own[len(own) - len(value.history) :]
        return any(each.step.touches[:1] == (key,) for each in since)

    def _left(self, half: Holding, pipe: str) -> str:
        by = f" {_by(half)}" if half.verb else ""
        if end := self._end(half.process):
            what = f"{end}{by} with half of its message in {pipe}"
            return f"`{half.process}` {what}: the rest never comes"
        return f"`{half.process}` has half of its message in {pipe}{by}, and cannot go on"

    # A process on its way out

    def _leaving(self, wait: Mapping[str, Any], step: Step) -> dict[str, Any]:
        """It waits for its feeder thread, which waits for the pipe, or for the right to write."""
        name = wait["process"]
        for queue, process in self.world.feeders:
            if process != name or f"{queue}/buffer>{name}:ended" not in step.kinds:
                continue
            before = "it is at its end, but"
            shut_out = self._shut_out(queue, name, "its feeder thread")
            if shut_out is not None:
                return {**wait, **shut_out, "reason": f"{before} {shut_out['reason']}"}
            takers = list(self._able(name, {"get"}, {queue}))
            reason = f"{before} not all of what it put into `{queue}` fits into the pipe"
            reason += f", and {_who(takers, 'get')}"
            return {**wait, "reason": reason, "holders": [*map(_unplaced, takers)]}
        return dict(wait)

    def _shut_out(self, queue: str, process: str, who: str) -> dict[str, Any] | None:
        """A feeder thread with an item that it cannot write, since others have the right to."""
        step = self._step(feeder(queue, process))
        held = self.held.get(_lock(step)) if step is not None else None
        if not held:
            return None
        inner, told = _INNER["writers"].format(queue), "; ".join(map(self._told, held))
        reason = f"{who} has an item for `{queue}` and needs {inner}: {told}"
        return {"reason": reason, "holders": [*map(_holder, held)]}

    def _shut_out_of(self, wait: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The feeder threads with an item for who waits for one, that they cannot write."""
        for queue, process in self.world.feeders:
            if queue == wait["on"] and wait["action"] == "get":
                found = self._shut_out(queue, process, f"the feeder thread of `{process}`")
                if found is not None:
                    yield found

    # What others would have to do

    def _unmade(self, wait: Mapping[str, Any], step: Step) -> dict[str, Any]:
        """It waits for what others do: who still could?"""
        name = str(wait["on"])
        kind = self.types[name.partition(".")[0]] if "." in name else self.types[name]
        for shut_out in self._shut_out_of(wait):
            return {**wait, **shut_out}
        verbs = self._makers(wait, kind)
        if not verbs:
            return dict(wait)
        able = list(self._able(wait["process"], verbs, self._counterparts(name, kind)))
        reason = _who(able, " or ".join(f"`{verb}`" for verb in sorted(verbs)).strip("`"))
        if wait["action"] in ("put", "send", "send_bytes"):
            reason = f"there is no room{self._until(step, wait['process'])}, and {reason}"
        if kind == "barrier":
            reason = f"{wait['reason']}, and {reason}"
        if wait["action"] == "wait" and kind != "barrier" and not able:
            reason += self._earlier(verbs, name)
        reason = "; ".join([reason, *self._no_end_of_file(step)])
        return {**wait, "reason": reason, "holders": [*map(_unplaced, able)]}

    def _until(self, step: Step, process: str) -> str:
        """What has to be free before a sleeper is woken, in words, where some of it is."""
        way = self._value(step.touches[0])
        tight = isinstance(way, tuple) and _pipes.tight(way, process)
        return " until three quarters of the pipe are free" if tight else ""

    def _makers(self, wait: Mapping[str, Any], kind: str) -> set[str]:
        """The verbs by which somebody else would end this wait."""
        action = wait["action"]
        if action == "acquire":
            signal = "release" in wait["reason"] and not wait["holders"] and "semaphore" in kind
            return {"release"} if signal else set()
        if action == "wait" and kind == "barrier":
            return {"wait"} if " have come" in wait["reason"] else set()
        if action == "wait" and kind == "condition":
            return {"notify", "notify_all"}
        if action == "join":
            return {"task_done"} if kind == "joinable_queue" else set()
        found = maker(action, kind)
        return {found} if found is not None else set()

    def _earlier(self, verbs: set[str], name: str) -> str:
        """Who has done it last, too early for this wait, in words."""
        for event in reversed(self.events):
            if event.action in verbs and event.on == name and event.status == "ok":
                return f"; `{event.process}` did it earlier (line {event.line})"
        return ""

    def _counterparts(self, name: str, kind: str) -> set[str]:
        """What somebody else would do that to: of a pipe, its other end."""
        if kind != "pipe":
            return {name}
        base = name.partition(".")[0]
        return {each for each in self.world.parts if each.partition(".")[0] == base} - {name, base}

    def _able(self, waiting: str, verbs: set[str], names: set[str]) -> Iterator[str]:
        """The other living processes that may still come to such an action."""
        for name, process in self.world.processes.items():
            value = self._value(actor(name))
            if name == waiting or not isinstance(value, Local):
                continue
            if not isinstance(value.state, State):
                continue
            seen: set[int] = set()
            left = list(following(process.machine, value.state.at))
            while left:
                at = left.pop()
                if at in seen or at >= len(process.machine.code):
                    continue
                seen.add(at)
                if self._does(name, process.machine.code[at], verbs, names):
                    yield name
                    break
                left += following(process.machine, at)

    def _does(self, name: str, instruction: Instruction, verbs: set[str], names: set[str]) -> bool:
        """Whether an instruction is, or may be, such an action on one of these."""
        step = instruction.step
        if step is None or instruction.what not in ("do", "enter", "leave") or not step.operates:
            return False
        verb = {"enter": "acquire", "leave": "release"}.get(instruction.what, step.verb)
        if verb not in verbs or registry.verbs().get(verb) is None:
            return False
        process = self.world.processes[name]
        source = step.arguments[step.operates]
        wanted = named(self.world.program, static(process.machine, source))
        known = {each for each, _ in candidates(self.world.program, process.plan, verb)}
        return bool(names & (known if wanted is None else wanted))

    def _no_end_of_file(self, step: Step) -> Iterator[str]:
        """Who has the writing end of a pipe open that somebody reads from, in words."""
        for key in (each.removesuffix(":wait") for each in step.kinds if each.endswith(":wait")):
            for pipe, end, holders in self.world.ends:
                if holders == key and self._value(key):
                    who = " and ".join(f"`{each}`" for each in sorted(self._value(key)))
                    has = "have" if " and " in who else "has"
                    yield f"no end of file comes while {who} {has} `{pipe}{end}` open"
                    return


def _who(able: Sequence[str], verb: str) -> str:
    """Who could still do something."""
    if not able:
        return f"nobody is left who will `{verb}`"
    listed = " or ".join(f"`{each}`" for each in able)
    return f"only {listed} could `{verb}`, and cannot go on either"


def _holder(held: Holding) -> dict[str, Any]:
    return {"process": held.process, "line": held.line}


def _unplaced(process: str) -> dict[str, Any]:
    return {"process": process, "line": None}


def _by(held: Holding) -> str:
    """The action by which somebody has what he has, in words; nothing where there is none."""
    line = f" (line {held.line})" if held.line else ""
    return f"in its `{held.verb}`{line}" if held.verb else ""


def _lock(step: Step) -> str:
    """The component that a step waits to take, if that is what it does."""
    key, _, kind = step.kinds[0].rpartition(":") if step.kinds else ("", "", "")
    return key if kind == "P" and len(step.touches) == 1 else ""


def _held(space: Space, taken: Sequence[Taken]) -> dict[str, list[Holding]]:
    """Who has taken what and not given it back, by components."""
    held: dict[str, list[Holding]] = {}
    before = space.first
    for each in taken:
        kinds = [kind.rpartition(":") for kind in each.step.kinds]
        for key, _, kind in kinds:
            if kind in ("P", "T") and each.result is True:
                held.setdefault(key, []).append(_holding(space, each, before))
            elif kind == "V" and held.get(key):
                who = split(each.move.actor)[1]
                own = [one for one in held[key] if one.process == who]
                held[key].remove((own or held[key])[-1])
        before = each.state
    return held


def _halves(space: Space, taken: Sequence[Taken]) -> dict[str, dict[str, Holding]]:
    """Who has only a part of his message in which pipe, by pipes and by actors."""
    halves: dict[str, dict[str, Holding]] = {}
    before = space.first
    for each in taken:
        if key := poured(each):
            own, who = halves.setdefault(key, {}), each.move.actor
            begun = own.pop(who, None) is not None
            if in_part(space, each, before, begun):
                own[who] = _holding(space, each, before)
        before = each.state
    return halves


def _holding(space: Space, taken: Taken, before: int) -> Holding:
    kind, name, _ = split(taken.move.actor)
    value = space.value(before, taken.move.actor)
    if kind != "process" or not isinstance(value.state, State):
        return Holding(name, None, "")
    step = space.world.processes[name].machine.code[value.state.at].step
    return Holding(name, None, "") if step is None else Holding(name, step.line, step.verb)
