"""Random histories for the tests of the order: actions on atomic primitives, seen as intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any

from mpflow import registry
from mpflow.engine.order import Interval, Placed
from mpflow.rule import Rule

PIPE = {"duplex": True, "ends": ["a", "b"]}
TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "lock": ("lock", {}),
    "rlock": ("rlock", {}),
    "semaphore": ("semaphore", {"value": 2}),
    "bounded": ("bounded_semaphore", {"value": 2}),
    "event": ("event", {}),
    "queue": ("queue", {"maxsize": 0}),
    "slots": ("queue", {"maxsize": 2}),
    "pipe": ("pipe", PIPE),
    "polled": ("pipe", PIPE),
    "line": ("simple_queue", {}),
}


IN_LINE = ("pipe", "line")


class InLine:
    """A pipe or a simple queue as it is: items come out in the order in which they stand in line,
    whoever put them. The rules in mpflow let pass what real time leaves open; they do not see that
    a poll, too, may tell when an item was there, so polls are judged by them alone."""

    def start(self) -> tuple[tuple[str, object], ...]:
        return ()

    def after(self, state: tuple[Any, ...], event: Interval) -> tuple[Any, ...] | None:
        if event.action in ("send", "put"):
            return (*state, (event.on, event.value))
        inside = [each for each in state if event.action == "get" or each[0] != event.on]
        if not inside or (event.status != "blocked" and inside[0][1] != event.result):
            return None
        return (*state[: (first := state.index(inside[0]))], *state[first + 1 :])


def exact(subject: str) -> Any:
    """The rule of a subject, and no other order than there can be."""
    return InLine() if subject in IN_LINE else rule(subject)


def rule(subject: str) -> Rule:
    if subject.startswith("process "):
        return registry.primitive("process").rule({})
    type_name, options = TYPES[subject]
    return registry.primitive(type_name).rule(options)


class Atom:
    """An atomic primitive: does one action at once, or says that it would wait."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = {"lock": 1, "semaphore": 2, "bounded": 2}.get(name, 0)
        self.most = {"lock": 1, "bounded": 2}.get(name, math.inf)
        self.owner: str | None = None
        self.items: dict[tuple[str, str], list[object]] = {}
        self.flag = False

    def action(self, random: Random, items: int) -> dict[str, Any]:
        """What somebody may want to do."""
        if self.name == "event":
            return {"action": random.choice(["set", "clear", "is_set", "wait"])}
        if self.name in ("queue", "slots", "line"):
            verb = random.choice(["put", "get"])
            return {"action": verb, "value": random.randrange(items) if verb == "put" else None}
        if self.name in ("pipe", "polled"):
            verb = random.choice(["send", "recv"] * 2 + ["poll"] * (self.name == "polled"))
            value = random.randrange(items) if verb == "send" else None
            return {"action": verb, "on": random.choice(["pipe.a", "pipe.b"]), "value": value}
        return {"action": random.choice(["acquire", "acquire", "release"])}

    def act(self, what: dict[str, Any], process: str, random: Random) -> dict[str, Any] | None:
        """Its outcome; None: it has to wait."""
        verb = what["action"]
        if verb in ("acquire", "release"):
            return self._permit(verb, process, random)
        if verb in ("set", "clear"):
            self.flag = verb == "set"
            return {}
        if verb in ("is_set", "wait"):
            return {"result": self.flag}
        return self._item(verb, what, process, random)

    def _permit(self, verb: str, process: str, random: Random) -> dict[str, Any] | None:
        mine, free = self.owner == process, self.owner in (None, process)
        if self.name == "rlock":
            if verb == "release" and not mine:
                return {"status": "error", "error": ("AssertionError", "")}
            if verb == "acquire" and not free:
                return {"result": False} if random.random() < 0.5 else None
            self.count += 1 if verb == "acquire" else -1
            self.owner = process if self.count else None
            return {"result": True if verb == "acquire" else None}
        if verb == "release":
            if self.count >= self.most:
                return {"status": "error", "error": ("ValueError", "")}
            self.count += 1
            return {}
        if not self.count:
            return {"result": False} if random.random() < 0.5 else None
        self.count -= 1
        return {"result": True}

    def _item(
        self, verb: str, what: dict[str, Any], process: str, random: Random
    ) -> dict[str, Any] | None:
        on = what.get("on", "")
        if verb in ("put", "send"):
            if self.name == "slots" and sum(map(len, self.items.values())) >= 2:
                return {"status": "error", "error": ("Full", "")} if random.random() < 0.3 else None
            producer = "" if self.name in (*IN_LINE, "polled") else process
            self.items.setdefault((on, producer), []).append(what["value"])
            return {}
        heads = [(end, who) for (end, who), items in self.items.items() if items and end != on]
        if self.name not in ("pipe", "polled"):
            heads = [key for key, items in self.items.items() if items]
        if verb == "poll":
            return {"result": bool(heads)}
        return {"result": self.items[random.choice(heads)].pop(0)} if heads else None


def history(
    random: Random,
    names: list[str],
    processes: int,
    events: int,
    *,
    items: int = 2,
    ticks: bool = False,
    killed: float = 0.0,
) -> list[list[Interval]]:
    """A lane of each process, of a run in which every action took effect at one moment.

    With ticks, times are whole numbers, so that many are equal.
    """
    atoms = {name: Atom(name) for name in names}
    lanes: list[list[Interval]] = [[] for _ in range(processes)]
    waiting = [_plan(random, atoms, items, 0.0, who, ticks) for who in range(processes)]
    heapify(waiting)
    while events > 0 and waiting:
        moment, _, who, began, name, what = heappop(waiting)
        process = f"p{who}"
        outcome = atoms[name].act(what, process, random) if random.random() > killed / 2 else None
        if random.random() < killed and moment > began:
            what["status"] = "blocked"
            lanes[who].append(Interval(math.inf, began, process, subject=name, **what))
        elif outcome is None:
            lost = moment + _span(random, ticks) + 0.5
            if random.random() < 0.2:  # does something else instead
                heappush(waiting, _plan(random, atoms, items, moment, who, ticks))
            else:
                heappush(waiting, (lost, random.random(), who, began, name, what))
            continue
        else:
            ended = moment if moment == began else moment + _span(random, ticks)
            each = Interval(ended, began, process, subject=name, **{**what, **outcome})
            lanes[who].append(each)
            heappush(waiting, _plan(random, atoms, items, ended, who, ticks))
        events -= 1
    return lanes


def altered(random: Random, lanes: list[list[Interval]]) -> list[list[Interval]]:
    """The same, but that one event tells something else, or never was."""
    lanes = [list(lane) for lane in lanes]
    all_ = [(n, i) for n, lane in enumerate(lanes) for i in range(len(lane))]
    lane, index = random.choice(all_)
    each = lanes[lane][index]
    if each.action in ("acquire", "is_set", "wait", "poll") and each.status == "ok":
        lanes[lane][index] = each._replace(result=not each.result)
    elif each.action in ("get", "recv") and each.status == "ok":
        lanes[lane][index] = each._replace(result=1 - each.result)
    else:
        del lanes[lane][index]
    return lanes


def _span(random: Random, ticks: bool) -> float:
    return random.choice([0, 0, 1, 2, 5]) if ticks else 3 * random.random() ** 3


def _plan(
    random: Random, atoms: dict[str, Atom], items: int, ready: float, who: int, ticks: bool
) -> tuple[float, float, int, float, str, dict[str, Any]]:
    """When somebody's next action takes effect, and which."""
    began = ready + (_span(random, ticks) if random.random() < 0.5 else 0)
    name = random.choice(list(atoms))
    what = {"on": name, **atoms[name].action(random, items)}
    moment = began + _span(random, ticks)
    return moment, random.random(), who, began, name, what


def faults(placed: list[Placed], judge: Callable[[str], Any] = exact) -> list[str]:
    """What is wrong with an order; what is suspect is left out."""
    wrong = []
    states: dict[str, set[Any]] = {}
    rules: dict[str, Rule] = {}
    pending: dict[str, list[Interval]] = {}
    ends: dict[str, float] = {}
    last = -math.inf
    for moment, each, suspect in placed:
        if moment < last:
            wrong.append(f"back in time: {each}")
        last = moment
        inside = each.began < moment <= each.ended or each.began == moment == each.ended
        if not inside or each.ended < ends.get(each.process, each.ended):
            wrong.append(f"not in its place: {moment} {each}")
        ends[each.process] = each.ended if each.ended < math.inf else each.began
        if each.subject is None or suspect:
            continue
        if each.subject not in rules:
            rules[each.subject] = judge(each.subject)
            states[each.subject] = {(rules[each.subject].start(), frozenset())}
            pending[each.subject] = []
        if each.ended == math.inf:
            pending[each.subject].append(each)
            continue
        after = rules[each.subject].after
        possible = _with_blocked(after, states[each.subject], pending[each.subject])
        found = {(new, used) for s, used in possible if (new := after(s, each)) is not None}
        if found:
            states[each.subject] = found
        else:
            wrong.append(f"illegal: {each}")
    return wrong


def _with_blocked(
    after: Callable[[Any, Interval], Any], states: set[Any], pending: list[Interval]
) -> set[Any]:
    """The states, and those after any of the blocked events that had no effect yet."""
    reached, new = set(states), list(states)
    while new:
        state, used = new.pop()
        for index, each in enumerate(pending):
            if index not in used and (found := after(state, each)) is not None:
                next_one = (found, used | {index})
                if next_one not in reached:
                    reached.add(next_one)
                    new.append(next_one)
    return reached


def possible(lanes: list[list[Interval]]) -> bool:
    """Whether any order at all is legal: by trying all, of the events of one subject."""
    subject = next((each.subject for lane in lanes for each in lane), "lock")
    assert subject is not None
    judged = exact(subject)
    tried = set()

    def search(taken: tuple[int, ...], state: Any) -> bool:
        if (taken, state) in tried:
            return False
        tried.add((taken, state))
        left = [lane[n:] for lane, n in zip(lanes, taken, strict=True)]
        if all(each.ended == math.inf for lane in left for each in lane[:1]):
            return True
        for index, lane in enumerate(left):
            if lane and not any(_before(o, lane[0]) for other in left for o in other[:1]):
                then = judged.after(state, lane[0])
                counts = (*taken[:index], taken[index] + 1, *taken[index + 1 :])
                if then is not None and search(counts, then):
                    return True
        return False

    return search((0,) * len(lanes), judged.start())


def _before(one: Interval, other: Interval) -> bool:
    """Whether one was over before the other began; touching ones are, but for a single moment."""
    if other.began == other.ended:
        return one.ended < other.began
    return one.ended <= other.began
