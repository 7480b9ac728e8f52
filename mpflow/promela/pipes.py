"""Pipes in Promela: a channel for what is under way to each end.

While nobody closes an end there is no end of file, and no broken pipe: who made the pipe holds
both ends. One process alone may receive from an end, or messages could be torn.
"""

from __future__ import annotations

from mpflow.promela.body import Body, Operations, waits
from mpflow.promela.lines import Step
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target
from mpflow.scenario import Node


def channel(name: str, part: str) -> str:
    """What is under way to an end."""
    return f"to_{name}_{part.removeprefix('.')}"


def other(found: Target) -> str:
    """The part of the opposite end."""
    first, second = found.declared.options["ends"]
    return f".{second}" if found.part == f".{first}" else f".{first}"


def _send(body: Body, node: Node, found: Target) -> None:
    part = other(found)
    body.world.noted.put(found.name + part, body.times)
    term = body.terms.scalar(node.arguments["value"].source)
    body.need(term)
    note = body.note(node, found.shown)
    body.lines.step(f"{channel(found.name, part)}{found.at}!{term.code}", note=note)


def _recv(body: Body, node: Node, found: Target) -> None:
    for replica in found.replicas:
        known = body.world.noted.receivers.setdefault(f"{found.name}[{replica}]{found.part}", set())
        known.add(body.name)
        if len(known) > 1:
            message = "two processes receive from this end: they may tear a message apart"
            raise Refusal(message, "give each a pipe of its own, or use a queue", "from")
    into = body.into(node) or "_"
    note = body.note(node, found.shown)
    body.lines.step(f"{channel(found.name, found.part)}{found.at}?{into}", note=note)


def _poll(body: Body, node: Node, found: Target) -> None:
    way, note = f"{channel(found.name, found.part)}{found.at}", body.note(node, found.shown)
    known = body.terms.of(node.arguments["timeout"].source).known
    patient = waits(body, node)
    into = body.into(node)
    if patient:
        body.lines.step(f"nempty({way})", *([f"{into} = 1"] if into else []), note=note)
    elif into and known == 0:
        body.lines.step("", f"{into} = (len({way}) > 0)", note=note)
    elif into:
        late = Step(f"empty({way})", (f"{into} = 0",))
        body.lines.choice(Step(f"nempty({way})", (f"{into} = 1",)), late, note=note)


def _close(body: Body, node: Node, found: Target) -> None:
    message = "when an end is closed, who else has it open decides what happens"
    raise Refusal(message, "leave it open, and send a last message that says so")


OPERATIONS: dict[str, Operations] = {
    "send": {"pipe": _send},
    "recv": {"pipe": _recv},
    "poll": {"pipe": _poll},
    "close": {"pipe": _close},
}
