"""Scenario -> Program: each process a flat list of steps; plain data that any process can pickle.

A step is an action, or it opens, divides or closes a block; its depth and order hold the
structure. Expressions are Python source over `v` and the names of evaluation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mpflow import expressions, registry
from mpflow.naming import split
from mpflow.plan import Plan, Program, Step
from mpflow.scenario import Block, Declaration, Node, Scenario, nodes_of, reach
from mpflow.scenario.names import Declared


def compile_program(
    scenario: Scenario, seed: int, time_scale: float = 1.0, delays: bool = False
) -> Program:
    """The program of a scenario that has no problems."""
    plans: dict[str, Plan] = {}
    for declaration in (scenario.main, *scenario.processes.values()):
        steps = flat(declaration.nodes or ())
        for place, name in enumerate(declaration.replicas):
            index = None if declaration.count is None else place
            plans[name] = _plan(scenario, declaration, name, index, steps)
    return Program(
        name=scenario.name,
        folder=scenario.folder,
        start_method=scenario.start_method,
        time_scale=time_scale,
        seed=seed,
        params=scenario.params,
        primitives=tuple(
            (name, declared.type, declared.options)
            for declared in sorted(scenario.names.primitives.values(), key=_stage)
            for name in declared.replicas
        ),
        plans=plans,
        names=scenario.names.processes,
        code=any(plan.code for plan in plans.values()),
        delays=delays,
        files=tuple(dict.fromkeys(_files(scenario))),
    )


def _files(scenario: Scenario) -> Iterator[str]:
    """The files of Python code that are named in the text."""
    for declaration in (scenario.main, *scenario.processes.values()):
        modules = (split(name)[0] for _, _, name in reach.functions(scenario, declaration))
        yield from (module for module in modules if module.endswith(".py"))


def _stage(declared: Declared) -> int:
    return registry.primitive(declared.type).stage


def code_in(scenario: Scenario) -> tuple[str, int] | None:
    """The first thing in a scenario that runs Python code or touches files: what, and its line."""
    for declaration in (scenario.main, *scenario.processes.values()):
        if declaration.python:
            return ("target" if declaration.target else "class"), declaration.line
        for node in nodes_of(declaration.nodes or ()):
            if _is_code(node):
                return node.verb, node.line
    return None


def _runs_code(declaration: Declaration) -> bool:
    nodes = nodes_of(declaration.nodes or ())
    return declaration.python is not None or any(_is_code(node) for node in nodes)


def _is_code(node: Node) -> bool:
    return registry.verbs()[node.verb].code


def _plan(
    scenario: Scenario,
    declaration: Declaration,
    name: str,
    index: int | None,
    steps: tuple[Step, ...],
) -> Plan:
    scope = {**scenario.params, **({} if index is None else {"index": index})}
    system_name = "MainProcess" if name == "main" else name
    if declaration.system_name is not None:
        system_name = str(expressions.evaluate(declaration.system_name, scope))
    return Plan(
        name=name,
        base=declaration.name,
        replica=index,
        system_name=system_name,
        daemon=declaration.daemon,
        line=declaration.line,
        steps=steps,
        vars=tuple((key, each.source) for key, each in declaration.vars),
        target=declaration.target,
        class_=declaration.class_,
        args=declaration.args.source,
        kwargs=declaration.kwargs.source,
        uses=reach.reachable(scenario, declaration, index),
        starts=reach.startable(scenario, declaration, index),
        code=_runs_code(declaration),
    )


def flat(nodes: tuple[Node, ...]) -> tuple[Step, ...]:
    """A process's actions as steps, numbered in the order of the file."""
    return tuple(step._replace(number=i) for i, step in enumerate(_numbered(nodes)))


def _numbered(nodes: tuple[Node, ...]) -> list[Step]:
    steps: list[Step] = []

    def emit(nodes: tuple[Node, ...], depth: int) -> None:
        for node in nodes:
            sources = _sources(node)
            at = len(steps)
            kind: Literal["do", "open"] = "open" if _has_blocks(node) else "do"
            verb = registry.verbs()[node.verb]
            then = verb.action.then if verb.action else ""
            operates = "" if verb.action and kind == "do" else verb.subject or ""
            steps.append(
                Step(at, kind, node.verb, node.line, depth, sources, then=then, operates=operates)
            )
            if kind == "do":
                continue
            for block in _in_order(node):
                if block is not _in_order(node)[0]:
                    extra = {"exception": repr(block.exception)} if block.exception else {}
                    steps.append(
                        Step(0, "part", node.verb, block.line, depth, extra, block.part, at)
                    )
                emit(block.nodes, depth + 1)
            steps.append(
                Step(0, "close", node.verb, node.line, depth, sources, opens=at, operates=operates)
            )

    emit(nodes, 0)
    return steps


def _sources(node: Node) -> dict[str, str]:
    """The arguments' sources; texts become texts, and times are scaled, where they are made."""
    around = {"seconds": "scaled({})", "text": "str({})", "line": "str({})"}
    forms = {a.name: a.form for a in registry.verbs()[node.verb].arguments}
    return {
        name: each.source
        if each.source == "None" and forms[name] != "line"
        else around.get(forms[name], "{}").format(each.source)
        for name, each in node.arguments.items()
    }


def _has_blocks(node: Node) -> bool:
    return any(a.form in ("block", "handlers") for a in registry.verbs()[node.verb].arguments)


def _in_order(node: Node) -> tuple[Block, ...]:
    """The blocks in Python's order, whatever the file's: do, except, else, finally."""
    order = [a.name for a in registry.verbs()[node.verb].arguments]
    return tuple(sorted(node.blocks, key=lambda block: order.index(block.part)))
