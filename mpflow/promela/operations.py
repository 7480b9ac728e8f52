"""What is done to primitives, in Promela: locks, semaphores, events and shared numbers.

Each operation is as fine as it has to be: what others can see between two steps of CPython's own
is two steps here. In: a node of one process. Out: lines of its Body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mpflow import registry
from mpflow.promela import pipes, queues
from mpflow.promela.body import Body, sets, waits
from mpflow.promela.frames import With
from mpflow.promela.lines import Step
from mpflow.promela.refusal import Refusal
from mpflow.promela.targets import Target, target
from mpflow.scenario import Node, nodes_of

Operation = Callable[[Body, Node, Target], None]

ACQUIRED = ("lock", "semaphore", "bounded_semaphore", "rlock")
CELLS = ("value", "array")
WHOLE = ("h", "i", "l", "q")  # codes of types that hold all of the model's numbers
TYPES = (*ACQUIRED, *CELLS, "event", *queues.TYPES, "pipe")


def operate(body: Body, node: Node) -> None:
    """Write an action on a primitive."""
    verb = registry.verbs()[node.verb]
    assert verb.subject is not None
    found = target(node, verb, verb.subject, body.terms, body.world.scenario.names)
    if found.type not in TYPES:
        known = ", ".join(TYPES)
        raise Refusal(f"a {found.type} cannot be exported", f"these can be: {known}")
    operation = _OPERATIONS.get(node.verb, {}).get(found.type)
    if operation is None:
        raise Refusal(f"`{node.verb}` of a {found.type} cannot be exported")
    body.need(found)
    operation(body, node, found)


# Locks and semaphores


def _acquire(body: Body, node: Node, found: Target) -> None:
    note = body.note(node, found.shown)
    step, key = _taken(body, found), _key(found)
    patient = waits(body, node)
    into = body.into(node)
    if patient:
        effects = (*step.effects, f"{into} = 1") if into else step.effects
        body.lines.step(step.guard, *effects, note=note)
        body.flow = body.flow.holding(key)
        return
    got = Step(step.guard, (*step.effects, *([f"{into} = 1"] if into else [])))
    body.lines.choice(got, Step(f"!({step.guard})", (f"{into} = 0",) if into else ()), note=note)


def _release(body: Body, node: Node, found: Target) -> None:
    _release_it(body, found, body.note(node, found.shown))


def _release_it(body: Body, found: Target, note: str) -> None:
    """Release what was acquired. Who surely holds it can do so in one step: nobody can see the
    difference. Else CPython looks whether it is held, and in a second step gives it back."""
    key, sure = _key(found), False
    if body.flow.held[key]:
        body.flow, sure = body.flow.holding(key, -1), True
    if found.type == "semaphore":
        body.lines.step("", f"{key}++", note=note)
        return
    if not sure:
        body.world.noted.loose.add(found.name)
    sure = found.name not in body.world.facts.loose
    if found.type == "rlock" or found.type in CELLS:
        owner, depth = _owner(found)
        effects = (f"{depth}--", f"{owner} = ({depth} > 0 -> {owner} : NOBODY)")
        step = Step(f"{owner} == {body.number}", effects)
        if sure:
            body.lines.step("", *effects, note=note)
        else:
            body.attempt(step, "AssertionError", note)
        return
    if not sure:
        most = found.declared.options.get("value", 1)
        body.attempt(Step(f"{key} < {most}"), "ValueError", note)
    body.lines.step("", f"{key}++", note=note if sure else "")


def _taken(body: Body, found: Target) -> Step:
    """The step that acquires."""
    if found.type in ("lock", "semaphore", "bounded_semaphore"):
        key = _key(found)
        return Step(f"{key} > 0", (f"{key}--",))
    if found.type in CELLS:
        if found.declared.options["lock"] is not True:
            raise Refusal(f"`{found.name}` has no lock of its own", "acquire the lock by its name")
        body.world.noted.guarded.add(found.name)
    owner, depth = _owner(found)
    return Step(_mine(body, owner), (f"{owner} = {body.number}", f"{depth}++"))


def _mine(body: Body, owner: str) -> str:
    return f"({owner} == NOBODY || {owner} == {body.number})"


def _owner(found: Target) -> tuple[str, str]:
    return f"owner_{found.name}{found.at}", f"depth_{found.name}{found.at}"


def _key(found: Target) -> str:
    """What counts its permits; or names it, where an owner is kept."""
    prefix = {"lock": "lock", "rlock": "owner", "value": "owner", "array": "owner"}
    return f"{prefix.get(found.type, 'sem')}_{found.name}{found.at}"


def with_(body: Body, node: Node) -> None:
    verb = registry.verbs()["with"]
    found = target(node, verb, "lock", body.terms, body.world.scenario.names)
    if found.type not in (*ACQUIRED, *CELLS):
        raise Refusal(f"a {found.type} cannot be exported", f"these can be: {', '.join(ACQUIRED)}")
    inside = next(each.nodes for each in node.blocks)
    if any(f"v_{v}" in found.variables for each in nodes_of(inside) for v in sets(each)):
        raise Refusal("what the block sets decides which lock is released", "", "lock")
    body.need(found)
    step = _taken(body, found)
    body.lines.step(step.guard, *step.effects, note=body.note(node, found.shown))
    body.flow = body.flow.holding(_key(found))

    def release() -> None:
        _release_it(body, found, f"line {node.line}: leave with {found.shown}")

    body.inside(inside, With(release))
    if body.flow.alive:
        release()


# Events


def _set(body: Body, node: Node, found: Target) -> None:
    """Set, and wake all that wait."""
    waiting = body.world.facts.waiting.get(found.name, {})
    parked = [
        f"parked_{found.name}{found.within(len(waiting), str(i))}" for i in range(len(waiting))
    ]
    wake = [f"{each} = 0" for each in parked] if found.name in body.world.facts.cleared else []
    note = body.note(node, found.shown)
    body.lines.step("", f"event_{found.name}{found.at} = 1", *wake, note=note)


def _clear(body: Body, node: Node, found: Target) -> None:
    body.world.noted.cleared.add(found.name)
    note = body.note(node, found.shown)
    body.lines.step("", f"event_{found.name}{found.at} = 0", note=note)


def _is_set(body: Body, node: Node, found: Target) -> None:
    into = body.into(node)
    if into:
        note = body.note(node, found.shown)
        body.lines.step("", f"{into} = event_{found.name}{found.at}", note=note)


def _wait(body: Body, node: Node, found: Target) -> None:
    """Where the event is cleared, too, who waits may be woken and then find it cleared again."""
    flag, patient = f"event_{found.name}{found.at}", waits(body, node)
    note, into = body.note(node, found.shown), body.into(node)
    yes, no = ([f"{into} = 1"], [f"{into} = 0"]) if into else ([], [])
    body.world.noted.waits(found.name, body.name)
    if found.name not in body.world.facts.cleared:
        if patient:
            body.lines.step(flag, *yes, note=note)
        else:
            body.lines.choice(Step(flag, tuple(yes)), Step(f"!{flag}", tuple(no)), note=note)
        return
    width = len(body.world.facts.waiting.get(found.name, ()))
    place = str(body.world.facts.place(found.name, body.name))
    parked = f"parked_{found.name}{found.within(width, place)}"
    woken = Step(f"!{parked}", (f"{into} = {flag}",) if into else ())
    late = Step(parked, (f"{parked} = 0", *no))
    lines = body.lines
    lines.line(f"if\t/* {note} */")
    lines.line(f":: {Step(flag, tuple(yes))}")
    again = (
        (lambda: lines.step(woken.guard, *woken.effects))
        if patient
        else (lambda: lines.choice(woken, late))
    )
    body.branch(f":: {Step(f'!{flag}', (f'{parked} = 1',)).bare}", again)
    lines.line("fi;")


# Shared numbers


def _load(body: Body, node: Node, found: Target) -> None:
    place, guard = _cell(body, node, found), _access(body, found)
    into = body.into(node)
    if into or guard:
        effects = [f"{into} = {place}"] if into else []
        body.lines.step(guard, *effects, note=body.note(node, found.shown))


def _store(body: Body, node: Node, found: Target) -> None:
    term = body.terms.number(node.arguments["value"].source)
    body.need(term)
    place, guard = _cell(body, node, found), _access(body, found)
    body.lines.step(guard, f"{place} = {term.code}", note=body.note(node, found.shown))


def _cell(body: Body, node: Node, found: Target) -> str:
    """The variable of the model that an access is about."""
    options = found.declared.options
    if options["typecode"] not in WHOLE:
        raise Refusal(f"typecode {options['typecode']} cannot be exported", "use i: whole numbers")
    if found.type == "value":
        return f"value_{found.name}{found.at}"
    size = size_of(options)
    at = body.terms.number(node.arguments["at"].source)
    needs = at.needs
    if not 0 <= at.low <= at.high < size:
        needs = (*needs, f"({at.code} >= 0 && {at.code} < {size})")
    body.need(at._replace(needs=needs))
    return f"array_{found.name}{found.within(size, at.code)}"


def _access(body: Body, found: Target) -> str:
    """What an access waits for: its lock, where that is ever held for longer than an access."""
    lock = found.declared.options["lock"]
    if lock is False:
        return ""
    if lock is True:
        if found.name not in body.world.facts.guarded:
            return ""
        return _mine(body, _owner(found)[0])
    declared = body.world.scenario.names.primitives[lock]
    if declared.type != "rlock":
        message = f"each access to `{found.name}` takes the plain lock `{lock}`"
        raise Refusal(message, "leave out its `lock`: one of its own does")
    return _mine(body, f"owner_{lock}")


def size_of(options: Mapping[str, object]) -> int:
    """How many items an array has."""
    size, initial = options["size"], options["initial"]
    return len(initial) if isinstance(initial, list) else int(str(size))


def _each(operation: Operation, types: tuple[str, ...]) -> dict[str, Operation]:
    return dict.fromkeys(types, operation)


_OPERATIONS: dict[str, dict[str, Operation]] = {
    "acquire": _each(_acquire, (*ACQUIRED, *CELLS)),
    "release": _each(_release, (*ACQUIRED, *CELLS)),
    "set": {"event": _set},
    "clear": {"event": _clear},
    "is_set": {"event": _is_set},
    "wait": {"event": _wait},
    "load": _each(_load, CELLS),
    "store": _each(_store, CELLS),
    **queues.OPERATIONS,
    **pipes.OPERATIONS,
}
VERBS = frozenset(_OPERATIONS)
