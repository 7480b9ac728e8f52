"""A search -> what is otherwise than expected on the way to an end of the run: marks in the wrong
order, too many inside a section. A state shows it, and a shortest schedule leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from mpflow.model.explore import Search, nearest, reached
from mpflow.model.moves import Schedule
from mpflow.model.reduce import Stubborn
from mpflow.model.schedule import moves_to
from mpflow.model.space import Space
from mpflow.model.values import FullError
from mpflow.scenario import Expectation

NEAR = 50_000  # states among which a shorter way is looked for than reductions have left


class Seen(NamedTuple):
    """What is wrong, the first state of the search that shows it, and a shortest way to such."""

    text: str
    state: int
    way: Schedule


def underway(space: Space, found: Search, expect: Expectation) -> Iterator[Seen]:
    """All that is seen to be wrong before a run ends."""
    for text, key, wrong in _wrong(expect):
        state = next((state for value, state in reached(space, found, key) if wrong(value)), None)
        if state is not None:
            yield Seen(text, state, _shortest(space, found, key, wrong) or moves_to(found, state))


def _wrong(expect: Expectation) -> Iterator[tuple[str, str, Callable[[Any], bool]]]:
    """What could be wrong: a text, the component that shows it, and in which of its values."""
    for before, after, line in expect.order:
        text = f"order: mark `{after}` came before mark `{before}` (line {line})"
        yield text, "marks", partial(_turned, before, after)
    for section, most in expect.exclusive.items():
        text = f"exclusive: more than {most} were inside `{section}` at once"
        text += f" (line {expect.lines.get('exclusive')})"
        yield text, f"section {section}", partial(_over, most)


def _turned(before: str, after: str, marks: tuple[str, ...]) -> bool:
    """Whether a mark came before one that should come first."""
    both = before in marks and after in marks
    return both and marks.index(after) < marks.index(before)


def _over(most: int, section: tuple[tuple[str, ...], int]) -> bool:
    """Whether more than that were inside at once."""
    return section[1] > most


def _shortest(
    space: Space, found: Search, key: str, wrong: Callable[[Any], bool]
) -> Schedule | None:
    """A shorter way than a reduced search has found, which looks for ends; None where there is
    none, or too much to look at."""
    if isinstance(found.graph, Stubborn):
        with suppress(FullError):
            near = nearest(space, key, wrong, NEAR)
            if near is not None:
                return moves_to(near, next(reversed(near.came_from)))
    return None
