"""What a primitive's file says of the order of events: which event may come next.

Protocols only: for type checkers, and imported by nobody while a scenario runs.
"""

from __future__ import annotations

from typing import Protocol


class Observation(Protocol):
    """What a rule may ask of an event."""

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


class Rule(Protocol):
    """A primitive as a sequence of events: which may come next."""

    def allows(self, event: Observation) -> bool:
        """Whether the event is legal in the present state."""
        ...

    def apply(self, event: Observation) -> None:
        """Take the event into the state; also an illegal one, as well as that can be done."""
        ...

    def observes(self, event: Observation) -> bool:
        """Whether the event only tells the state: then it is taken as soon as it is legal."""
        ...
