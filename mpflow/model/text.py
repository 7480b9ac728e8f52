"""What the text of a program tells beforehand: which primitives an action may be on, what comes
after an instruction, whether a lock is only ever released by who holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import CodeType
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.evaluation import PREFIX
from mpflow.model.instructions import Instruction
from mpflow.model.machine import Machine
from mpflow.naming import constant, handed
from mpflow.plan import Plan, Program


class Uses(NamedTuple):
    """How a primitive is used: whether anybody tries to take it, or something from it, without
    waiting for ever; whether anybody asks how much is in it; whether who puts something into it may
    end without waiting for his feeder thread. As here where nothing is to be taken for granted."""

    tried: bool = True
    counted: bool = True
    left: bool = True


def uses(program: Program, machines: Mapping[str, Machine]) -> dict[str, Uses]:
    """What the text tells of each primitive's use."""
    tried, counted, left = set[str](), set[str](), set[str]()
    told_by = {"acquire": tried, "get": tried, "qsize": counted, "full": counted, "put": left}
    for process, machine in machines.items():
        plan = program.plans[process]
        leaves = any(s.verb in ("os_exit", "crash", "cancel_join_thread") for s in plan.steps)
        for instruction in machine.code:
            step = instruction.step
            if instruction.what != "do" or step is None:
                continue
            found = told_by.get(step.verb)
            nothing = (found is tried and waits(step.arguments)) or (found is left and not leaves)
            if found is not None and not nothing:
                found |= {name for name, _ in possible(program, plan, machine, instruction)}
    names = [name for name, _, _ in program.primitives]
    return {name: Uses(name in tried, name in counted, name in left) for name in names}


def candidates(program: Program, plan: Plan, verb: str) -> list[tuple[str, str]]:
    """All that a verb of a process may be on, and their types."""
    known = handed(program, plan.name).items()
    found = [(name, kind) for name, kind in known if registry.primitive(kind).operation(verb)]
    if registry.primitive("process").operation(verb):
        found += [(name, "process") for name in program.plans if name != plan.name]
    return found


def named(program: Program, names: Any) -> set[str] | None:
    """What these names mean; None where only the run can tell."""
    if not isinstance(names, str | list | tuple) or names == "all" or "all" in names:
        return None
    found: set[str] = set()
    for each in [names] if isinstance(names, str) else names:
        found |= {str(each), *program.names.get(str(each), ())}
    return found


def possible(
    program: Program, plan: Plan, machine: Machine, instruction: Instruction
) -> list[tuple[str, str]]:
    """What an action on something may be on, and their types."""
    step = instruction.step
    assert step is not None
    verb = {"enter": "acquire", "leave": "release"}.get(instruction.what, step.verb)
    source = step.arguments[step.operates]
    known = candidates(program, plan, verb)
    wanted = named(program, static(machine, source))
    return known if wanted is None else [each for each in known if each[0] in wanted]


def users(
    program: Program, machines: Mapping[str, Machine], name: str, verbs: Sequence[str]
) -> set[str]:
    """The processes that may do one of these to a primitive, or to an end of it."""
    return {
        process
        for process, machine in machines.items()
        for instruction in machine.code
        if instruction.what == "do"
        and instruction.step is not None
        and instruction.step.verb in verbs
        and any(
            each == name
            for each, _ in possible(program, program.plans[process], machine, instruction)
        )
    }


def static(machine: Machine, source: str) -> Any:
    """What an expression gives, where no variable of the process decides; else None."""
    found = constant(source)
    if found is not None:
        return found
    code = compile(source, "<mpflow model>", "eval")
    used = {name.removeprefix(PREFIX) for name in _names(code) if name.startswith(PREFIX)}
    if used & machine.names.keys() or "error" in used:
        return None
    try:
        return eval(code, dict(machine.space))
    except Exception:
        return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def following(machine: Machine, at: int) -> Iterator[int]:
    """The instructions that may come after one, whatever happens."""
    instruction = machine.code[at]
    if instruction.what not in ("end", "goto", "jump", "again"):
        yield at + 1
    if instruction.what in ("test", "turn", "goto", "jump", "catch"):
        yield instruction.to
    if instruction.what == "again":
        yield at + 1
        yield from (each.to for each in machine.code if each.what == "jump")
    yield from (region.entry for region in machine.regions if region.first <= at < region.last)


# Who releases what


def only_by_holders(program: Program, machines: dict[str, Machine]) -> set[str]:
    """The primitives that nobody ever releases without having acquired them, as far as the text
    tells; waits with a limit, and names that the run decides, tell nothing."""
    found = {name for name, _, _ in program.primitives}
    for name, machine in machines.items():
        found -= _released_unheld(program, program.plans[name], machine)
    return found


def _released_unheld(program: Program, plan: Plan, machine: Machine) -> set[str]:
    """What a process may release without holding it: the least that it holds for certain, before
    each instruction, worked out forwards."""
    everything = frozenset(name for name, _, _ in program.primitives)
    held: list[frozenset[str] | None] = [None] * len(machine.code)
    held[0] = frozenset()
    left = [0]
    while left:
        at = left.pop()
        before = held[at]
        assert before is not None
        instruction = machine.code[at]
        normal = (before | _acquired(machine, instruction)) - _released(
            program, plan, machine, instruction
        )
        for to, after in _ways_on(machine, at, before & normal, normal):
            known = held[to]
            new = after if known is None else known & after
            if new != known:
                held[to] = new
                left.append(to)
    found: set[str] = set()
    for before, instruction in zip(held, machine.code, strict=True):
        released = _released(program, plan, machine, instruction)
        found |= released - (everything if before is None else before)
    return found


def _ways_on(
    machine: Machine, at: int, raised: frozenset[str], normal: frozenset[str]
) -> Iterator[tuple[int, frozenset[str]]]:
    entries = {region.entry for region in machine.regions if region.first <= at < region.last}
    for to in following(machine, at):
        if to < len(machine.code):
            yield to, raised if to in entries else normal


def _acquired(machine: Machine, instruction: Instruction) -> frozenset[str]:
    step = instruction.step
    if step is None or step.verb not in ("acquire", "with") or instruction.what == "leave":
        return frozenset()
    if not waits(step.arguments) or instruction.what not in ("do", "enter"):
        return frozenset()
    name = static(machine, step.arguments["lock"])
    return frozenset([name]) if isinstance(name, str) else frozenset()


def _released(
    program: Program, plan: Plan, machine: Machine, instruction: Instruction
) -> frozenset[str]:
    step = instruction.step
    is_release = instruction.what == "leave" or (instruction.what == "do" and step is not None)
    if step is None or not is_release or step.verb not in ("release", "with"):
        return frozenset()
    wanted = named(program, static(machine, step.arguments["lock"]))
    if wanted is None:
        return frozenset(name for name, _ in candidates(program, plan, "release"))
    return frozenset(wanted)


def waits(arguments: Any) -> bool:
    """Whether an action waits without a limit, as far as the text tells."""
    return (arguments.get("block", "True"), arguments.get("timeout", "None")) == ("True", "None")
