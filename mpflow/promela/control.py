"""Control flow in Promela: conditions, exceptions, and what a process does by itself.

In: a node of one process. Out: lines of its Body.
"""

from __future__ import annotations

from collections.abc import Callable

from mpflow.promela import leaving, loops
from mpflow.promela.body import Body
from mpflow.promela.frames import Finally, Flow, Handlers
from mpflow.promela.lines import Step
from mpflow.promela.loops import kept, part
from mpflow.promela.refusal import Refusal
from mpflow.promela.values import OPAQUE, UNKNOWN
from mpflow.promela.variables import assignments, chosen, sets
from mpflow.scenario import Block, Node


def _silent(body: Body, node: Node) -> None:
    """What no other process can see: its arguments must not fail, and that is all."""
    for name in ("text", "seconds", "name"):
        if name in node.arguments:
            body.need(body.terms.of(node.arguments[name].source))


def _sleep(body: Body, node: Node) -> None:
    """It may last any time: nothing. What only the run can tell might be below 0."""
    term = body.terms.of(node.arguments["seconds"].source)
    if term.known is UNKNOWN:
        term = body.terms.number(node.arguments["seconds"].source)
        body.need(term._replace(needs=(*term.needs, f"({term.code} >= 0)")))


def _section(body: Body, node: Node) -> None:
    _silent(body, node)
    body.block(part(node, "do"))


def _let(body: Body, node: Node) -> None:
    for name, source in assignments(node):
        if body.terms.kinds[name] in OPAQUE:
            body.need(body.terms.of(source))
        else:
            term = body.terms.scalar(source)
            body.need(term)
            body.lines.step("", f"v_{name} = {term.code}", note=body.note(node, name))
        body.assign(name)


def _choose(body: Body, node: Node) -> None:
    terms = [body.terms.of(source) for source in chosen(node)]
    if not terms:
        raise Refusal("only the run can tell what there is to choose from", "", "from")
    body.need(*terms)
    name = str(node.written.get("into", ""))
    if name and body.terms.kinds[name] not in OPAQUE:
        codes = [body.terms.scalar(source).code for source in chosen(node)]
        steps = [Step("", (f"v_{name} = {code}",)) for code in codes]
        body.lines.choice(*steps, note=body.note(node))
    body.assign(*sets(node))


def _assert(body: Body, node: Node) -> None:
    """Spin's own assertion where nothing catches the error; the process ends by it then."""
    term = body.terms.truth(node.arguments["condition"].source)
    body.terms.of(node.arguments["message"].source)
    body.need(term)
    if term.known is not UNKNOWN and term.known:
        return
    caught, before = leaving.catches(body, "AssertionError"), body.flow

    def fail() -> None:
        if not caught:
            body.lines.line(f"assert({term.code});")
        leaving.raise_(body, "AssertionError")

    body.lines.line(f"if\t/* {body.note(node)} */")
    body.lines.line(f":: {term.code};")
    body.branch(":: else", fail)
    body.lines.line("fi;")
    body.flow = before


def _raise(body: Body, node: Node) -> None:
    error = body.terms.of(node.arguments["error"].source).known
    if not isinstance(error, str):
        raise Refusal("only the run can tell which exception this is", "name it", "error")
    if error == "SystemExit":
        raise Refusal("the exit code is said by `exit`", "write `exit: 0`", "error")
    body.terms.of(node.arguments["message"].source)
    leaving.raise_(body, error)


def _exit(body: Body, node: Node) -> None:
    code = body.terms.of(node.arguments["code"].source).known
    if code is UNKNOWN:
        raise Refusal("only the run can tell the exit code", "write it as a number", "code")
    number = 0 if code is None else code & 0xFF if isinstance(code, int) else 1
    if node.verb == "exit":
        leaving.raise_(body, "SystemExit", number)
    else:
        leaving.die(body, number)


def _if(body: Body, node: Node) -> None:
    term = body.terms.truth(node.arguments["condition"].source)
    body.need(term)
    then, other = part(node, "then"), part(node, "else")
    if term.known is not UNKNOWN:
        body.inside(then if term.known else other)
        return
    lines, before = body.lines, body.flow
    lines.line(f"if\t/* {body.note(node)} */")
    body.branch(f":: {term.code}", lambda: body.inside(then))
    after, body.flow = body.flow, before
    body.branch(":: else", lambda: body.inside(other))
    body.flow = after.meets(body.flow)
    lines.line("fi;")


# Exceptions


def _try(body: Body, node: Node) -> None:
    """`do`, then `else`; a handler for each exception that can come; `finally` behind each way."""
    lines, before = body.lines, body.flow
    last = part(node, "finally")
    around = (Finally(last),) if last else ()
    handlers = [(each, body.label("caught")) for each in node.blocks if each.part == "except"]
    labels = tuple((str(each.exception), label) for each, label in handlers)
    after = body.label("after")
    body.inside(part(node, "do"), *around, Handlers(labels))
    body.inside(part(node, "else"), *around)
    flow = body.flow
    for block, label in handlers:
        if label in lines.used:
            flow = _handled(body, block, label, after, around, flow, kept(before, node))
    body.flow = flow
    lines.label(after)
    if flow.alive:
        body.inside(last)


def _handled(
    body: Body,
    block: Block,
    label: str,
    after: str,
    around: tuple[Finally, ...],
    flow: Flow,
    caught: Flow,
) -> Flow:
    """A handler, behind what goes on without it; what is certain behind both."""
    if flow.alive:
        body.lines.goto(after)
    body.lines.label(label)
    body.flow = caught
    body.inside(block.nodes, *around)
    return body.flow.meets(flow)


WRITERS: dict[str, Callable[[Body, Node], None]] = {
    "assert": _assert,
    "break": lambda body, node: leaving.jump(body, continues=False),
    "choose": _choose,
    "continue": lambda body, node: leaving.jump(body, continues=True),
    "crash": lambda body, node: leaving.die(body, -9),
    "exit": _exit,
    "if": _if,
    "let": _let,
    "mark": _silent,
    "os_exit": _exit,
    "pass": lambda body, node: None,
    "print": _silent,
    "raise": _raise,
    "return": lambda body, node: leaving.return_(body),
    "section": _section,
    "sleep": _sleep,
    "try": _try,
    **loops.WRITERS,
}
