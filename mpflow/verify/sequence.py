"""Events in a row: numbers from 1, times that never go back, each process from begin to end."""

from __future__ import annotations

from mpflow.trace import Event
from mpflow.verify.form import Wrong

_ULPS = 1e-7  # seconds: what never came back stands a little behind its begin


class Sequence:
    """What of the events before one an event must agree with."""

    def __init__(self) -> None:
        self.count = 0
        self.t = 0.0
        self.last: dict[str, Event] = {}  # of each living process
        self.ended: dict[str, Event] = {}
        self.blocked: list[Event] = []

    def take(self, event: Event) -> None:
        """Wrong where the event cannot come here, whatever is done in it."""
        self.count += 1
        if event.seq != self.count:
            raise Wrong(f"its seq is {event.seq}, and {self.count} comes next")
        if event.t < self.t:
            raise Wrong(f"its t is {event.t}: before that of the event above, {self.t}")
        if not 0 <= event.began <= event.t:
            raise Wrong(f"it began at {event.began}, which is not between 0 and its t, {event.t}")
        self.t = event.t
        self._life(event)
        if event.status == "blocked":
            self.blocked.append(event)

    def _life(self, event: Event) -> None:
        name = event.process
        before = self.last.get(name)
        if event.action == "begin":
            if before is not None:
                raise Wrong(f"`{name}` has begun already")
            self.ended.pop(name, None)
            self.last[name] = event
            return
        if before is None:
            word = "ended" if name in self.ended else "not begun"
            raise Wrong(f"`{name}` has {word}: it does nothing")
        if "code" in event.extra:
            return  # done inside an action, or beside it in a thread
        if before.status == "blocked" and event.action != "end":
            raise Wrong(f"`{name}` never came back from {before.action} (event {before.seq})")
        if event.began < before.t - _ULPS:
            raise Wrong(f"it began before event {before.seq} of `{name}` was over, at {before.t}")
        if event.action == "end":
            del self.last[name]
            self.ended[name] = event
        else:
            self.last[name] = event
