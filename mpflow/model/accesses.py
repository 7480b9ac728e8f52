"""World -> what each actor may still do to what, from wherever it is: for reduce.py.

An access is `component:kind`. Two steps disturb each other when accesses of theirs conflict: one
could change what the other gives, or whether it can be taken at all. A primitive's operation
declares its accesses; one that declares none may do anything to all of its primitive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mpflow import registry
from mpflow.model import waiting
from mpflow.model.dying import death
from mpflow.model.files import FILES
from mpflow.model.instructions import Instruction
from mpflow.model.names import TERMINATE, actor, feeder, life, signals, stopped
from mpflow.model.process import Process
from mpflow.model.text import candidates, following, named, possible, static, waits
from mpflow.model.world import World
from mpflow.primitives import _pipes, _serving

ANY = "*"  # whatever there is to be done to a component

# What disturbs what on one component, each pair once
_CONFLICTS = {
    # a semaphore: P waits for it, T tries (also: with a time limit), V posts, R reads, G goes by
    "P": "P T R G",
    "T": "T V R G",
    "V": "R",
    # a cell
    "w": "w r",
    # a pipe: `wait` for something to be there, `poll` whether there is
    "send": "send poll",
    "recv": "recv poll wait",
    # the same, where it matters how much is written and read at once
    "pour": "pour take poll",
    "take": "take poll wait",
    # who sleeps for want of room is made to look again; that all was left unread is told to him or
    # to who reads
    "stir": "pour",
    "told": "pour",
    # who holds an end: `r` asks, `wait` waits for nobody to be left
    "drop": "r",
    # a feeder's buffer
    "end": "pop look act",
    "asks": "pop",
    # signals to a process that may be stopped; whether it is: `go` while it is not
    "sends": "sends arrive",
    "stop": "stop cont go see",
    "cont": "see",
    # a process's life
    "start": "start look",
    "kill": "act",
}


def _symmetric(table: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, others in table.items():
        for other in others.split():
            found.setdefault(kind, set()).add(other)
            found.setdefault(other, set()).add(kind)
    return found


_DISTURBING = _symmetric(_CONFLICTS)

# What can let a step go on that waits for this
_ENABLING = {
    kind: others.split()
    for kind, others in {
        "P": "V",
        "G": "V",
        "w": "w",
        "send": "recv",
        "recv": "send",
        "pour": "take stir",
        "take": "pour",
        "wait": "send pour drop",
        "r": "drop",
        "pop": "append",
        "ended": "pop end",
        "join": "end",
        "arrive": "send sends",
        "stop": "cont",
        "go": "cont",
        "act": "start",
    }.items()
}


class Accesses:
    """The accesses of a world as bits of integers.

    `future(process, at)` is what a process may do from an instruction on; `unguarded` the same
    without the releases that come only after its own wait for what they release.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.bits: dict[str, int] = {}
        self.future: dict[str, list[int]] = {}
        self.unguarded: dict[str, list[int]] = {}
        for name, process in world.processes.items():
            self._process(name, process)
        self.feeding = {
            feeder(queue, process): self.of(self._feeder(queue, process))
            for queue, process in world.feeders
        }
        self.arriving = {
            signals(name): self.of(world.step(signals(name), ()).kinds)  # type: ignore[union-attr]
            for name in world.facts.signalled
        }

    def of(self, accesses: Iterable[str]) -> int:
        """Accesses as bits."""
        found = 0
        for each in accesses:
            bit = self.bits.get(each)
            if bit is None:
                bit = self.bits[each] = 1 << len(self.bits)
            found |= bit
        return found

    def conflicts(self, accesses: Iterable[str]) -> int:
        """All that disturbs these, or is disturbed by them."""
        return self._related(accesses, _DISTURBING)

    def enabling(self, accesses: Iterable[str]) -> int:
        """All that can let a step with these go on."""
        return self._related(accesses, _ENABLING)

    def _related(self, accesses: Iterable[str], table: Mapping[str, Iterable[str]]) -> int:
        found = 0
        for each in accesses:
            key, _, kind = each.rpartition(":")
            for other in table.get(kind, ()):
                found |= self.bits.get(f"{key}:{other}", 0)
            found |= self.bits.get(f"{key}:{ANY}", 0)
            if kind == ANY:
                found |= sum(b for name, b in self.bits.items() if name.rpartition(":")[0] == key)
        return found

    def covers(self, future: int, accesses: Iterable[str]) -> bool:
        """Whether all these accesses are among those of a future."""
        return all(
            future & (self.of([each]) | self.bits.get(f"{each.rpartition(':')[0]}:{ANY}", 0))
            for each in accesses
        )

    # One process

    def _process(self, name: str, process: Process) -> None:
        code = process.machine.code
        own = [list(self._instruction(process, each)) for each in code]
        bits = [self.of(each) for each in own]
        leaving = self.of(self._leaving(name))
        ahead = [list(following(process.machine, at)) for at in range(len(code))]
        self.future[name] = _fixed(ahead, bits, [0] * len(code), leaving)
        guards = [self._guarded(each) for each in own]
        self.unguarded[name] = _fixed(ahead, bits, guards, leaving)

    def _guarded(self, accesses: list[str]) -> int:
        """The releases that may come only after what these accesses wait for."""
        if len(accesses) != 2 or not accesses[0].endswith(":P"):
            return 0
        key = accesses[0].removesuffix(":P")
        return self.of([f"{key}:V"])

    def _instruction(self, process: Process, instruction: Instruction) -> Iterator[str]:
        """What an instruction may do to what; first of all what it always waits for."""
        step, world = instruction.step, self.world
        if instruction.what not in ("do", "enter", "leave") or step is None:
            return
        act = (f"{actor(process.name)}:act", *self._going(process.name))
        if step.verb == "section":
            name = static(process.machine, step.arguments["name"])
            keys = [k for k in world.facts.log if k.startswith("section ")]
            yield from (f"{k}:w" for k in keys if name is None or k == f"section {name}")
        elif not step.operates and instruction.what == "do":
            logs = [key for key in world.facts.log if _LOGS.get(key) == step.verb]
            yield from (f"{key}:add" if key == "lines" else f"{key}:w" for key in logs)
            if step.verb == "active_children":
                yield from (f"{life(each)}:look" for each in process.plan.starts)
            if step.verb in ("read", "write"):
                yield f"{FILES}:{step.verb[0]}"
            if step.verb == "wait_any":
                yield from self._waiting(process, instruction)
        else:
            yield from self._operation(process, instruction)
        yield from act

    def _going(self, name: str) -> tuple[str, ...]:
        """What each step of a process needs that may be stopped."""
        return (f"{stopped(name)}:go",) if name in self.world.facts.suspendable else ()

    def _operation(self, process: Process, instruction: Instruction) -> Iterator[str]:
        step = instruction.step
        assert step is not None
        verb = {"enter": "acquire", "leave": "release"}.get(instruction.what, step.verb)
        program, machine = self.world.program, process.machine
        for name, type_name in possible(program, process.plan, machine, instruction):
            operation = registry.primitive(type_name).operation(verb)
            assert operation is not None
            on = self.world.parts[name]
            if operation.accesses is None:
                yield from (f"{key}:{ANY}" for key in self.world.keys_of(name))
                if isinstance(on.options.get("lock"), str):  # a condition's
                    yield from (f"{key}:{ANY}" for key in self.world.keys_of(on.options["lock"]))
                continue
            for_ever = instruction.what != "do" or waits(step.arguments)
            yield from operation.accesses(on, process.name, for_ever)

    def _waiting(self, process: Process, instruction: Instruction) -> Iterator[str]:
        """What wait_any may look at."""
        assert instruction.step is not None
        names = static(process.machine, instruction.step.arguments["for"])
        known = [
            each
            for verb in ("recv", "start")
            for each in candidates(self.world.program, process.plan, verb)
            if each[1] in ("pipe", "process")
        ]
        wanted = named(self.world.program, names)
        for name, type_name in known:
            if wanted is None or name in wanted:
                awaited = waiting.of(self.world, name, type_name)
                yield from (*awaited.asks, *awaited.waits)

    def _leaving(self, name: str) -> Iterator[str]:
        """What a process does on its way out."""
        world = self.world
        yield from (f"{actor(name)}:act", *self._going(name))
        for queue, process in world.feeders:
            if process == name:
                key = world.parts[queue].own("buffer", name)
                yield from (f"{key}:append", f"{key}:ended")
        for child in world.program.plans[name].starts:
            yield f"{life(child)}:join"
            if world.program.plans[child].daemon:
                yield from world.children[child].send(TERMINATE).kinds
        if name == "main" and _serving.UP in world.first:
            yield f"{_serving.UP}:w"
        yield from death(world, name, 0).kinds

    def _feeder(self, queue: str, process: str) -> Iterator[str]:
        on = self.world.parts[queue]
        writers, pipe, slots = on.key("writers"), on.key("pipe"), on.key("slots")
        yield from (f"{on.own('buffer', process)}:pop", f"{writers}:P", f"{writers}:V")
        yield from self._going(process)
        yield from (_pipes.writing(on, pipe), f"{slots}:V", f"{feeder(queue, process)}:act")


_LOGS = {"output": "print", "lines": "print", "marks": "mark"}


def _fixed(ahead: list[list[int]], own: list[int], guards: list[int], leaving: int) -> list[int]:
    """For each instruction what it and all that may follow do, and what is done in the end. What
    an instruction guards does not count behind it."""
    found = [each | leaving for each in own]
    changed = True
    while changed:
        changed = False
        for at in range(len(own) - 1, -1, -1):
            behind = 0
            for each in ahead[at]:
                if each < len(own):
                    behind |= found[each]
            new = own[at] | leaving | (behind & ~guards[at])
            if new != found[at]:
                found[at], changed = new, True
    return found
