"""Scenario -> Facts: what is known of a program beforehand, and what of its end is asked for."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mpflow.evaluation import PREFIX
from mpflow.naming import constant
from mpflow.plan import Plan, Program
from mpflow.scenario import Condition, Scenario


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


def has_verb(plan: Plan, *verbs: str) -> bool:
    """Whether a process has an action of one of these verbs."""
    return any(step.verb in verbs for step in plan.steps)


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
