"""Program -> World: the components of a scenario, who acts on them, and what each can do next.

An actor is a process, a queue's feeder thread in a process, or the arrival of a signal. A
component is what actors share: a semaphore, a pipe, a cell, how far a process has come. Every
actor is a component itself, whose value is what it is up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mpflow import registry
from mpflow.model import dying, pickles, steps
from mpflow.model.child import Child
from mpflow.model.facts import Facts, has_verb
from mpflow.model.files import FILES
from mpflow.model.local import Local, Moment
from mpflow.model.machine import Machine
from mpflow.model.me import Me
from mpflow.model.names import ALIVE, NEW, actor, feeder, life, signals, split, stopped
from mpflow.model.parts import Detail, Parts
from mpflow.model.process import Process
from mpflow.model.steps import Step
from mpflow.model.text import Uses, only_by_holders, users, uses
from mpflow.model.values import Uncheckable, Values
from mpflow.naming import handed, meant, names_of, plans_of, replicas
from mpflow.plan import Program
from mpflow.plan import Step as Line
from mpflow.primitives import _serving

LARGEST = 100_000  # items of an array, bytes of shared memory


class World:
    """A program as the model has it."""

    def __init__(
        self,
        program: Program,
        facts: Facts,
        version: tuple[int, int],
        now: float | None = None,
    ) -> None:
        self.program = program
        self.facts = facts
        self.version = version
        self.values = Values()
        self.now = now  # of a simulation's clock, in seconds since 1970
        self.asks: dict[Any, Any] = {}
        self.taken: set[tuple[str, int]] = set()  # each process's steps that were ever completed
        self.afters: dict[Any, tuple[Any, list[Moment]]] = {}
        self.known: dict[str, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.loaded: dict[bytes, Any] = {}
        self.detail = Detail(self._forget)
        self.parts: dict[str, Parts] = {}
        self.children: dict[str, Child] = {}
        self.first: dict[str, Any] = {}
        self.ends: list[tuple[str, str, str]] = []  # a pipe's name, its end, who holds that open
        self.processes = {name: Process(self, plan) for name, plan in program.plans.items()}
        self._declare()
        self.feeders = [
            (name, process) for name, each in self.parts.items() for process in sorted(each.feeders)
        ]
        self._people()
        self.steps: dict[tuple[str, Any], Step | None] = {}

    # Components

    def _declare(self) -> None:
        machines = {name: process.machine for name, process in self.processes.items()}
        held = only_by_holders(self.program, machines)
        conditions = {
            name: options.get("lock")
            for name, type_name, options in self.program.primitives
            if type_name == "condition"
        }
        for name, lock in conditions.items():  # one lock under two names
            if not {name, lock or name} <= held:
                held -= {name, lock}
        used = uses(self.program, machines) if self.facts.merged else {}
        types = {name: type_name for name, type_name, _ in self.program.primitives}
        for name, type_name, options in self.program.primitives:
            primitive = registry.primitive(type_name)
            if primitive.bases is None:
                raise Uncheckable(f"a {type_name} cannot be checked")
            if (options.get("size") or 0) > LARGEST:
                told = f"`{name}` has {options['size']:,} items, of which each state has a copy"
                raise Uncheckable(told, None, f"with {LARGEST:,} at most it can be checked")
            using = {p for p in self.program.plans if self._uses(p, name)}
            merged = self.facts.merged and not using & self.facts.signalled
            if types.get(conditions.get(name) or "") == "lock":  # others may release it meanwhile
                merged = merged and name in held
            feeders = frozenset(
                p for p in using if primitive.thread and has_verb(self.program.plans[p], "put")
            )
            for suffix in primitive.parts(options):
                self.parts[f"{name}{suffix}"] = Parts(
                    name,
                    type_name,
                    options,
                    self.parts,
                    feeders,
                    merged,
                    only_holders=name in held,
                    under_condition=name in conditions.values(),
                    part=suffix,
                    detail=self.detail,
                    uses=used.get(name, Uses()),
                )
            self.parts.setdefault(name, self.parts[f"{name}{primitive.parts(options)[0]}"])
            one = self.parts[name]
            for part, value in primitive.bases(options, merged).items():
                self.first[one.key(part)] = self.values.number(value) if primitive.served else value
            if primitive.served:
                self.first[_serving.UP] = True
            for process in feeders:
                self.first[one.own("buffer", process)] = None
            if primitive.ends:
                for suffix in primitive.parts(options):
                    self.ends.append((name, suffix, one.holders(suffix)))
                    self.first[one.holders(suffix)] = frozenset(["main"])
                self._mixing(name, primitive.parts(options), machines)

    def _mixing(self, name: str, ends: Sequence[str], machines: Mapping[str, Machine]) -> None:
        """Where several processes may read, or write, at one end, their messages may mix."""
        for end, other in (ends, ends[::-1]):
            way = self.parts[name].way(end)
            reading = users(self.program, machines, f"{name}{end}", ("recv", "recv_bytes"))
            if len(reading) > 1:
                self.detail.found.add((way, "bytes"))
            writing = users(self.program, machines, f"{name}{other}", ("send", "send_bytes"))
            self.detail.writers[way] = writing

    def _uses(self, process: str, name: str) -> bool:
        uses = self.program.plans[process].uses
        return name in uses or any(use.startswith(f"{name}.") for use in uses)

    def _people(self) -> None:
        plans = self.program.plans
        for name, plan in plans.items():
            if plan.target or plan.class_:
                python = plan.target or plan.class_
                hint = "say with `actions` what it does, and it can be checked"
                raise Uncheckable(f"`{name}` runs Python code, {python}", plan.line, hint)
            self.first[life(name)] = NEW
            self.first[actor(name)] = None
            self.parts[name] = self.children[name] = Child(self, name)
            if name in self.facts.signalled:
                self.first[signals(name)] = ()
            if name in self.facts.suspendable:
                self.first[stopped(name)] = False
        for queue, process in self.feeders:
            self.first[feeder(queue, process)] = ()
        for key in self.facts.log:
            self.first[key] = () if key in ("output", "lines", "marks") else ((), 0)
        if any(has_verb(plan, "read", "write") for plan in plans.values()):
            self.first[FILES] = ()
        self.first[life("main")] = ALIVE
        self.first[actor("main")] = self.processes["main"].begin(frozenset(), ())[0]

    def actors(self) -> Iterator[str]:
        """The components that are actors: processes, feeders, signals on their way."""
        yield from (actor(name) for name in self.program.plans)
        yield from (feeder(queue, process) for queue, process in self.feeders)
        yield from (signals(n) for n in self.program.plans if n in self.facts.signalled)

    def born(self, name: str, value: Local) -> list[Moment]:
        """What a process has done that has just been started and is up to this."""
        mem = dict(value.mem)
        closed, known = mem.get("closed", frozenset()), mem.get("known", ())
        return self.processes[name].begin(closed, known)[1]

    # What an actor does next

    def step(self, key: str, value: Any) -> Step | None:
        """An actor's next step; None when there is none any more, or not yet."""
        found = self.steps.get((key, value), self)
        if found is self:
            found = self.steps[key, value] = self._step(key, value)
        assert found is not self
        return found  # type: ignore[return-value]

    def _step(self, key: str, value: Any) -> Step | None:
        kind, name, queue = split(key)
        if kind == "signals":
            return dying.arrival(self, name)
        if kind == "feeder":
            step = steps.resumed(self._feeding(queue, name), map(self.values.value, value))
        elif isinstance(value, Local):
            step = self.processes[name].step(value)
        else:
            return None
        return _unless_stopped(step, name) if name in self.facts.suspendable else step

    def after(self, key: str, value: Any, result: Any) -> tuple[Any, list[Moment]]:
        """An actor when its step had this result, and what was completed by that."""
        if result is steps.STAY:
            return value, []
        kind, name, queue = split(key)
        if kind == "process":
            known = key, value, self.values.number(result), self.now
            found = self.afters.get(known)
            if found is None:
                found = self.afters[known] = self.processes[name].after(value, result)
            return found
        history = (*value, self.values.number(result))
        try:
            steps.resumed(self._feeding(queue, name), map(self.values.value, history))
        except StopIteration:
            return (), []
        return history, []

    def _feeding(self, queue: str, process: str) -> Any:
        on = self.parts[queue]
        thread = registry.primitive(on.type).thread
        assert thread is not None
        return thread(on, Me(self.processes[process], ()))

    def place(self, error: Uncheckable, key: str, value: Any) -> None:
        """Say of what cannot be checked on which line it stands, if an action's step is it."""
        if isinstance(value, Local) and split(key)[0] == "process":
            self.processes[split(key)[1]].place(error, value)

    # Names

    def targets(
        self, me: Me, step: Line, verb: str, arguments: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Each name that an action is on, and its type, as this process knows it."""
        names = names_of(step, arguments)
        return [each for name in names for each in self.meant(me, step.verb, verb, name)]

    def meant(self, me: Me, said: str, verb: str, name: str) -> list[tuple[str, str]]:
        """What a name means to a process for a verb on primitives or processes; "": for any."""
        kind = self.handed(me.name).get(name)
        return meant(said, verb, name, kind, lambda: self._processes(me, name, verb))

    def handed(self, process: str) -> dict[str, str]:
        """The primitives, or their ends, that a process can name, and their types."""
        found = self.known.get(process)
        if found is None:
            found = self.known[process] = handed(self.program, process)
        return found

    def _processes(self, me: Me, name: str, verb: str) -> list[str] | None:
        if name == "all" and verb != "start":
            return list(me.get("children", ()))
        return replicas(self.program, plans_of(self.program, me.name), me.name, name, verb)

    def keys_of(self, name: str) -> list[str]:
        """All components of a primitive."""
        base = self.parts[name].name
        return [key for key in self.first if key == base or key.startswith(f"{base}/")]

    def body(self, number: int) -> bytes:
        """What stands behind the header of a message that carries a value."""
        found = self.bodies.get(number)
        if found is None:
            found = self.bodies[number] = pickles.body(self.values.value(number), self.version)
        return found

    def loads(self, body: bytes) -> Any:
        """What is unpickled from a message that was read byte by byte."""
        if body not in self.loaded:
            try:
                self.loaded[body] = pickles.loads(body)
            except Exception as error:
                self.loaded[body] = error
        found = self.loaded[body]
        if isinstance(found, Exception):
            raise found
        return found

    def _forget(self) -> None:
        """All that was worked out, where more has to be told."""
        self.steps.clear()
        self.afters.clear()
        self.taken.clear()


def _unless_stopped(step: Step, process: str) -> Step:
    """A step that a stopped process does not take."""
    key = stopped(process)

    def held(ways: Any) -> Any:
        return lambda *values: (
            []
            if values[-1]
            else [(result, (*new, values[-1])) for result, new in ways(*values[:-1])]
        )

    return step._replace(
        touches=(*step.touches, key),
        kinds=(*step.kinds, f"{key}:go"),
        change=held(step.change),
        late=step.late and held(step.late),
    )
