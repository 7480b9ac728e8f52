"""The first state: main is about to begin, and all primitives are as they were made."""

from __future__ import annotations

from .bases import Table, Unsupported, V, World
from .memory import initial_cells
from .program import SEMLOCKS, Primitive, Program


def first_world(
    table: Table,
    program: Program,
    method: str,
    version: tuple[int, int],
    names: dict[str, set[str] | None],
) -> World:
    w = World(table)
    everybody = tuple(program.processes)
    w.set(("processes",), everybody)
    w.set(("daemons",), tuple(p for p in everybody if program.processes[p].daemon))
    w.set(("method",), method)
    w.set(("version",), version)
    w.set(("named",), tuple((p, program.ends_named(names[p])) for p in everybody))
    if method != "fork" and any(x.kind == "pipe" for x in program.primitives.values()):
        for p in everybody:
            if p != "main" and names[p] is None:
                raise Unsupported(f"which pipe ends {p} names")
    counts: list[str] = []
    queues: list[str] = []
    for what in program.primitives.values():
        make(w, what, counts, queues)
    w.set(("counts",), tuple(counts))
    w.set(("queues",), tuple(queues))
    w.set(("queue_pipes",), tuple(k[1] for k in table.places if k[0] == "queue pipe"))
    w.set(("status", "main"), "run")
    w.set(("thread", "main", ""), (("run", ("main",), ()),))
    return w


def make(w: World, what: Primitive, counts: list[str], queues: list[str]) -> None:
    kind, name, options = what
    sems = {}
    if kind in SEMLOCKS:
        value = options.get("value", 1)
        if not isinstance(value, int) or not 0 <= value < 2**31:
            raise Unsupported(f"{name}: a value of {value!r}")
        sems[name] = value
        if kind == "rlock":
            counts.append(name)
    elif kind in ("event", "condition", "barrier", "joinable_queue"):
        sems |= {name + ".lock": 1, name + ".sleeping": 0, name + ".woken": 0}
        sems |= {name + ".wait": 0, name + ".flag": 0, name + ".unfinished": 0}
        if kind == "barrier":
            w.set(("cell", name + ".state"), 0)
            w.set(("cell", name + ".count"), 0)
        if kind == "condition":
            counts.append(options.get("lock", name + ".lock"))
    elif kind in ("value", "array"):
        if not isinstance(options.get("lock", True), str):
            sems[name + ".lock"] = 1
            counts.append(name + ".lock")
        cells = initial_cells(what)
        for cell, value in cells.items():
            w.set(("cell", cell), value)
        w.set(("length", name), len(cells))
    elif kind in ("manager_value", "manager_list", "manager_dict"):
        empty = {"manager_value": 0, "manager_list": [], "manager_dict": {}}[kind]
        w.set(("cell", name), V(options.get("initial", empty)))
    elif kind == "shared_memory":
        w.set(("cell", name), V(bytes(options["size"])))
    elif kind == "pipe":
        duplex = bool(options.get("duplex", True))
        w.set(("duplex", name), duplex)
        for k in (0, 1):
            w.set(("end", "main", name, k), "open")
    elif kind not in ("queue", "simple_queue"):
        raise Unsupported(f"the type {kind}")
    if kind in ("queue", "joinable_queue", "simple_queue"):
        sems |= {name + ".rlock": 1, name + ".wlock": 1}
        w.set(("queue pipe", name + ".pipe"), True)
        w.set(("joinable", name), kind == "joinable_queue")
        for k in (0, 1):
            w.set(("end", "main", name + ".pipe", k), "open")
        if kind != "simple_queue":
            sems[name + ".slots"] = what.slots()
            queues.append(name)
    for sem, value in sems.items():
        w.set(("sem", sem), value)
