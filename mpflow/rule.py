"""What a primitive's file says of the order of events: which event may come next.

Protocols only: for type checkers, and imported by nobody while a scenario runs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol


class Observation(Protocol):
    """What a rule may ask of an event.

    A status of `blocked` means that the action never came back: whether it took effect, and when
    after its begin, nobody knows.
    """

    @property
    def began(self) -> float: ...
    @property
    def ended(self) -> float: ...
    @property
    def process(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def on(self) -> str | None: ...
    @property
    def value(self) -> object: ...
    @property
    def result(self) -> object: ...
    @property
    def status(self) -> str: ...
    @property
    def error(self) -> tuple[str, str] | None: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...


class Rule(Protocol):
    """A primitive as a sequence of events: a function from state to state.

    States are immutable and hashable, small and cheap to make: an order is found by trying many.
    """

    def start(self) -> Hashable:
        """The state before the first event."""
        ...

    def after(self, state: Any, event: Observation) -> Any | None:
        """The state after the event; None: it cannot come in this state. A blocked event is asked
        about as one that took effect: whether it did is for the caller to try."""
        ...


class Lenient(Rule, Protocol):
    """A rule that refuses at first what can be, but hardly ever is."""

    def relax(self) -> bool:
        """Allow that, too, from now on: no order was found without it. Whether there is anything
        more to allow."""
        ...


class Lined(Rule, Protocol):
    """A rule that learns from events in which order others came that were under way at once."""

    def certain(self, state: Any) -> bool:
        """Whether no later event tells more of those before this state."""
        ...

    def turns(
        self, seen: Sequence[tuple[Any, Observation, Any]], place: Callable[[Observation], Any]
    ) -> Iterable[tuple[Observation, Sequence[Observation]]]:
        """What events tell, each with the state before and behind it: an earlier event, and others
        all of which came behind it. `place` is where an event stands so far."""
        ...


class Member(Protocol):
    """What stands on a lock that it may share with others: a condition, a value.

    `held` is the state of the lock (primitives/_monitor.py), `own` its own. `waits`: one can wait
    for it, and gives the lock up meanwhile; what cannot be waited for takes the lock for itself.
    """

    waits: bool

    def start(self) -> Hashable:
        """Its own state before the first event."""
        ...

    def after(self, held: Any, own: Any, event: Observation) -> tuple[Any, Any] | None:
        """Both states after an event that is neither acquire nor release; None: it cannot come."""
        ...
