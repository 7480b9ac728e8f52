"""Random small scenarios, as YAML data: a source of chance goes in, a scenario comes out.

Biased towards programs in which something happens: primitives are shared, what is held is mostly
given back, what is waited for is mostly done by somebody, and variables that the outcome names
keep what each action gave. Every primitive and every action that `check` knows can occur.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import yaml

Action = Any  # a mapping with one key, or a bare word
ACQUIRABLE = ("lock", "rlock", "semaphore", "bounded_semaphore", "condition")
QUEUES = ("queue", "joinable_queue", "simple_queue")
TYPES = (
    *("lock", "lock", "rlock", "semaphore", "bounded_semaphore", "event", "event", "condition"),
    *("condition", "barrier", "queue", "queue", "joinable_queue", "simple_queue", "pipe", "pipe"),
    *("value", "value", "array"),
)
START = {"x": 0, "y": None, "z": None, "n": 0}  # each process's variables
BUILT_IN = ("ValueError", "KeyError", "Empty", "Full", "OSError")


class Kind(NamedTuple):
    """What kind of programs: with signals, with loops that may have no end, under which start
    methods; how many actions a process has at most; whether actions sleep now and then."""

    signals: bool = True
    endless: bool = True
    methods: tuple[str, ...] = ("fork", "fork", "fork", "spawn")
    actions: int = 6
    sleeps: bool = False


ANY = Kind()
RUNNABLE = Kind(actions=5, endless=False, methods=("fork",) * 12 + ("spawn",), sleeps=True)
SMALL = Kind(actions=4)


def program(chance: Random, kind: Kind = ANY) -> dict[str, Any]:
    """A scenario as yaml.safe_load would give it."""
    return _Program(chance, kind).data()


def text(data: dict[str, Any]) -> str:
    """The scenario as a file has it."""
    return yaml.dump(data, Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    """Without anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Program:
    """One scenario in the making."""

    def __init__(self, chance: Random, kind: Kind) -> None:
        self.chance = chance
        self.kind = kind
        self.method = chance.choice(kind.methods)
        self.primitives: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.readers: dict[str, str] = {}  # the one process that receives at each end of a pipe
        self.counts: dict[str, int | None] = {}
        self.daemons: set[str] = set()
        self.parents: dict[str, str] = {}
        self._people()
        self._things()

    def odds(self, share: float) -> bool:
        return self.chance.random() < share

    def _people(self) -> None:
        """Processes: two or three besides main, or one, and main does as much as it."""
        names = ["a", "b", "c"][: self.chance.choice((1, 1, 2, 2, 2, 3))]
        for name in names:
            twice = len(names) == 1 and self.odds(0.4)
            self.counts[name] = 2 if twice else None
            if self.odds(0.1):
                self.daemons.add(name)
        if len(names) > 1 and self.odds(0.1) and "a" not in self.daemons:
            self.parents[names[-1]] = "a"  # who starts it; the others are main's

    def _things(self) -> None:
        for name in ["p", "q", "r"][: self.chance.choice((1, 1, 2, 2, 3))]:
            type_name = self.chance.choice(TYPES)
            self.types[name] = type_name
            made: dict[str, Any] = {"type": type_name}
            if "semaphore" in type_name:
                made["value"] = self.chance.choice((0, 1, 1, 2))
            elif type_name in ("queue", "joinable_queue"):
                made["maxsize"] = self.chance.choice((0, 0, 1, 2))
            elif type_name == "barrier":
                made["parties"] = self.chance.choice((2, 2, 2, 3, 1))
            elif type_name == "pipe":
                made["duplex"] = self.odds(0.5)
                for end in ("conn1", "conn2"):
                    self.readers[f"{name}.{end}"] = self._one_process()
            elif type_name == "condition":
                locks = [n for n, t in self.types.items() if t in ("lock", "rlock")]
                if locks and self.odds(0.5):
                    made["lock"] = self.chance.choice(locks)
            elif type_name == "value":
                made["initial"] = self.chance.choice((0, 1, 5))
                if self.odds(0.2):
                    made["lock"] = False
            elif type_name == "array":
                made["initial"] = [0, self.chance.choice((1, 7))]
            self.primitives[name] = type_name if list(made) == ["type"] else made

    def _one_process(self) -> str:
        return self.chance.choice(["main", *(n for n, count in self.counts.items() if not count)])

    def data(self) -> dict[str, Any]:
        processes = {name: self._process(name) for name in self.counts}
        main = self._main()
        self._balance({name: made["actions"] for name, made in processes.items()}, main)
        found = {
            "mpflow": 1,
            "start_method": self.method,
            "timeout": 5,
            "primitives": self.primitives,
            "processes": processes,
            "main": main,
            "outcome": self._outcome(),
        }
        expect = self._expect(repr((processes, main)))
        return {**found, "expect": expect} if expect is not None else found

    def _process(self, name: str) -> dict[str, Any]:
        actions = _Actions(self, name).block(self.chance.randint(2, self.kind.actions))
        mine = [child for child, parent in self.parents.items() if parent == name]
        if mine:
            actions.insert(self.chance.randint(0, len(actions)), {"start": mine[0]})
            if self.odds(0.7):
                actions.append({"join": mine[0]})
        made: dict[str, Any] = {"vars": dict(START), "actions": actions}
        if self.counts[name]:
            made["count"] = self.counts[name]
        if name in self.daemons:
            made["daemon"] = True
        return made

    # Main

    def _main(self) -> list[Action]:
        mine = [name for name in self.counts if name not in self.parents]
        most = 2 + (len(self.counts) == 1) * 2
        doing = _Actions(self, "main", mine)
        before = doing.block(self.chance.choice((0, 0, 0, 1)))
        own = doing.block(self.chance.randint(0, most))
        if self.kind.signals and self.odds(0.25):
            own.append({self.chance.choice(("terminate", "kill")): self.chance.choice(mine)})
        if self.odds(0.3):
            own.append(doing.about_processes())
        joins: list[Action] = [{"join": mine}]
        if self.odds(0.1):
            joins = [{"join": {"process": mine[0], "timeout": 0.002, "into": "x"}}, *joins]
        if self.odds(0.12):
            joins = []
        behind = doing.block(self.chance.choice((0, 0, 0, 1, 2)))
        if self.odds(0.15):
            behind.append(doing.about_processes())
        return [{"let": dict(START)}, *before, {"start": mine}, *own, *joins, *behind]

    def _outcome(self) -> dict[str, Any]:
        found = {"m": "[main.x, main.y, main.z]"}
        for base, count in self.counts.items():
            for name in [base] if count is None else [f"{base}[{i}]" for i in range(count)]:
                key = name.replace("[", "").replace("]", "")
                found[key] = f"[{name}.x, {name}.y, {name}.z, {name}.error, {name}.exitcode]"
        if self.odds(0.1):
            found["out"] = "output" if self.odds(0.5) else "sorted(output)"
        return found

    def _balance(self, children: dict[str, list[Action]], main: list[Action]) -> None:
        """What somebody waits for without a limit is mostly done by somebody else."""
        everybody = {**children, "main": main}
        for subject, (waiting, doing) in _needs(self.types).items():
            waits = {
                name: _count(actions, waiting, subject) * (self.counts.get(name) or 1)
                for name, actions in everybody.items()
            }
            does = sum(
                _count(actions, (doing,), subject.rpartition(".")[0] or subject)
                * (self.counts.get(name) or 1)
                for name, actions in everybody.items()
            )
            missing = min(sum(waits.values()) - does, 2)
            if doing in ("set", "notify_all"):
                missing = min(missing, 1)
            for _ in range(missing):
                others = [name for name, count in waits.items() if not count and name != "main"]
                if others and self.odds(0.8):
                    actions = everybody[self.chance.choice(others)]
                    actions.insert(self.chance.randint(0, len(actions)), self._done(doing, subject))
                elif self.odds(0.5):
                    at = next(i for i, each in enumerate(main) if "start" in each)
                    main.insert(at + self.chance.randint(0, 1), self._done(doing, subject))

    def _done(self, verb: str, subject: str) -> Action:
        if verb == "notify_all":
            return {"with": {"lock": subject, "do": [{verb: subject}]}}
        if verb == "set":
            return {verb: subject}
        if verb == "put":
            return {verb: {"value": self.chance.choice((1, 2)), "to": subject}}
        name, _, end = subject.partition(".")
        other = "conn2" if end == "conn1" else "conn1"
        return {verb: {"value": self.chance.choice((1, 2)), "to": f"{name}.{other}"}}

    def _expect(self, written: str) -> dict[str, Any] | None:
        """What is expected: mostly something that does not hold of all runs."""
        if self.odds(0.3):
            return None
        found: dict[str, Any] = {}
        for word in ("deadlock", "timeout"):
            found[word] = self.chance.choice(("never", "possible"))
        name = self.chance.choice(list(self.counts))
        shown = f"{name}[0]" if self.counts[name] else name
        if self.odds(0.5):
            found["exitcode"] = {
                each: self.chance.choice((0, [0, 1], [0, 1, -15, -9])) for each in self.counts
            }
        if self.odds(0.3):
            found["always"] = [f"{shown}.x != {self.chance.choice((0, 1))}"]
        if self.odds(0.2):
            found["sometimes"] = [f"{shown}.y == {self.chance.choice((0, 1, True, None))}"]
        if self.odds(0.7) and "'section'" in written:
            found["exclusive"] = {"s": 1}
        if self.odds(0.7) and "'m1'" in written and "'m2'" in written:
            found["order"] = [["m1", "m2"]]
        return found


class _Actions:
    """Writes the actions of one process."""

    def __init__(self, whole: _Program, name: str, children: list[str] | None = None) -> None:
        self.whole = whole
        self.name = name
        self.chance = whole.chance
        self.odds = whole.odds
        self.children = children or []
        self.depth = 0
        self.acquired: set[str] = set()

    def block(self, count: int) -> list[Action]:
        """So many actions, those inside others counted."""
        found: list[Action] = []
        self.left = count
        while self.left > 0:
            self.left -= 1
            found += self._some()
        return found

    def _inner(self, most: int = 2) -> list[Action]:
        """A block inside an action, of what is left."""
        self.depth += 1
        found: list[Action] = []
        for _ in range(self.chance.randint(1, most)):
            self.left -= 1
            found += self._some()
        self.depth -= 1
        return found

    def _some(self) -> list[Action]:
        if self.whole.kind.sleeps and self.odds(0.12):
            return [{"sleep": self.chance.choice((0.001, 0.003))}, *self._some()]
        if self.odds(0.72):
            return self._on_something()
        return [self._own()]

    def _into(self, share: float = 0.8) -> dict[str, str]:
        return {"into": self.chance.choice(("x", "y", "y", "z"))} if self.odds(share) else {}

    def _limit(self) -> dict[str, float]:
        return {"timeout": self.chance.choice((0, 0.001, 0.003, 0.02))}

    def _item(self) -> Any:
        return self.chance.choice((1, 2, "k", "$x", "$(x + 1)", "$(self.name)"))

    # On primitives

    def _on_something(self) -> list[Action]:
        name = self.chance.choice(list(self.whole.types))
        kind = self.whole.types[name]
        if kind in ACQUIRABLE:
            return self._acquirable(name, kind)
        if kind in QUEUES:
            return [self._queue(name, kind)]
        found: Callable[[str], Any] = getattr(self, f"_{kind}")
        made = found(name)
        return made if isinstance(made, list) else [made]

    def _acquirable(self, name: str, kind: str) -> list[Action]:
        known = name in self.acquired
        self.acquired.add(name)
        if kind == "condition" and self.odds(0.55):
            inner = [self._on_condition(name)]
            if self.odds(0.3):
                inner.insert(self.chance.randint(0, 1), self._own())
            return [{"with": {"lock": name, "do": inner}}]
        draw = self.chance.random()
        if draw < 0.3 and self.depth < 2:
            return [{"with": {"lock": name, "do": self._inner()}}]
        if draw < 0.5:
            self.left -= 1
            return [{"acquire": name}, *(self._some() if self.left > 0 else []), {"release": name}]
        if draw < 0.7:
            how = {"block": False} if self.odds(0.4) else self._limit()
            return [{"acquire": {"lock": name, **how, **self._into(0.9)}}]
        if draw < 0.73:
            return [{"acquire": {"lock": name, **self._into(0.5)}}]
        if not known and kind in ("rlock", "condition"):
            return [{"acquire": name}]
        if kind == "condition" and draw < 0.83:
            return [self._on_condition(name)]
        return [{"release": name}]

    def _on_condition(self, name: str) -> Action:
        draw = self.chance.random()
        if draw < 0.5:
            limit = self._limit() if self.odds(0.4) else {}
            return {"wait": {"for": name, **limit, **self._into()}}
        if draw < 0.8:
            return {"notify": {"condition": name, "n": 2}} if self.odds(0.2) else {"notify": name}
        return {"notify_all": name}

    def _event(self, name: str) -> Action:
        draw = self.chance.random()
        if draw < 0.35:
            return {"set": name}
        if draw < 0.5:
            return {"clear": name}
        if draw < 0.65:
            return {"is_set": {"event": name, **self._into(1)}}
        return {"wait": {"for": name, **(self._limit() if self.odds(0.5) else {}), **self._into()}}

    def _barrier(self, name: str) -> Action:
        draw = self.chance.random()
        if draw < 0.1:
            return {"abort": name}
        if draw < 0.2:
            return {"reset": name}
        return {"wait": {"for": name, **(self._limit() if self.odds(0.3) else {}), **self._into()}}

    def _queue(self, name: str, kind: str) -> Action:
        simple = kind == "simple_queue"
        draw = self.chance.random()
        if draw < 0.42:
            how = {} if simple or self.odds(0.7) else {"block": False}
            how = self._limit() if not simple and not how and self.odds(0.15) else how
            return {"put": {"value": self._item(), "to": name, **how}}
        if draw < 0.8 or simple:
            if simple and draw > 0.9:
                return {"empty": {"queue": name, **self._into(1)}}
            how = {"block": False} if self.odds(0.35) else {}
            how = self._limit() if not how and self.odds(0.35) else how
            return {"get": {"from": name, **({} if simple else how), **self._into()}}
        if kind == "joinable_queue" and draw < 0.93:
            return {"join": name} if self.odds(0.4) else {"task_done": name}
        if draw < 0.96:
            verb = self.chance.choice(("qsize", "empty", "full"))
            return {verb: {"queue": name, **self._into(1)}}
        return {self.chance.choice(("close", "join_thread", "cancel_join_thread")): name}

    def _pipe(self, name: str) -> Action:
        ends = [f"{name}.conn1", f"{name}.conn2"]
        made = self.whole.primitives[name]
        mine = [end for end in ends if self.whole.readers[end] == self.name]
        sends, receives = list(ends), list(mine)
        if not made["duplex"]:
            sends = ends[1:]
            receives = [end for end in mine if end == ends[0]]
        draw = self.chance.random()
        if draw < 0.15:
            return {"close": self.chance.choice(ends)}
        if receives and draw < 0.65:
            end = self.chance.choice(receives)
            if self.odds(0.25):
                limit = self._limit() if self.odds(0.5) else {}
                return {"poll": {"from": end, **limit, **self._into(1)}}
            return {"recv": {"from": end, **self._into()}}
        return {"send": {"value": self._item(), "to": self.chance.choice(sends)}}

    def _value(self, name: str) -> Any:
        locked = self.whole.primitives[name] == "value" or (
            self.whole.primitives[name].get("lock", True)
        )
        draw = self.chance.random()
        if draw < 0.4:
            load = {"load": {"from": name, "into": "x"}}
            store = {"store": {"value": "$(x + 1)", "to": name}}
            if locked and self.odds(0.4):
                return {"with": {"lock": name, "do": [load, store]}}
            return [load, store]
        if draw < 0.7:
            return {"load": {"from": name, **self._into(1)}}
        return {"store": {"value": self.chance.choice((1, 2, "$(x + 1)")), "to": name}}

    def _array(self, name: str) -> Action:
        at = self.chance.choice((0, 1, 1, 2))
        if self.odds(0.5):
            return {"load": {"from": name, "at": at, **self._into(1)}}
        return {"store": {"value": self.chance.choice((1, "$(x + 1)")), "to": name, "at": at}}

    # Its own

    def _own(self) -> Action:
        draw = self.chance.random()
        if draw < 0.36 and self.depth < 2:
            return self._around()
        plain: list[Action] = [
            {"print": f"{self.name} $x"},
            {"mark": self.chance.choice(("m1", "m2"))},
            {"let": {"x": "$(x + 1)"}},
            {"let": {"z": self.chance.choice((3, "$x"))}},
            {"choose": {"from": [0, 1], "into": self.chance.choice(("x", "z"))}},
            {"choose": {"from": [0, 1], "into": "y"}},
        ]
        if draw < 0.9:
            return self.chance.choice(plain)
        if self.children and self.odds(0.5):
            return self.about_processes()
        if self.odds(0.3):
            return {"raise": self.chance.choice(BUILT_IN)}
        if self.odds(0.3):
            return {"assert": "x == 0"}
        leaving: list[Action] = [
            {"exit": self.chance.choice((0, 3))},
            {"os_exit": self.chance.choice((0, 4))},
            "return",
            "pass",
        ]
        return self.chance.choice(leaving)

    def _around(self) -> Action:
        draw = self.chance.random()
        if draw < 0.25:
            return {"section": {"name": "s", "do": self._inner()}}
        if draw < 0.5:
            return self._try()
        if draw < 0.65:
            made = {"condition": self._condition(), "then": self._inner()}
            return {"if": {**made, "else": self._inner(1)} if self.odds(0.4) else made}
        if draw < 0.8:
            inner = self._inner()
            if self.odds(0.2):
                inner.append({"if": {"condition": self._condition(), "then": ["break"]}})
            return {"repeat": {"times": 2, "do": inner}}
        if draw < 0.87:
            return {"for": {"each": "z", "in": [1, 2], "do": self._inner(1)}}
        return self._while()

    def _while(self) -> Action:
        """A loop that ends by itself, or one that only another process can end."""
        if self.whole.kind.endless and self.odds(0.3):
            cells = [n for n, t in self.whole.types.items() if t in ("value", "event")]
            if cells and self.whole.types[cells[0]] == "value":
                look = {"load": {"from": cells[0], "into": "x"}}
                return {"while": {"condition": "x < 2", "do": [look]}}
            if cells:
                look = {"is_set": {"event": cells[0], "into": "y"}}
                return {"repeat": {"times": "forever", "do": [look, _stop("y")]}}
        inner = [{"let": {"n": "$(n + 1)"}}, *self._inner(1)]
        return {"while": {"condition": "n < 2", "do": inner}}

    def _try(self) -> Action:
        made: dict[str, Any] = {"do": self._inner()}
        final = self.odds(0.3)
        if not final or self.odds(0.5):
            names = self.chance.sample(
                ("Exception", "Empty", "Full", "ValueError", "BrokenBarrierError", "OSError"), 2
            )
            handler: list[Action] = [{"let": {"z": "$(error.type)"}}]
            made["except"] = {names[0]: handler}
            if self.odds(0.3):
                made["except"] = {names[1]: ["pass"], names[0]: handler}
            if self.odds(0.15):
                made["else"] = self._inner(1)
        if final:
            made["finally"] = self._inner(1)
        return {"try": made}

    def _condition(self) -> str:
        return self.chance.choice(("x == 0", "x == 1", "x", "x > 0", "not x"))

    def about_processes(self) -> Action:
        """What a parent asks about its children, or does to them."""
        child = self.chance.choice(self.children)
        many = self.whole.counts[child]
        one = f"{child}[{self.chance.randint(0, 1)}]" if many else child
        draw = self.chance.random()
        if draw < 0.35:
            return {"is_alive": {"process": one, **self._into(1)}}
        if draw < 0.65:
            return {"exitcode": {"process": one, **self._into(1)}}
        if draw < 0.75:
            return {"active_children": {"into": "z"}}
        if draw < 0.9:
            return {"join": {"process": one, **self._limit(), **self._into(1)}}
        if draw < 0.95 or not self.whole.kind.signals:
            return {"start": child}
        return {"terminate": one}


def _stop(name: str) -> Action:
    return {"if": {"condition": name, "then": ["break"]}}


def _needs(types: dict[str, str]) -> dict[str, tuple[tuple[str, ...], str]]:
    """For what can be waited for: the verbs that wait, and the one that ends the wait."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, kind in types.items():
        if kind in QUEUES:
            found[name] = ("get",), "put"
        elif kind == "event":
            found[name] = ("wait",), "set"
        elif kind == "condition":
            found[name] = ("wait",), "notify_all"
        elif kind == "pipe":
            found[f"{name}.conn1"] = found[f"{name}.conn2"] = ("recv",), "send"
    return found


def _count(data: Any, verbs: tuple[str, ...], subject: str) -> int:
    """How many actions of these verbs there are on a subject, without a limit."""
    if isinstance(data, list):
        return sum(_count(each, verbs, subject) for each in data)
    if not isinstance(data, dict):
        return 0
    found = 0
    for verb, given in data.items():
        named = [given] if isinstance(given, str) else []
        if isinstance(given, dict):
            named = [each for each in given.values() if isinstance(each, str)]
            if given.keys() & {"timeout", "block"}:
                named = []
        if verb in verbs and any(
            each.partition(".conn")[0] == subject or each == subject for each in named
        ):
            found += 1
        found += _count(given, verbs, subject)
    return found
