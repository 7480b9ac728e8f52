"""Processes in Promela: start is `run`, and who joins waits for a flag that says that it has ended.

In: a node of one process. Out: lines of its Body.
"""

from __future__ import annotations

from collections.abc import Callable

from mpflow import registry
from mpflow.promela import queues
from mpflow.promela.body import Body
from mpflow.promela.lines import Step, both
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import named, targets
from mpflow.promela.values import NONE
from mpflow.scenario import Node, reach
from mpflow.scenario.names import Complaint


def _start(body: Body, node: Node) -> None:
    if body.depth or body.frames:
        message = "a process that is started inside of a block may never be, or more than once"
        raise Refusal(message, "start it outside of all blocks")
    for name in _processes(body, node):
        starter = body.world.noted.started.setdefault(name, body.name)
        if starter != body.name or name in body.children:
            raise Refusal(f"`{name}` is started twice")
        body.children.append(name)
        body.lines.start(body.world.identities[name].code)


def _join(body: Body, node: Node) -> None:
    known = body.terms.of(node.arguments["process"].source).known
    names = body.world.scenario.names
    if isinstance(known, str) and known.partition("[")[0] in names.primitives:
        queues.join(body, node, named(known, registry.verbs()["join"], names))
        return
    processes = _own(body, node)
    note = body.note(node, ", ".join(processes))
    limited = body.terms.of(node.arguments["timeout"].source).known is not None
    if limited:
        body.world.noted.timed.update(processes)
    into = body.into(node)
    ended = both([f"ended[{body.world.identities[each].number}]" for each in processes]) or "1"
    effect = [f"{into} = 1"] if into else []
    if not limited:
        if processes or effect:
            body.lines.step(f"({ended})", *effect, note=note)
    elif into:  # the time is over whenever somebody has not ended yet
        late = Step(f"!({ended})", (f"{into} = 0",))
        body.lines.choice(Step(f"({ended})", tuple(effect)), late, note=note)


def _is_alive(body: Body, node: Node) -> None:
    _asked(body, node, "!ended[{0}]")


def _exitcode(body: Body, node: Node) -> None:
    _asked(body, node, f"(ended[{{0}}] -> exitcode[{{0}}] : {NONE})")


def _asked(body: Body, node: Node, term: str) -> None:
    """Keep what a term says of a process, if anybody wants it."""
    (process,) = _own(body, node)
    body.world.noted.timed.add(process)
    into = body.into(node)
    if into:
        found = term.format(body.world.identities[process].number)
        body.lines.step("", f"{into} = {found}", note=body.note(node, process))


def _processes(body: Body, node: Node) -> list[str]:
    """The replicas that an action is on."""
    names = body.world.scenario.names
    found: list[str] = []
    for text in targets(node, "process", body.terms):
        if text == "all":
            found += _all(body) if node.verb == "start" else body.children
            continue
        replicas = names.process(text)
        if isinstance(replicas, Complaint):
            raise Refusal(f"this fails: {replicas.message}", replicas.hint)
        found += replicas
    return found


def _all(body: Body) -> list[str]:
    """What `start: all` means: all that no other process but main starts."""
    scenario, every = body.world.scenario, body.world.identities
    started = {
        name
        for each in scenario.processes.values()
        for replica in each.replicas
        if replica != body.name
        for name in reach.startable(scenario, each, every[replica].replica)
    }
    return [name for name in every if name not in ("main", body.name, *started)]


def _own(body: Body, node: Node) -> list[str]:
    """The same, all of them started before by this process."""
    found = _processes(body, node)
    for name in found:
        if name not in body.children:
            raise Refusal(f"`{name}` may not have been started here", "start it before")
    if node.verb != "join" and len(found) != 1:
        raise Refusal(f"`{node.verb}` of several processes gives a list", "ask for each")
    return found


WRITERS: dict[str, Callable[[Body, Node], None]] = {
    "exitcode": _exitcode,
    "is_alive": _is_alive,
    "join": _join,
    "start": _start,
}
