"""Program -> World: the components of a scenario, who acts on them, and what each can do next.

An actor is a process, a queue's feeder thread in a process, or the arrival of a signal. A
component is what actors share: a semaphore, a pipe, a cell, how far a process has come. Every
actor is a component itself, whose value is what it is up to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.evaluation import PREFIX
from mpflow.model import local as locals_
from mpflow.model.local import Local, Me, Moment, Process
from mpflow.model.machine import Done
from mpflow.model.parts import Parts
from mpflow.model.steps import Step
from mpflow.model.text import handed, only_by_holders
from mpflow.model.values import Abrupt, Uncheckable, Values
from mpflow.naming import constant, family
from mpflow.plan import Plan, Program
from mpflow.plan import Step as Line
from mpflow.primitives import _feeding
from mpflow.scenario import Condition, Scenario

NEW, ALIVE = "new", "alive"  # of a process's life; after that it is its exit code
TERMINATE, KILL = 15, 9


class Facts(NamedTuple):
    """What is known of a program beforehand, and what of its end somebody asks for.

    `killable`: processes that a signal may end. `observed`: for each process the variables that
    outlive it. `log`: the components that monitors keep: `output`, `marks`, sections.
    """

    killable: frozenset[str]
    observed: Mapping[str, frozenset[str]]
    log: frozenset[str]
    merged: bool = True
    exact: bool = False  # timing: a sleep is a step of its own


class World:
    """A program as the model has it."""

    def __init__(self, program: Program, facts: Facts, version: tuple[int, int]) -> None:
        self.program = program
        self.facts = facts
        self.observed = facts.observed
        self.version = version
        self.values = Values()
        self.asks: dict[Any, Any] = {}
        self.taken: set[tuple[str, int]] = set()  # each process's steps that were ever completed
        self.known: dict[str, dict[str, str]] = {}
        self.sizes: dict[int, int] = {}
        self.parts: dict[str, Parts] = {}
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
        types = {name: type_name for name, type_name, _ in self.program.primitives}
        for name, type_name, options in self.program.primitives:
            primitive = registry.primitive(type_name)
            if primitive.bases is None:
                raise Uncheckable(f"a {type_name} cannot be checked")
            users = {p for p in self.program.plans if self._uses(p, name)}
            merged = self.facts.merged and not users & self.facts.killable
            if types.get(conditions.get(name) or "") == "lock":  # others may release it meanwhile
                merged = merged and name in held
            feeders = frozenset(
                p for p in users if primitive.thread and _has_verb(self.program.plans[p], "put")
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
                )
            self.parts.setdefault(name, self.parts[f"{name}{primitive.parts(options)[0]}"])
            one = self.parts[name]
            for part, value in primitive.bases(options, merged).items():
                self.first[one.key(part)] = value
            for process in feeders:
                self.first[one.own("buffer", process)] = None
            if primitive.ends:
                for suffix in primitive.parts(options):
                    self.ends.append((name, suffix, one.holders(suffix)))
                    self.first[one.holders(suffix)] = frozenset(["main"])

    def _uses(self, process: str, name: str) -> bool:
        uses = self.program.plans[process].uses
        return name in uses or any(use.startswith(f"{name}.") for use in uses)

    def _people(self) -> None:
        for name, plan in self.program.plans.items():
            if plan.target or plan.class_:
                python = plan.target or plan.class_
                hint = "say with `actions` what it does, and it can be checked"
                raise Uncheckable(f"`{name}` runs Python code, {python}", plan.line, hint)
            self.first[life(name)] = NEW
            self.first[actor(name)] = None
            self.parts[name] = Child(self, name)
            if name in self.facts.killable:
                self.first[signals(name)] = ()
        for queue, process in self.feeders:
            self.first[feeder(queue, process)] = ()
        for key in self.facts.log:
            self.first[key] = () if key in ("output", "lines", "marks") else ((), 0)
        self.first[life("main")] = ALIVE
        self.first[actor("main")] = self.processes["main"].begin(frozenset(), ())[0]

    def actors(self) -> Iterator[str]:
        """The components that are actors: processes, feeders, signals on their way."""
        yield from (actor(name) for name in self.program.plans)
        yield from (feeder(queue, process) for queue, process in self.feeders)
        yield from (signals(n) for n in self.program.plans if n in self.facts.killable)

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
            return self._arrival(name)
        if kind == "feeder":
            running = self._feeding(queue, name)
            step = next(running)
            for number in value:
                step = running.send(self.values.value(number))
            return step  # type: ignore[no-any-return]
        return self.processes[name].step(value) if isinstance(value, Local) else None

    def after(self, key: str, value: Any, result: Any) -> tuple[Any, list[Moment]]:
        """An actor when its step had this result, and what was completed by that."""
        kind, name, queue = split(key)
        if kind == "process":
            return self.processes[name].after(value, result)
        history = (*value, self.values.number(result))
        running = self._feeding(queue, name)
        try:
            next(running)
            for number in history:
                running.send(self.values.value(number))
        except StopIteration:
            return (), []
        return history, []

    def _feeding(self, queue: str, process: str) -> Any:
        on = self.parts[queue]
        thread = registry.primitive(on.type).thread
        assert thread is not None
        return thread(on, Me(self.processes[process], ()))

    # Processes

    def leave(self, me: Me, done: Done) -> Iterator[Any]:
        """A process's way out when its actions are done (process.py, _bootstrap; util.py,
        _exit_function): feeders are told, daemons terminated, children joined, feeders joined."""
        queues = [self.parts[queue] for queue, process in self.feeders if process == me.name]
        abrupt = done.failure is not None and done.failure.type == Abrupt.__name__
        if not abrupt:
            for on in reversed(queues):
                if not me.get(("closed", on.name)):
                    yield from _feeding.tell_feeder(on, me)
            children = me.get("children", ())
            for child in children:
                if self.program.plans[child].daemon:
                    yield self.parts[child].send(TERMINATE)  # type: ignore[attr-defined]
            for child in children:
                yield self.parts[child].ended(None)  # type: ignore[attr-defined]
            for on in queues:
                yield from _feeding.join_feeder(on, me)
        yield self.death(me.name, locals_.exit_code(done.failure))

    def death(self, name: str, code: int) -> Step:
        """A process ends: its threads with it, and what it had open is closed."""
        own, keys, kinds = self._belongings(name)

        def change(*values: Any) -> Any:
            return [(code, (code, *own(values[1:])))]

        return Step((life(name), *keys), (f"{life(name)}:end", *kinds), change)

    def _belongings(self, name: str) -> tuple[Any, list[str], list[str]]:
        """What goes with a process: a function from the values of the components to those they
        have then, the components, and what happens to them."""
        held = [key for _, _, key in self.ends]
        feeders = [each for each in self.feeders if each[1] == name and self._cut_off(name)]
        fed = [feeder(queue, process) for queue, process in feeders]
        buffers = [self.parts[q].own("buffer", p) for q, p in feeders]
        sections = [key for key in sorted(self.facts.log) if key.startswith("section ")]
        pending = [signals(name)] if name in self.facts.killable else []

        def gone(values: tuple[Any, ...]) -> list[Any]:
            new: list[Any] = [each - {name} for each in values[: len(held)]]
            new += [*[()] * len(fed), *[None] * len(buffers)]
            for inside, most in values[len(new) : len(new) + len(sections)]:
                new.append((tuple(each for each in inside if each != name), most))
            return [*new, *[()] * len(pending)]

        keys = [*held, *fed, *buffers, *sections, *pending]
        kinds = [f"{key}:drop" for key in held] + [f"{key}:end" for key in (*fed, *buffers)]
        kinds += [f"{key}:w" for key in sections]
        return gone, keys, [*kinds, *[f"{key}:end" for key in pending]]

    def _cut_off(self, name: str) -> bool:
        """Whether a process may end before its feeder threads have."""
        verbs = {step.verb for step in self.program.plans[name].steps}
        return name in self.facts.killable or bool(
            verbs & {"os_exit", "crash", "cancel_join_thread"}
        )

    def _arrival(self, name: str) -> Step:
        """A signal comes to a process that is alive, at whatever time."""
        own, keys, kinds = self._belongings(name)
        process = self.processes[name]

        def change(pending: Any, alive: Any, up_to: Any, *values: Any) -> Any:
            if alive != ALIVE or not isinstance(up_to, Local):
                return []
            found = []
            for number in pending:
                new = own(values)
                new[-1:] = []
                dead = process.killed(up_to, number)
                found.append((number, ((), -number, dead, *new)))
            return found

        first = (signals(name), life(name), actor(name))
        whole = (f"{signals(name)}:arrive", f"{life(name)}:end", f"{actor(name)}:kill")
        return Step((*first, *keys[:-1]), (*whole, *kinds[:-1]), change)

    # Names

    def targets(
        self, me: Me, step: Line, verb: str, arguments: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Each name that an action is on, and its type, as this process knows it."""
        named = arguments["lock" if step.verb == "with" else step.operates]
        if not isinstance(named, str | list | tuple):
            raise TypeError(f"{step.verb}: {named!r:.60} is not a name")
        found: list[tuple[str, str]] = []
        for each in [named] if isinstance(named, str) else named:
            name, given = str(each), self.handed(me.name)
            if name in given:
                if registry.primitive(given[name]).operation(verb) is None:
                    kind = f"it is a {given[name]}"
                    raise TypeError(f"{step.verb} does not go with {name}: {kind}")
                found.append((name, given[name]))
                continue
            processes = self._named(me, name, verb)
            if processes is None or registry.primitive("process").operation(verb) is None:
                said = f"nothing that this process was handed is called {name!r}"
                raise NameError(f"{step.verb}: {said}")
            found += [(process, "process") for process in processes]
        return found

    def handed(self, process: str) -> dict[str, str]:
        """The primitives, or their ends, that a process can name, and their types."""
        found = self.known.get(process)
        if found is None:
            found = self.known[process] = handed(self.program, process)
        return found

    def _named(self, me: Me, name: str, verb: str) -> list[str] | None:
        """The replicas that a name means here (engine/children.py)."""
        names, plans = self.program.names, self.program.plans
        if name == "all":
            if verb != "start":
                return list(me.get("children", ()))
            others = (plan for plan in plans.values() if plan.name not in ("main", me.name))
            taken = {"main", me.name}.union(*(plan.starts for plan in others))
            return [each for each in plans if each not in taken]
        if name in names:
            return list(names[name])
        return [name] if any(name in replicas for replicas in names.values()) else None

    def keys_of(self, name: str) -> list[str]:
        """All components of a primitive."""
        base = self.parts[name].name
        return [key for key in self.first if key == base or key.startswith(f"{base}/")]

    def size(self, number: int) -> int:
        """The bytes of a message that carries a value."""
        found = self.sizes.get(number)
        if found is None:
            found = self.sizes[number] = locals_.size(self.values.value(number))
        return found


def actor(process: str) -> str:
    """The component of what a process is up to."""
    return f"@{process}"


def life(process: str) -> str:
    """The component of how far a process has come."""
    return f"{process}~life"


def signals(process: str) -> str:
    """The component of the signals on their way to a process."""
    return f"{process}~signals"


def feeder(queue: str, process: str) -> str:
    """The component of a queue's feeder thread in a process."""
    return f"{queue}>{process}"


def split(key: str) -> tuple[str, str, str]:
    """What kind of actor it is, its process, and its queue if it has one."""
    if key.startswith("@"):
        return "process", key[1:], ""
    if key.endswith("~signals"):
        return "signals", key.removesuffix("~signals"), ""
    queue, _, process = key.partition(">")
    return "feeder", process, queue


class Child(Parts):
    """A process as something acted upon."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(name, "process", {}, world.parts)
        self.world = world

    def starting(self, me: Me) -> Step:
        """The step that starts it. A forked one has all that its parent has open, another one what
        it was handed."""
        world, name = self.world, self.name
        forked = world.program.start_method == "fork"
        given = world.handed(name)
        closed = me.get("closed", frozenset()) if forked else frozenset()
        known = (*me.get("known", ()), *me.get("children", ())) if forked else ()
        held = [(f"{pipe}{end}", key) for pipe, end, key in world.ends]

        def change(stage: Any, who: Any, *values: Any) -> Any:
            if stage != NEW:
                raise Uncheckable(f"`{name}` is started by more than one process")
            new = [
                each | {name} if me.name in each and (forked or end in given) else each
                for (end, _), each in zip(held, values, strict=True)
            ]
            return [(None, (ALIVE, world.processes[name].begin(closed, known)[0], *new))]

        keys = [key for _, key in held]
        kinds = [f"{life(name)}:start", *(f"{key}:hold" for key in keys)]
        return Step((life(name), actor(name), *keys), tuple(kinds), change)

    def starting_accesses(self) -> tuple[str, ...]:
        """What starting does to what."""
        return (f"{life(self.name)}:start", *(f"{key}:hold" for _, _, key in self.world.ends))

    def ended_accesses(self, waits: bool) -> tuple[str, ...]:
        """What joining does to what."""
        timed = () if waits else self.ended(0).kinds
        return (*self.ended(None).kinds, *timed)

    def startable(self, me: Me) -> bool:
        """Whether it is this process that may start it."""
        return self.name in me.process.plan.starts

    def ended(self, timeout: float | None) -> Step:
        """The step that waits until it has ended. Under fork, one with a time limit waits for its
        children, too, which inherit the pipe that it is told by (popen_fork.py)."""
        names = [self.name]
        if timeout is not None and self.world.program.start_method == "fork":
            names += sorted(family(self.world.program.plans, self.name) - {self.name})
        touches = tuple(life(name) for name in names)

        def ready(*stages: Any) -> Any:
            over = stages[0] not in (NEW, ALIVE) and ALIVE not in stages
            return [(True, stages)] if over else []

        if timeout is None:
            return Step(touches, (f"{touches[0]}:join",), ready)

        def late(*stages: Any) -> Any:
            return [] if ready(*stages) else [(stages[0] not in (NEW, ALIVE), stages)]

        return Step(touches, tuple(f"{key}:look" for key in touches), ready, late, max(timeout, 0))

    def stage(self) -> Step:
        """The step that asks how far it has come: NEW, ALIVE, or its exit code."""
        key = life(self.name)
        return Step((key,), (f"{key}:look",), lambda stage: [(stage, (stage,))])

    def send(self, number: int) -> Step:
        """The step that sends it a signal; one that has ended gets none."""
        keys = (life(self.name), signals(self.name))

        def change(stage: Any, pending: Any) -> Any:
            doomed = pending or stage != ALIVE  # by the first one that was sent (signal.c)
            return [(None, (stage, pending if doomed else (number,)))]

        return Step(keys, (f"{keys[0]}:look", f"{keys[1]}:send"), change)

    def handed_closed(self, me: Me) -> bool:
        """Whether it would be handed an end that its parent has closed: not possible but by fork."""
        if self.world.program.start_method == "fork":
            return False
        closed = me.get("closed", frozenset())
        return any(f"{pipe}{end}" in self.world.handed(self.name) for pipe, end in closed)


def _has_verb(plan: Plan, verb: str) -> bool:
    return any(step.verb == verb for step in plan.steps)


def facts_of(scenario: Scenario, program: Program, merged: bool, exact: bool) -> Facts:
    """What a scenario's outcome and expectations ask for, and what may be killed."""
    expect = scenario.expectation
    conditions = [each for _, each in scenario.outcome]
    conditions += [*expect.always, *expect.never, *expect.sometimes]
    asked = {pair for each in conditions for pair in each.compiled.attributes}
    observed = {
        name: frozenset(attribute for base, attribute in asked if base == plan.base)
        for name, plan in program.plans.items()
    }
    log = {f"section {name}" for name in expect.exclusive}
    if expect.order:
        log.add("marks")
    if expect.output is not None or any(map(_ordered_output, conditions)):
        log.add("output")
    elif any("output" in each.compiled.names for each in conditions):
        log.add("lines")
    return Facts(killable(program), observed, frozenset(log), merged, exact)


def _ordered_output(condition: Condition) -> bool:
    """Whether the order of the printed lines matters to a condition: not where it only asks for
    their number, for them sorted or as a set, or whether one is among them."""
    around = {"len", "set", "sorted"}
    tree = ast.parse(condition.compiled.source, mode="eval")
    plain = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in around
        ):
            plain |= {id(each) for each in node.args}
    names = (n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == f"{PREFIX}output")
    return any(id(each) not in plain for each in names)


def killable(program: Program) -> frozenset[str]:
    """The processes that a signal may end: those that somebody names in terminate, kill or signal,
    and daemons."""
    found = {name for name, plan in program.plans.items() if plan.daemon}
    for plan in program.plans.values():
        for step in plan.steps:
            if step.verb in ("terminate", "kill", "signal"):
                name = constant(step.arguments["process"])
                found |= set(program.names.get(name or "", program.plans.keys() - {"main"}))
    return frozenset(found)
