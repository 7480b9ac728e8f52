"""What stands before the processes of a model: its primitives, its feeders, its texts.

In: a World whose processes are written. Out: lines of Promela, or Problems.
"""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.problems import Problem
from mpflow.promela.body import World
from mpflow.promela.cells import WHOLE, size_of
from mpflow.promela.operations import TYPES
from mpflow.promela.pipes import channel
from mpflow.promela.refusal import Refusal
from mpflow.promela.values import LARGEST, NONE
from mpflow.scenario.names import Declared

_DEEPEST = 255  # items in a channel of Spin's
_FEEDER = """
proctype feeder(chan buffer; chan pipe) {	/* a thread of a process that puts into a queue */
	int item;
end:	do
	:: atomic { buffer?item -> pipe!item; item = 0 };
	od
}"""


def head(world: World) -> Iterator[str]:
    """What it is, how to have it explored, and the constants."""
    scenario = world.scenario
    label = f" ({scenario.label})" if scenario.label else ""
    yield f"/* {_comment(scenario.name + label)}: made by mpflow export --to promela"
    yield " *"
    yield " * spin -a FILE && gcc -O2 -o pan pan.c && ./pan"
    yield " * An invalid end state is a deadlock. Time is not said: a timeout strikes whenever its"
    yield " * action cannot go on. -DNOREDUCE: all states; -DVECTORSZ=65536: for a large model."
    yield " * Who has ended stays at `end: false`: in Spin he could die only after all later ones."
    yield " */"
    yield ""
    yield f"#define {NONE} 100000"
    for text, number in world.texts.numbers.items():
        yield f"#define TEXT_{number} {100000 + number}\t/* {_comment(repr(text))} */"
    yield "#define NOBODY 255"
    yield ""
    for each in world.identities.values():
        yield f"/* {each.number}: {each.name} */"
    count = len(world.identities)
    yield f"bool ended[{count}];"
    yield f"short exitcode[{count}];"


def primitives(world: World) -> Iterator[str]:
    """The variables and channels of each primitive, and the feeders' process."""
    for declared in world.scenario.names.primitives.values():
        yield from _WRITERS[declared.type](world, declared) if declared.type in _WRITERS else ()
    if world.facts.producers:
        yield _FEEDER


def feeders(world: World) -> Iterator[str]:
    """The names, with arguments, of all feeders: one for each process and queue it puts into."""
    for name, pairs in world.facts.producers.items():
        count = world.scenario.names.primitives[name].count
        for number, (_, replica) in enumerate(pairs):
            at = "" if count is None else f"[{replica}]"
            yield f"feeder(buffer_{name}[{number}], pipe_{name}{at})"


def problems(world: World, processes: int, most: int) -> Iterator[Problem]:
    """What cannot be said of what is declared, if the actions can."""
    document = world.scenario.document
    count = processes + sum(map(len, world.facts.producers.values()))
    if count > most:
        message = f"{count} processes and feeders are too many for Spin; at most {most}"
        yield Refusal(message).problem(document, ("processes",))
    for declared in world.scenario.names.primitives.values():
        try:
            _check(world, declared)
        except Refusal as refusal:
            yield refusal.problem(document, ("primitives", declared.name))


def _check(world: World, declared: Declared) -> None:
    if declared.type not in TYPES:
        return  # whoever uses it is told
    options = declared.options
    known = [options.get("value"), options.get("initial")]
    for each in (*known, *(known[1] if isinstance(known[1], list) else [])):
        if isinstance(each, int | float) and not -LARGEST <= each <= LARGEST:
            raise Refusal(f"{each} is more than the model's numbers", f"at most {LARGEST}")
    for name in _channels(declared):
        _capacity(world, declared, name)


def _channels(declared: Declared) -> list[str]:
    """Under which names it is counted what comes into it."""
    if declared.type == "pipe":
        return [f"{declared.name}.{end}" for end in declared.options["ends"]]
    return [declared.name] if "queue" in declared.type else []


def _capacity(world: World, declared: Declared, name: str) -> int:
    """How many items a channel must have room for; a Refusal where there is no bound."""
    most = world.facts.most(name, declared.options.get("maxsize", 0))
    if most is None:
        hint = "give it a `maxsize`" if declared.type.endswith(("e_queue", "queue")) else ""
        if declared.type == "simple_queue" or not hint:
            hint = "put so many items, and not without an end"
        raise Refusal(f"there is no bound for what is in `{name}`", hint)
    if most > _DEEPEST:
        raise Refusal(f"up to {most:,} items in `{name}`; Spin takes {_DEEPEST} at most")
    return max(most, 1)


def _array(declared: Declared, width: int | None = None) -> str:
    """The size of an array with so many places for each replica; nothing for a single place."""
    if declared.count is None and width is None:
        return ""
    return f"[{max((1 if declared.count is None else declared.count) * (width or 1), 1)}]"


def _lock(world: World, declared: Declared) -> Iterator[str]:
    yield f"byte lock_{declared.name}{_array(declared)} = 1;"


def _semaphore(world: World, declared: Declared) -> Iterator[str]:
    yield f"int sem_{declared.name}{_array(declared)} = {declared.options['value']};"


def _owner(world: World, declared: Declared) -> Iterator[str]:
    yield f"byte owner_{declared.name}{_array(declared)} = NOBODY;"
    yield f"int depth_{declared.name}{_array(declared)};"


def _event(world: World, declared: Declared) -> Iterator[str]:
    yield f"bool event_{declared.name}{_array(declared)};"
    if declared.name in world.facts.cleared:
        yield from _parked(world, declared)


def _parked(world: World, declared: Declared) -> Iterator[str]:
    waiting = len(world.facts.waiting.get(declared.name, ()))
    if waiting:
        yield f"bool parked_{declared.name}{_array(declared, waiting)};"


def _value(world: World, declared: Declared) -> Iterator[str]:
    if declared.options["typecode"] in WHOLE:
        first = int(declared.options["initial"])
        yield f"int value_{declared.name}{_array(declared)} = {first};"
    if declared.name in world.facts.guarded:
        yield from _owner(world, declared)


def _cells(world: World, declared: Declared) -> Iterator[str]:
    if declared.options["typecode"] not in WHOLE:
        return
    initial, size = declared.options["initial"] or [], size_of(declared.options)
    places = (1 if declared.count is None else declared.count) * size
    first = f" = {{{', '.join(map(str, initial * max(places // max(size, 1), 1)))}}}" * any(initial)
    yield f"int array_{declared.name}[{max(places, 1)}]{first};"
    if declared.name in world.facts.guarded:
        yield from _owner(world, declared)


def _queue(world: World, declared: Declared) -> Iterator[str]:
    name, most = declared.name, _capacity(world, declared, declared.name)
    producers = len(world.facts.producers.get(name, ()))
    yield f"#define SLOTS_{name} {most}"
    yield f"chan pipe_{name}{_array(declared)} = [{most}] of {{ int }};"
    yield f"short slots_{name}{_array(declared)} = {most};"
    if producers:
        yield f"chan buffer_{name}[{producers}] = [{most}] of {{ int }};"
    if name in world.facts.observed:
        yield f"byte readers_{name}{_array(declared)} = 1;"
    if declared.type == "joinable_queue":
        yield f"int undone_{name}{_array(declared)};"
        yield from _parked(world, declared)


def _simple(world: World, declared: Declared) -> Iterator[str]:
    most = _capacity(world, declared, declared.name)
    yield f"chan pipe_{declared.name}{_array(declared)} = [{most}] of {{ int }};"


def _pipe(world: World, declared: Declared) -> Iterator[str]:
    for end in declared.options["ends"]:
        most = _capacity(world, declared, f"{declared.name}.{end}")
        way = channel(declared.name, end)
        yield f"chan {way}{_array(declared)} = [{most}] of {{ int }};"


def _comment(text: str) -> str:
    """A text of the scenario's, safe inside a comment."""
    return ascii(text)[1:-1].replace("*/", "* /").replace("\\", "/")


_WRITERS = {
    "lock": _lock,
    "rlock": _owner,
    "semaphore": _semaphore,
    "bounded_semaphore": _semaphore,
    "event": _event,
    "value": _value,
    "array": _cells,
    "queue": _queue,
    "joinable_queue": _queue,
    "simple_queue": _simple,
    "pipe": _pipe,
}
