"""World -> Space: states as single integers, and the steps between them as tables of differences.

Each component has a field of bits that holds the number of its value. What an actor can do next
depends on its own field and on those that its step touches: it is worked out once for each of
their contents, and after that it is a look into a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mpflow.model.local import Moment
from mpflow.model.names import split
from mpflow.model.steps import Step, Ways
from mpflow.model.values import FullError as FullError
from mpflow.model.values import Uncheckable
from mpflow.model.world import World

FIRST_BITS = {"process": 10, "feeder": 4, "signals": 2}  # of actors
FEW, SOME = 3, 8  # bits: of semaphores and of how far processes have come; of other components
MORE = 8  # bits that a field gets in addition when it is full

Found = TypeVar("Found")


def _bits(value: Any) -> int:
    """How many bits a component gets at first that begins with this value."""
    return FEW if isinstance(value, int | str) else SOME


class Field:
    """The bits of one component, and the numbers of its values, from 0 on."""

    def __init__(self, key: str, bits: int) -> None:
        self.key = key
        self.bits = bits
        self.shift = 0
        self.values: list[Any] = []
        self.numbers: dict[Any, int] = {}

    @property
    def mask(self) -> int:
        """All of its bits."""
        return ((1 << self.bits) - 1) << self.shift

    def number(self, value: Any) -> int:
        """A value's number; FullError where there are no more."""
        found = self.numbers.get(value)
        if found is None:
            found = len(self.values)
            if found >> self.bits:
                self.bits += MORE
                raise FullError(self.key)
            self.numbers[value] = found
            self.values.append(value)
        return found


class Row:
    """What an actor can do next while its own field stays as it is: `mask` has the fields that it
    depends on, `ways` for each of their contents what is to be added to the state."""

    __slots__ = ("mask", "ways")

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.ways: dict[int, tuple[int, ...]] = {}


class Actor:
    """Who can take a step: `rows` are found by the number in its field; None: not yet worked out,
    False: there is no step from there."""

    __slots__ = ("field", "key", "kind", "mask", "rows", "shift")

    def __init__(self, key: str, field: Field) -> None:
        self.key = key
        self.kind = split(key)[0]
        self.field = field
        self.shift = field.shift
        self.mask = (1 << field.bits) - 1
        self.rows: list[Row | bool | None] = []

    def value(self, state: int) -> Any:
        """What it is up to in a state."""
        return self.field.values[(state >> self.shift) & self.mask]


class Space:
    """All states of a world, reached or not. Integers stay valid as long as the layout does: where
    a value needs more room than its field has, FullError ends the work (see `laid_out`)."""

    def __init__(self, world: World) -> None:
        self.world = world
        keys = list(world.actors())
        order = [*keys, *(key for key in world.first if key not in set(keys))]
        actors = set(keys)
        self.fields = {
            key: Field(key, FIRST_BITS[split(key)[0]] if key in actors else _bits(world.first[key]))
            for key in order
        }
        self.actors: list[Actor] = []
        self.first = 0
        self.lay_out()

    def lay_out(self) -> None:
        """Give each field its place, and forget all tables."""
        shift = 0
        for field in self.fields.values():
            field.shift = shift
            field.values, field.numbers = [], {}
            shift += field.bits
        self.actors = [Actor(key, self.fields[key]) for key in self.world.actors()]
        self.first = self.pack(self.world.first)

    def laid_out(self, work: Callable[[], Found]) -> Found:
        """What a piece of work gives that asks for states, begun anew with a larger layout as often
        as that has no room for a value. No state from before is valid in it, nor after it."""
        while True:
            try:
                return work()
            except FullError:
                self.lay_out()

    def pack(self, values: dict[str, Any]) -> int:
        """The state that has these values."""
        return sum(
            self.fields[key].number(each) << self.fields[key].shift for key, each in values.items()
        )

    def value(self, state: int, key: str) -> Any:
        """A component's value in a state."""
        field = self.fields[key]
        return field.values[(state & field.mask) >> field.shift]

    def row(self, actor: Actor, number: int) -> Row | bool:
        """The row for a number in an actor's field, made now."""
        step = self.world.step(actor.key, actor.field.values[number])
        made: Row | bool = False
        if step is not None:
            mask = actor.field.mask
            for key in step.touches:
                mask |= self.fields[key].mask
            made = Row(mask)
        while len(actor.rows) <= number:
            actor.rows.append(None)
        actor.rows[number] = made
        return made

    def fill(self, actor: Actor, row: Row, state: int) -> tuple[int, ...]:
        """What an actor can do in a state, worked out and entered in its row."""
        found = tuple(dict.fromkeys(difference for difference, _, _ in self.ways(actor, state)))
        row.ways[state & row.mask] = found
        return found

    def _come(
        self, actor: Actor, step: Step, value: Any, values: list[Any], late: bool = True
    ) -> Ways:
        """What can come of a step; what cannot be told of it gets its line."""
        try:
            return step.ways(values, late)
        except Uncheckable as error:
            self.world.place(error, actor.key, value)
            raise

    def ways(
        self, actor: Actor, state: int, late: bool = True
    ) -> Iterator[tuple[int, Any, list[Moment]]]:
        """Each way in which an actor can take its step in a state: what is to be added, the step's
        result, and what it completes. `late`: its time may be up. Two may lead to one state, by
        results that nobody remembers: in `differences` they are one."""
        own, value = actor.field, actor.value(state)
        step = self.world.step(actor.key, value)
        if step is None:
            return
        touched = [self.fields[key] for key in step.touches]
        before = [(state & field.mask) >> field.shift for field in touched]
        values = [field.values[n] for field, n in zip(touched, before, strict=True)]
        for result, after in self._come(actor, step, value, values, late):
            difference = 0
            for field, old, new in zip(touched, before, after, strict=True):
                difference += (field.number(new) - old) << field.shift
            moments: list[Moment] = []
            if actor.kind != "signals":
                new, moments = self.world.after(actor.key, value, result)
                difference += (own.number(new) - own.numbers[value]) << own.shift
            yield difference, result, moments

    def successors(self, state: int) -> Iterator[tuple[int, int]]:
        """Each state that one step leads to, and the number of the actor that takes it."""
        for number, actor in enumerate(self.actors):
            for difference in self.differences(actor, state):
                yield state + difference, number

    def differences(self, actor: Actor, state: int) -> tuple[int, ...]:
        """What an actor can add to a state."""
        row = self.row_in(state, actor)
        if row is None:
            return ()
        found = row.ways.get(state & row.mask)
        return self.fill(actor, row, state) if found is None else found

    def row_in(self, state: int, actor: Actor) -> Row | None:
        """An actor's row in a state; None where he has no step."""
        at = (state >> actor.shift) & actor.mask
        row = actor.rows[at] if at < len(actor.rows) else None
        if row is None:
            row = self.row(actor, at)
        return None if isinstance(row, bool) else row
