"""Control flow in Promela: loops, conditions, exceptions, and what a process does by itself.

In: a node of one process. Out: lines of its Body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from mpflow.promela.body import Body, assignments, chosen, names, sets
from mpflow.promela.frames import Finally, Flow, Handlers, Loop
from mpflow.promela.lines import Step, both
from mpflow.promela.refusal import Refusal
from mpflow.promela.terms import OPAQUE, UNKNOWN
from mpflow.scenario import Block, Node, nodes_of

_MOST_COPIES = 100  # of a `for` block: it is written once for each item


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
    body.block(_part(node, "do"))


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
    caught, before = body.catches("AssertionError"), body.flow

    def fail() -> None:
        if not caught:
            body.lines.line(f"assert({term.code});")
        body.raise_("AssertionError")

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
    body.raise_(error)


def _exit(body: Body, node: Node) -> None:
    code = body.terms.of(node.arguments["code"].source).known
    if code is UNKNOWN:
        raise Refusal("only the run can tell the exit code", "write it as a number", "code")
    number = 0 if code is None else code & 0xFF if isinstance(code, int) else 1
    if node.verb == "exit":
        body.raise_("SystemExit", number)
    else:
        body.die(number)


def _if(body: Body, node: Node) -> None:
    term = body.terms.truth(node.arguments["condition"].source)
    body.need(term)
    then, other = _part(node, "then"), _part(node, "else")
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


# Loops


def _while(body: Body, node: Node) -> None:
    _enter(body, node)
    term = body.terms.truth(node.arguments["condition"].source)
    if term.known is not UNKNOWN:
        if term.known:
            _forever(body, node)
        return
    if not term.needs:
        _loop(body, node, f":: {term.code}", inf)
        return
    first = f":: assert({both(term.needs)})"
    _loop(body, node, first, inf, ("if", f":: {term.code};", ":: else -> break;", "fi;"))


def _forever(body: Body, node: Node) -> None:
    """There is no way out but `break`, `return` and exceptions."""
    _loop(body, node, "", inf)
    if not any(each.verb == "break" for each in _own(_part(node, "do"))):
        body.flow = body.flow._replace(alive=False)


def _repeat(body: Body, node: Node) -> None:
    source = node.arguments["times"].source
    name = node.written.get("as")
    _enter(body, node)
    if source == "None":
        if name is not None:
            raise Refusal("the counter of an endless loop has no bound", "leave out `as`", "as")
        _forever(body, node)
        return
    times = body.terms.number(source)
    body.need(times)
    if times.known == 0:
        return
    turn = body.label("turn")
    body.counters.append(turn)
    body.lines.step("", f"{turn} = 0")
    limit = times.code
    if times.known is UNKNOWN:
        limit = body.label("times")
        body.counters.append(limit)
        body.lines.step("", f"{limit} = {times.code}")
    counted = [f"v_{name} = {turn}"] if name is not None else []
    step = Step(f"{turn} < {limit}", (*counted, f"{turn}++"))
    before = body.flow
    if name is not None:
        body.assign(name)
    most = times.high if times.known is UNKNOWN else times.known
    after = _loop(body, node, f":: {step.bare}", most)
    sure = times.known is not UNKNOWN and not _left(node)
    body.flow = after._replace(alive=True) if sure and after.alive else _kept(before, node)


def _for(body: Body, node: Node) -> None:
    """Known items: the block is written for each of them, the variable is a constant there."""
    items, name = body.terms.of(node.arguments["in"].source).known, str(node.written["each"])
    if not isinstance(items, list | tuple | range | str) or len(items) > _MOST_COPIES:
        raise Refusal("only a known, short list can be gone through", "use `repeat`", "in")
    if name in body.terms.kinds or name in body.scope:
        raise Refusal(f"the variable `{name}` is used for something else, too", "", "each")
    over, before = body.label("over"), body.flow
    flow = body.flow
    for item in items:
        if not flow.alive:
            break
        again = body.label("again")
        body.scope[name], body.flow = item, flow
        body.inside(_part(node, "do"), Loop(over, again))
        flow = body.flow
        if again in body.lines.used:
            body.flow = flow = _kept(before, node)
            body.lines.label(again)
    body.scope.pop(name, None)
    body.flow = _kept(before, node) if over in body.lines.used else flow
    body.lines.label(over)


def _loop(body: Body, node: Node, opening: str, times: float, head: Sequence[str] = ()) -> Flow:
    """A `do` whose turns begin with `opening` and `head`; what is certain at the end of a turn."""
    over, again = body.label("over"), body.label("again")
    lines, before = body.lines, body.flow
    if any(each.verb == "continue" for each in _own(_part(node, "do"))):
        lines.used.add(again)
        lines.label(again)

    def turn() -> None:
        for each in head:
            lines.line(each)
        body.inside(_part(node, "do"), Loop(over, again), times=times)

    lines.line(f"do\t/* {body.note(node)} */")
    body.branch(opening or ":: skip", turn)
    if opening and not head:
        lines.line(":: else -> break;")
    lines.line("od;")
    lines.label(over)
    after, body.flow = body.flow, _kept(before, node)
    return after


def _enter(body: Body, node: Node) -> None:
    """Before a loop: what its turns may release is not certain in any of them."""
    body.flow = _kept(body.flow, node)


def _kept(flow: Flow, node: Node) -> Flow:
    """What is still certain after any part of a structure's blocks."""
    inside = [each for block in node.blocks for each in nodes_of(block.nodes)]
    released = {_base(each) for each in inside if each.verb == "release"}
    variables = {name for each in inside for name in sets(each)}
    held = {
        key: number
        for key, number in flow.held.items()
        if "" not in released
        and not names(key, variables)
        and key.partition("[")[0].partition("_")[2] not in released
    }
    return flow._replace(held=Counter(held))


def _base(node: Node) -> str:
    """The name under which what is released is declared, if the text shows it."""
    written = str(node.written.get("lock", ""))
    return "" if written.startswith("$") else written.partition("[")[0]


def _own(nodes: Sequence[Node]) -> list[Node]:
    """The actions of a loop's block, without those of loops inside it."""
    found: list[Node] = []
    for node in nodes:
        found.append(node)
        if node.verb not in ("repeat", "while", "for"):
            found += [each for block in node.blocks for each in _own(block.nodes)]
    return found


def _left(node: Node) -> bool:
    """Whether a turn of a loop may not come to its end."""
    return any(each.verb in ("break", "continue") for each in _own(_part(node, "do")))


# Exceptions


def _try(body: Body, node: Node) -> None:
    """`do`, then `else`; a handler for each exception that can come; `finally` behind each way."""
    lines, before = body.lines, body.flow
    last = _part(node, "finally")
    around = (Finally(last),) if last else ()
    handlers = [(each, body.label("caught")) for each in node.blocks if each.part == "except"]
    labels = tuple((str(each.exception), label) for each, label in handlers)
    after = body.label("after")
    body.inside(_part(node, "do"), *around, Handlers(labels))
    body.inside(_part(node, "else"), *around)
    flow = body.flow
    for block, label in handlers:
        if label in lines.used:
            flow = _handled(body, block, label, after, around, flow, _kept(before, node))
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


def _part(node: Node, part: str) -> tuple[Node, ...]:
    return next((each.nodes for each in node.blocks if each.part == part), ())


WRITERS: dict[str, Callable[[Body, Node], None]] = {
    "assert": _assert,
    "break": lambda body, node: body.jump(continues=False),
    "choose": _choose,
    "continue": lambda body, node: body.jump(continues=True),
    "crash": lambda body, node: body.die(-9),
    "exit": _exit,
    "for": _for,
    "if": _if,
    "let": _let,
    "mark": _silent,
    "os_exit": _exit,
    "pass": lambda body, node: None,
    "print": _silent,
    "raise": _raise,
    "repeat": _repeat,
    "return": lambda body, node: body.return_(),
    "section": _section,
    "sleep": _sleep,
    "try": _try,
    "while": _while,
}
