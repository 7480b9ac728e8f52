"""A slow and obvious judge of traces, sharing no code with the engine: what must never be seen.

In: a trace, and what its scenario declares: name -> (type, size). Out: the first event that is
impossible where it stands, in words, or None.

A primitive is a set of states that it may be in. An event leads from each state to others, or to
none; when none at all is left, it is impossible. What never came back takes effect at any time
after its begin, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mpflow.trace import Event, Trace

Declared = Mapping[str, tuple[str, int]]
After = Callable[[Any, Event], list[Any]]
AT_ONCE = 7  # processes that may find a semaphore not full before another one releases it


def first_fault(
    trace: Trace, declared: Declared, together: Mapping[str, str] | None = None
) -> str | None:
    """Every event is looked at where it stands; a list of replicas goes by its bare name, and
    those that are one thing `together` by that name."""
    primitives: dict[str, Primitive] = {}
    life: dict[str, str] = {"main": "started"}
    last: dict[str, float] = {}  # when each process was done with what it did before
    moment = 0.0
    for number, event in enumerate(trace.events, 1):
        where = f"event {number}: {event.process} {event.action} {event.on}"
        if "suspect" in event.extra:
            return f"{where}: {event.extra['suspect']}"
        if event.seq != number or event.t < moment or not event.began <= event.t:
            return f"{where}: out of sequence"
        if event.began < last.get(event.process, 0.0):
            return f"{where}: begun before {event.process} was done with what it did before"
        moment = last[event.process] = event.t
        fault = _of_life(life, event)
        name = str(event.on).partition(".")[0]
        name = (together or {}).get(name, name)
        base = name.partition("[")[0]
        if fault is None and base in declared:
            if name not in primitives:
                primitives[name] = Primitive(*declared[base])
            fault = primitives[name].take(event)
        if fault is not None:
            return f"{where} -> {event.value or event.result!r}: {fault}"
    return None


def _of_life(life: dict[str, str], event: Event) -> str | None:
    """Processes: a start, a begin, an end, and what others saw of it."""
    who, on, result = life.get(event.process), str(event.on), event.result
    if event.action == "begin":
        life[event.process] = "begun"
        return None if who == "started" else "begins before it is started"
    if who != "begun":
        return f"does something while it is {who}"
    if event.action == "end":
        life[event.process] = "ended"
    elif event.status not in ("ok", "timeout"):
        return None
    elif event.action == "start":
        life[on] = "started"
    elif event.action in ("join", "exitcode") and result not in (None, False):
        return None if life.get(on) == "ended" else "seen to have ended before its end"
    elif event.action == "is_alive":
        dead = life.get(on) in (None, "ended")
        if not result and not dead:
            return f"seen dead while it is {life.get(on)}"
        if result and on not in life:
            return "seen alive before it was started"
    return None


class Primitive:
    """The states that one primitive may be in, each with what never came back and may yet act."""

    def __init__(self, type_name: str, size: int) -> None:
        start, self.after = _kind(type_name, size)
        self.states: set[tuple[Any, frozenset[int]]] = {(start, frozenset())}
        self.blocked: dict[int, Event] = {}

    def take(self, event: Event) -> str | None:
        if event.status == "blocked":
            self.blocked[event.seq] = event
            self.states = {(state, waits | {event.seq}) for state, waits in self.states}
            return None
        before = set(self._may_be())
        self.states = {(new, waits) for state, waits in before for new in self.after(state, event)}
        if self.states:
            return None
        return f"it was {' or '.join(sorted(repr(state)[:200] for state, _ in before))}"

    def _may_be(self) -> Iterator[tuple[Any, frozenset[int]]]:
        """The states, and those that come of what never came back."""
        todo, seen = list(self.states), set(self.states)
        while todo:
            state, waits = todo.pop()
            yield state, waits
            for one in waits:
                for new in self.after(state, self.blocked[one]):
                    if (new, waits - {one}) not in seen:
                        seen.add((new, waits - {one}))
                        todo.append((new, waits - {one}))


def _kind(type_name: str, size: int) -> tuple[Any, After]:
    """A primitive's first state, and what an event makes of one."""
    if type_name == "lock":
        return 1, lambda free, event: _permits(free, event, 1, 1)
    if type_name == "semaphore":
        return size, lambda free, event: _permits(free, event, 1 << 31, 1 << 31)
    if type_name == "bounded_semaphore":
        return size, lambda free, event: _permits(free, event, size, size + AT_ONCE)
    if type_name == "rlock":
        return ("", 0), _owned
    if type_name == "event":
        return False, _flag
    if type_name == "queue":
        return (), lambda items, event: _queue(items, event, size)
    if type_name == "pipe":
        return ((), ()), _pipe
    return _of_others(type_name, size)


def _of_others(type_name: str, size: int) -> tuple[Any, After]:
    """The same for what is made of other primitives."""
    if type_name == "condition":
        return ("", 0, frozenset(), 0), _condition
    if type_name == "barrier":
        return frozenset(), lambda given, event: _barrier(given, event, size)
    if type_name == "joinable_queue":
        return ((), 0), _joinable
    if type_name == "simple_queue":
        return (), _line
    if type_name in ("value", "bare value"):
        return (0, "", 0), lambda state, event: _value(state, event, type_name == "value")
    if type_name == "array":
        return (0,) * size, _array
    assert type_name.startswith("manager_")
    start = {"manager_list": "[]", "manager_dict": "{'x': 0}", "manager_value": "0"}[type_name]
    return start, lambda text, event: _managed(text, event)


def _permits(free: int, event: Event, full: int, most: int) -> list[int]:
    """A release fails when so many are free that it is full. Of several releases at once all can
    find it not full before any has released: so more than that may be free, but not over `most`."""
    if event.action == "acquire":
        if event.result or event.status == "blocked":
            return [free - 1] if free else []
        return [] if free else [free]
    if event.status == "error":
        return [free] if free >= full else []
    return [free + 1] if free < most else []


def _owned(state: tuple[str, int], event: Event) -> list[tuple[str, int]]:
    owner, depth = state
    mine = depth > 0 and owner == event.process
    if event.action == "acquire":
        if event.result or event.status == "blocked":
            return [(event.process, depth + 1)] if mine or not depth else []
        return [state] if depth and not mine else []
    if event.status == "error":
        return [] if mine else [state]
    return [(owner, depth - 1)] if mine else []


def _flag(flag: bool, event: Event) -> list[bool]:
    if event.action in ("set", "clear"):
        return [event.action == "set"]
    return [flag] if event.status == "blocked" or event.result == flag else []


Items = tuple[tuple[str, str], ...]  # who put each, and its repr


def _queue(items: Items, event: Event, slots: int) -> list[Items]:
    """Empty, Full and empty() are not looked at: a feeder or a getter may be half way."""
    if event.action == "put" and event.status != "error":
        return [] if 0 < slots <= len(items) else [(*items, (event.process, repr(event.value)))]
    if event.action == "get" and event.status != "error":
        return list(_got(items, event))
    return [items]


def _got(items: Items, event: Event) -> Iterator[Items]:
    """Each producer's items are got in his order: without the first one of any, if it is this."""
    producers: set[str] = set()
    for place, (producer, item) in enumerate(items):
        if producer not in producers and (event.status == "blocked" or item == repr(event.result)):
            yield items[:place] + items[place + 1 :]
        producers.add(producer)


def _pipe(state: tuple[Items, Items], event: Event) -> list[tuple[Items, Items]]:
    """What is under way to the first end, and to the second: first in, first out."""
    end = 0 if str(event.on).endswith(".conn1") else 1
    if event.action == "send":
        ways = [(*state[1 - end], (event.process, repr(event.value)))]
        return [_with(state, 1 - end, way) for way in ways]
    if event.action == "recv":
        first = state[end][:1]
        fits = first and (event.status == "blocked" or first[0][1] == repr(event.result))
        return [_with(state, end, state[end][1:])] if fits else []
    if event.action == "poll":
        told = event.status == "blocked" or bool(event.result) == bool(state[end])
        return [state] if told else []
    return [state]


def _with(state: tuple[Items, Items], end: int, way: Items) -> tuple[Items, Items]:
    return (state[0], way) if end else (way, state[1])


Waits = tuple[str, int, frozenset[tuple[str, int]], int]  # owner, depth, who waits, wakes left


def _condition(state: Waits, event: Event) -> list[Waits]:
    """Whoever holds the lock may have begun to wait before any event: all of that is tried."""
    owner, depth, waiting, wakes = state
    ways = [state]
    if depth:
        ways.append(("", 0, waiting | {(owner, depth)}, wakes))
    return [new for way in ways for new in _conditioned(way, event)]


def _conditioned(state: Waits, event: Event) -> list[Waits]:
    owner, depth, waiting, wakes = state
    who, recursive = event.process, event.on == "c"
    own = next((each for each in waiting if each[0] == who), None)
    if event.action == "wait":
        left = wakes - bool(event.result)
        if own is None or depth or left < 0:
            return []
        return [(who, own[1], waiting - {own}, left)]
    if own is not None:
        return []
    mine = depth > 0 and owner == who
    if event.action == "acquire" and event.result:
        return [(who, depth + 1, waiting, wakes)] if not depth or (mine and recursive) else []
    if event.action == "acquire":
        return [state] if depth and not (mine and recursive) else []
    if event.status == "error":
        return [] if mine else [state]
    if not mine:
        return []
    if event.action == "release":
        return [(owner if depth > 1 else "", depth - 1, waiting, wakes)]
    return [(owner, depth, waiting, wakes + (99 if event.value is None else event.value))]


def _barrier(given: frozenset[int], event: Event, parties: int) -> list[frozenset[int]]:
    if event.result in given or not 0 <= event.result < parties:
        return []
    given |= {event.result}
    return [frozenset() if len(given) == parties else given]


def _joinable(state: tuple[Items, int], event: Event) -> list[tuple[Items, int]]:
    items, left = state
    if event.action == "join":
        return [] if left else [state]
    if event.action == "task_done":
        return [(items, left - 1)] if left else []
    return [(new, left + (event.action == "put")) for new in _queue(items, event, 0)]


def _line(items: Items, event: Event) -> list[Items]:
    """First in, first out, whoever it was."""
    if event.action == "put":
        return [(*items, ("", repr(event.value)))]
    if event.action == "get":
        return [items[1:]] if items and items[0][1] == repr(event.result) else []
    return [items] if event.result == (not items) else []


Value = tuple[int, str, int]  # what it holds; who has its lock, how often


def _value(state: Value, event: Event, signed_byte: bool) -> list[Value]:
    held, owner, depth = state
    mine = not depth or owner == event.process
    if event.action == "acquire":
        if not event.result:
            return [state]  # any access takes the lock for a moment
        return [(held, event.process, depth + 1)] if mine else []
    if not mine:
        return []
    if event.action == "release":
        return [(held, owner, depth - 1)] if depth else []
    if event.action == "load":
        return [state] if event.result == held else []
    cut = (event.value + 128) % 256 - 128 if signed_byte else event.value
    return [(cut, owner, depth)]


def _array(items: tuple[int, ...], event: Event) -> list[tuple[int, ...]]:
    at = event.extra["at"]
    if event.action == "load":
        return [items] if items[at] == event.result else []
    new = list(items)
    new[at] = event.value
    return [tuple(new)]


def _managed(text: str, event: Event) -> list[str]:
    """What a manager holds, as its repr: the same is done to a copy of it."""
    value, at = eval(text), event.extra.get("at")
    if event.action == "store" and at is None:
        return [repr(event.value)]
    if event.action == "store":
        value[at] = event.value
    elif event.action == "append":
        value.append(event.value)
    elif event.action == "pop" and event.status == "error":
        return [text] if at not in value else []
    elif event.action == "pop":
        return [repr(value)] if value.pop(at) == event.result else []
    else:
        found = len(value) if event.action == "length" else value if at is None else value[at]
        return [text] if found == event.result else []
    return [repr(value)]
