"""Queues in Promela: a channel is the pipe, and each putting process has a buffer and a feeder.

put returns before the item is in the pipe: the feeder, a process of the model, moves it there in
its own time. Where somebody looks without waiting, get takes the readers' lock, reads, and gives
lock and slot back in steps of their own, as CPython does; else nobody can see them apart.
"""

from __future__ import annotations

from mpflow.promela import leaving
from mpflow.promela.body import Body, Operations, waits
from mpflow.promela.lines import Step
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target
from mpflow.scenario import Node

TYPES = ("queue", "joinable_queue", "simple_queue")
_BUFFERED = ("queue", "joinable_queue")


def _put(body: Body, node: Node, found: Target) -> None:
    """A slot, if there is one, and the item into this process's buffer."""
    body.world.noted.put(found.name, body.times)
    body.world.noted.produces(found.name, body.name, found.replicas)
    term = body.terms.scalar(node.arguments["value"].source)
    body.need(term)
    buffer, slots = _buffer(body, found), f"slots_{found.name}{found.at}"
    effects = [f"{slots}--", f"{buffer}!{term.code}"]
    if found.type == "joinable_queue":
        effects.append(f"undone_{found.name}{found.at}++")
    step, note = Step(f"{slots} > 0", tuple(effects)), body.note(node, found.shown)
    if waits(body, node) or found.declared.options["maxsize"] <= 0:
        body.lines.step(step.guard, *step.effects, note=note)
        return
    body.world.noted.observed.add(found.name)
    leaving.attempt(body, step, "Full", note)


def _get(body: Body, node: Node, found: Target) -> None:
    patient, note = waits(body, node), body.note(node, found.shown)
    if not patient:
        body.world.noted.observed.add(found.name)
    into = body.into(node) or "_"
    at = found.at
    pipe, readers = f"pipe_{found.name}{at}", f"readers_{found.name}{at}"
    slots = f"slots_{found.name}{at}"
    if found.name not in body.world.facts.observed:
        body.lines.step(f"{pipe}?{into}", f"{slots}++", note=note)
        return
    if patient:
        body.lines.step(f"{readers} > 0", f"{readers}--", note=note)
        body.lines.step(f"{pipe}?{into}")
        body.lines.step("", f"{readers}++")
        body.lines.step("", f"{slots}++")
        return
    leaving.attempt(body, Step(f"{readers} > 0", (f"{readers}--",)), "Empty", note)
    lines, before = body.lines, body.flow

    def nothing() -> None:
        lines.step("", f"{readers}++")
        leaving.raise_(body, "Empty")

    lines.line("if")
    lines.line(f":: {Step(f'nempty({pipe})', (f'{pipe}?{into}',))}")
    body.branch(f":: empty({pipe})", nothing)
    lines.line("fi;")
    body.flow = before
    lines.step("", f"{slots}++")
    lines.step("", f"{readers}++")


def _qsize(body: Body, node: Node, found: Target) -> None:
    size = f"SLOTS_{found.name} - slots_{found.name}{found.at}"
    _look(body, node, found, f"({size})")


def _full(body: Body, node: Node, found: Target) -> None:
    bounded = found.declared.options["maxsize"] > 0
    free = body.world.facts.most(found.name) or 0
    if bounded and free < found.declared.options["maxsize"]:
        bounded = False  # not so many items are ever put
    _look(body, node, found, f"(slots_{found.name}{found.at} == 0)" if bounded else "0")


def _empty(body: Body, node: Node, found: Target) -> None:
    _look(body, node, found, f"(len(pipe_{found.name}{found.at}) == 0)")


def _look(body: Body, node: Node, found: Target, code: str) -> None:
    body.world.noted.observed.add(found.name)
    into = body.into(node)
    if into:
        body.lines.step("", f"{into} = {code}", note=body.note(node, found.shown))


def _task_done(body: Body, node: Node, found: Target) -> None:
    """One less to do; the last one wakes all that wait for it."""
    undone = f"undone_{found.name}{found.at}"
    waiting = body.world.facts.waiting.get(found.name, {})
    parked = [
        f"parked_{found.name}{found.within(len(waiting), str(i))}" for i in range(len(waiting))
    ]
    wake = [f"{each} = ({undone} == 0 -> 0 : {each})" for each in parked]
    step = Step(f"{undone} > 0", (f"{undone}--", *wake))
    leaving.attempt(body, step, "ValueError", body.note(node, found.shown))


def join(body: Body, node: Node, found: Target) -> None:
    """Wait until all is done; who is woken goes on, whatever was put since."""
    if found.type != "joinable_queue":
        raise Refusal(f"a {found.type} cannot be exported")
    body.world.noted.waits(found.name, body.name)
    width = len(body.world.facts.waiting.get(found.name, ()))
    place = str(body.world.facts.place(found.name, body.name))
    parked, undone = (
        f"parked_{found.name}{found.within(width, place)}",
        f"undone_{found.name}{found.at}",
    )
    body.lines.line(f"if\t/* {body.note(node, found.shown)} */")
    body.lines.line(f":: {undone} == 0;")
    opening = f":: {Step(f'{undone} > 0', (f'{parked} = 1',)).bare}"
    body.branch(opening, lambda: body.lines.step(f"!{parked}"))
    body.lines.line("fi;")


def _buffer(body: Body, found: Target) -> str:
    """A process's own buffer of a queue."""
    facts = body.world.facts
    number = facts.buffer(found.name, body.name, found.replicas[0])
    if found.replica is not None:
        return f"buffer_{found.name}[{number}]"
    return f"buffer_{found.name}[{number} + {found.number}]"


# Simple queues: no feeder, and no looking without waiting but `empty`


def _put_simple(body: Body, node: Node, found: Target) -> None:
    body.world.noted.put(found.name, body.times)
    term = body.terms.scalar(node.arguments["value"].source)
    body.need(term)
    note = body.note(node, found.shown)
    body.lines.step(f"pipe_{found.name}{found.at}!{term.code}", note=note)


def _get_simple(body: Body, node: Node, found: Target) -> None:
    into = body.into(node) or "_"
    body.lines.step(f"pipe_{found.name}{found.at}?{into}", note=body.note(node, found.shown))


OPERATIONS: dict[str, Operations] = {
    "put": {**dict.fromkeys(_BUFFERED, _put), "simple_queue": _put_simple},
    "get": {**dict.fromkeys(_BUFFERED, _get), "simple_queue": _get_simple},
    "qsize": dict.fromkeys(_BUFFERED, _qsize),
    "full": dict.fromkeys(_BUFFERED, _full),
    "empty": dict.fromkeys(TYPES, _empty),
    "task_done": {"joinable_queue": _task_done},
}
