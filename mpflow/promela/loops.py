"""Loops in Promela: a `do` with a counter or a condition; `for` is written out, item by item.

In: a node of one process. Out: lines of its Body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from mpflow.promela.body import Body
from mpflow.promela.frames import Flow, Loop
from mpflow.promela.lines import Step, both
from mpflow.promela.refusal import Refusal
from mpflow.promela.values import UNKNOWN
from mpflow.promela.variables import names, sets
from mpflow.scenario import Node, nodes_of

_MOST_COPIES = 100  # of a `for` block: it is written once for each item


def part(node: Node, part: str) -> tuple[Node, ...]:
    """The actions of one of a structure's blocks."""
    return next((each.nodes for each in node.blocks if each.part == part), ())


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
    if not any(each.verb == "break" for each in _own(part(node, "do"))):
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
    body.flow = after._replace(alive=True) if sure and after.alive else kept(before, node)


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
        body.inside(part(node, "do"), Loop(over, again))
        flow = body.flow
        if again in body.lines.used:
            body.flow = flow = kept(before, node)
            body.lines.label(again)
    body.scope.pop(name, None)
    body.flow = kept(before, node) if over in body.lines.used else flow
    body.lines.label(over)


def _loop(body: Body, node: Node, opening: str, times: float, head: Sequence[str] = ()) -> Flow:
    """A `do` whose turns begin with `opening` and `head`; what is certain at the end of a turn."""
    over, again = body.label("over"), body.label("again")
    lines, before = body.lines, body.flow
    if any(each.verb == "continue" for each in _own(part(node, "do"))):
        lines.used.add(again)
        lines.label(again)

    def turn() -> None:
        for each in head:
            lines.line(each)
        body.inside(part(node, "do"), Loop(over, again), times=times)

    lines.line(f"do\t/* {body.note(node)} */")
    body.branch(opening or ":: skip", turn)
    if opening and not head:
        lines.line(":: else -> break;")
    lines.line("od;")
    lines.label(over)
    after, body.flow = body.flow, kept(before, node)
    return after


def _enter(body: Body, node: Node) -> None:
    """Before a loop: what its turns may release is not certain in any of them."""
    body.flow = kept(body.flow, node)


def kept(flow: Flow, node: Node) -> Flow:
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
    return any(each.verb in ("break", "continue") for each in _own(part(node, "do")))


WRITERS: dict[str, Callable[[Body, Node], None]] = {
    "for": _for,
    "repeat": _repeat,
    "while": _while,
}
