"""Program -> World: the components of a scenario, who acts on them, and what each can do next.

An actor is a process, a queue's feeder thread in a process, or the arrival of a signal. A
component is what actors share: a semaphore, a pipe, a cell, how far a process has come. Every
actor is a component itself, whose value is what it is up to.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.evaluation import PREFIX
from mpflow.model import local as locals_
from mpflow.model import pickles, steps
from mpflow.model.files import FILES
from mpflow.model.local import Local, Me, Moment, Process
from mpflow.model.machine import Done, Machine
from mpflow.model.parts import Detail, Parts
from mpflow.model.steps import Step
from mpflow.model.text import handed, only_by_holders, users
from mpflow.model.values import Abrupt, Uncheckable, Values
from mpflow.naming import constant, family
from mpflow.plan import Plan, Program
from mpflow.plan import Step as Line
from mpflow.primitives import _feeding, _serving
from mpflow.scenario import Condition, Scenario

NEW, ALIVE = "new", "alive"  # of a process's life; after that it is its exit code
TERMINATE, KILL, STOP = 15, 9, 19


class Facts(NamedTuple):
    """What is known of a program beforehand, and what of its end somebody asks for.

    `killable`: processes that a signal may end; `suspendable`: that one may stop. `observed`: for
    each process the variables that outlive it. `log`: the components that monitors keep: `output`,
    `marks`, sections.
    """

    killable: frozenset[str]
    observed: Mapping[str, frozenset[str]]
    log: frozenset[str]
    merged: bool = True
    exact: bool = False  # timing: a sleep is a step of its own
    suspendable: frozenset[str] = frozenset()
    shown: bool = False  # somebody looks at what each action gives

    @property
    def signalled(self) -> frozenset[str]:
        """The processes that a signal may come to."""
        return self.killable | self.suspendable

    @property
    def printed(self) -> bool:
        """Whether somebody asks for what is printed."""
        return bool(self.log & {"output", "lines"})


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
        self.observed = facts.observed
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
            merged = self.facts.merged and not users & self.facts.signalled
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
                    detail=self.detail,
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

            if primitive.ends:
                self._mixing(name, primitive.parts(options), machines)

    def _mixing(self, name: str, ends: Sequence[str], machines: Mapping[str, Machine]) -> None:
        """Where several processes may read, or write, at one end, their messages may mix."""
        for end, other in (ends, ends[::-1]):
            way = self.parts[name].way(end)
            reading = users(self.program, machines, f"{name}{end}", ("recv", "recv_bytes"))
            if len(reading) > 1:
                self.detail.found.add((way, "bytes"))
            writing = users(self.program, machines, f"{name}{other}", ("send", "send_bytes"))
            self.detail.writers[way] = len(writing)

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
            self.parts[name] = Child(self, name)
            if name in self.facts.signalled:
                self.first[signals(name)] = ()
            if name in self.facts.suspendable:
                self.first[stopped(name)] = False
        for queue, process in self.feeders:
            self.first[feeder(queue, process)] = ()
        for key in self.facts.log:
            self.first[key] = () if key in ("output", "lines", "marks") else ((), 0)
        if any(_has_verb(plan, verb) for plan in plans.values() for verb in ("read", "write")):
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
            return self._arrival(name)
        if kind == "feeder":
            step = steps.resumed(self._feeding(queue, name), map(self.values.value, value))
        elif isinstance(value, Local):
            step = self.processes[name].step(value)
        else:
            return None
        return _unless_stopped(step, name) if name in self.facts.suspendable else step

    def after(self, key: str, value: Any, result: Any) -> tuple[Any, list[Moment]]:
        """An actor when its step had this result, and what was completed by that."""
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

    # Processes

    def leave(self, me: Me, done: Done) -> Generator[Step, Any, None]:
        """A process's way out when its actions are done (process.py, _bootstrap; util.py,
        _exit_function): feeders are told, daemons terminated, children joined, feeders joined."""
        queues = [self.parts[queue] for queue, process in self.feeders if process == me.name]
        abrupt = done.failure is not None and done.failure.type == Abrupt.__name__
        if not abrupt:
            for on in reversed(queues):
                if not me.get(("closed", on.name)):
                    yield from _feeding.tell_feeder(on, me)
            if me.name == "main" and _serving.UP in self.first:
                yield steps.store(_serving.UP, False)
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
        pending = [signals(name)] if name in self.facts.signalled else []

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
        """A signal comes to a process that is alive, at whatever time. In a stopped one all but
        SIGKILL wait until it goes on."""
        own, keys, kinds = self._belongings(name)
        process = self.processes[name]
        halts = (stopped(name),) if name in self.facts.suspendable else ()

        def change(pending: Any, alive: Any, up_to: Any, *values: Any) -> Any:
            if alive != ALIVE or not isinstance(up_to, Local):
                return []
            found = []
            is_stopped, values = values[: len(halts)], values[len(halts) :]
            for number in map(abs, pending):
                if number == STOP:
                    left = tuple(each for each in pending if each != STOP)
                    found.append((number, (left, alive, up_to, True, *values)))
                elif number == KILL or not any(is_stopped):
                    new = own(values)
                    new[-1:] = []
                    dead = process.killed(up_to, number)
                    halted = [False] * len(halts)
                    found.append((number, ((), -number, dead, *halted, *new)))
            return found

        first = (signals(name), life(name), actor(name), *halts)
        whole = (f"{signals(name)}:arrive", f"{life(name)}:end", f"{actor(name)}:kill")
        halting = tuple(f"{each}:stop" for each in halts)
        return Step((*first, *keys[:-1]), (*whole, *halting, *kinds[:-1]), change)

    # Names

    def targets(
        self, me: Me, step: Line, verb: str, arguments: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Each name that an action is on, and its type, as this process knows it."""
        named = arguments["lock" if step.verb == "with" else step.operates]
        if not isinstance(named, str | list | tuple):
            raise TypeError(f"{step.verb}: {named!r:.60} is not a name")
        types = registry.verbs()[verb].types
        return self.meant(me, step.verb, types, [named] if isinstance(named, str) else named)

    def meant(
        self, me: Me, verb: str, types: Sequence[str], names: Sequence[object]
    ) -> list[tuple[str, str]]:
        """What these names mean to a process: things of these types, and which type each is."""
        found: list[tuple[str, str]] = []
        for each in names:
            name, given = str(each), self.handed(me.name)
            if name in given:
                if given[name] not in types:
                    raise TypeError(f"{verb} does not go with {name}: it is a {given[name]}")
                found.append((name, given[name]))
                continue
            processes = self._named(me, name, verb)
            if processes is None or "process" not in types:
                said = f"nothing that this process was handed is called {name!r}"
                raise NameError(f"{verb}: {said}")
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


def actor(process: str) -> str:
    """The component of what a process is up to."""
    return f"@{process}"


def life(process: str) -> str:
    """The component of how far a process has come."""
    return f"{process}~life"


def signals(process: str) -> str:
    """The component of the signals on their way to a process."""
    return f"{process}~signals"


def stopped(process: str) -> str:
    """The component of whether a process has been stopped."""
    return f"{process}~stopped"


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

        if self.name in self.world.facts.suspendable:
            return self._send_stoppable(number)
        return Step(keys, (f"{keys[0]}:look", f"{keys[1]}:send"), change)

    def _send_stoppable(self, number: int) -> Step:
        """The same where the process may be stopped, or about to be: then it may wait, and another
        one end it before (told by a minus)."""

        def change(stage: Any, pending: Any, is_stopped: Any) -> Any:
            doomed = any(each > 0 and each != STOP for each in pending)
            if stage == ALIVE and not doomed:
                sure = not is_stopped and STOP not in pending
                pending = tuple(sorted({*pending, number if sure else -number}))
            return [(None, (stage, pending, is_stopped))]

        return self._signalling(change, "see")

    def _signalling(self, change: Any, kind: str) -> Step:
        name = self.name
        keys = (life(name), signals(name), stopped(name))
        kinds = (f"{keys[0]}:look", f"{keys[1]}:sends", f"{keys[2]}:{kind}")
        return Step(keys, kinds, change)

    def suspend(self) -> Step:
        """The step that sends SIGSTOP: it stops some time after that, if it is not ending."""

        def change(stage: Any, pending: Any, is_stopped: Any) -> Any:
            doomed = any(each > 0 for each in pending)
            if stage == ALIVE and not doomed and not is_stopped:
                pending = tuple(sorted((*pending, STOP)))
            return [(None, (stage, pending, is_stopped))]

        return self._signalling(change, "see")

    def resume(self) -> Step:
        """The step that sends SIGCONT; a SIGSTOP that has not come yet never will."""
        if self.name not in self.world.facts.suspendable:
            return self.stage()

        def change(stage: Any, pending: Any, is_stopped: Any) -> Any:
            left = tuple(each for each in pending if each != STOP)
            return [(None, (stage, left, False))]

        return self._signalling(change, "cont")

    def handed_closed(self, me: Me) -> bool:
        """Whether it would be handed an end that its parent has closed: by fork alone it can."""
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
    ending, stopping = killable(program), signalled(program, ("suspend",))
    return Facts(ending, observed, frozenset(log), merged, exact, stopping)


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
    daemons = {name for name, plan in program.plans.items() if plan.daemon}
    return signalled(program, ("terminate", "kill", "signal")) | daemons


def signalled(program: Program, verbs: Sequence[str]) -> frozenset[str]:
    """The processes that somebody may name in one of these."""
    found: set[str] = set()
    for plan in program.plans.values():
        for step in plan.steps:
            if step.verb in verbs:
                name = constant(step.arguments["process"])
                found |= set(program.names.get(name or "", program.plans.keys() - {"main"}))
    return frozenset(found)
