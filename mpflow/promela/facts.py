"""What is known of a whole scenario: a first pass over it fills it in, a second one reads it.

What is put at most, and by whom; who receives; who waits; which locks are released by others than
their holders. On this depends how fine the model has to be.
"""

from __future__ import annotations

from collections import Counter
from math import inf


class Facts:
    """Primitives by the name under which they are declared, a pipe's ends with their part."""

    def __init__(self) -> None:
        self.puts: Counter[str] = Counter()  # of each queue and end, how many at most
        self.endless: set[str] = set()  # of these there is no end
        self.producers: dict[str, dict[tuple[str, int], None]] = {}  # process and replica of it
        self.receivers: dict[str, set[str]] = {}  # processes that receive from an end
        self.observed: set[str] = set()  # queues that somebody looks into without waiting
        self.cleared: set[str] = set()  # events
        self.waiting: dict[str, dict[str, None]] = {}  # processes that wait in an event or join
        self.loose: set[str] = set()  # locks that may be released by who does not hold them
        self.guarded: set[str] = set()  # values whose lock is taken for more than one access
        self.timed: set[str] = set()  # processes whose end somebody looks for without waiting
        self.started: dict[str, str] = {}  # who starts each process

    def put(self, name: str, times: float) -> None:
        """An item is put so many times."""
        if times == inf:
            self.endless.add(name)
        else:
            self.puts[name] += int(times)

    def most(self, name: str, maxsize: int = 0) -> int | None:
        """How many items can be there at once; None where there is no bound."""
        if name in self.endless:
            return maxsize if maxsize > 0 else None
        return min(self.puts[name], maxsize) if maxsize > 0 else self.puts[name]

    def produces(self, name: str, process: str, replicas: list[int]) -> None:
        """A process may put an item into any of these replicas of a queue."""
        known = self.producers.setdefault(name, {})
        known.update(dict.fromkeys((process, each) for each in replicas))

    def buffer(self, name: str, process: str, replica: int) -> int:
        """The number of a process's buffer among all of a queue."""
        known = list(self.producers.get(name, ()))
        return known.index((process, replica)) if (process, replica) in known else 0

    def waits(self, name: str, process: str) -> None:
        """A process may wait in an event or for a joinable queue."""
        self.waiting.setdefault(name, {})[process] = None

    def place(self, name: str, process: str) -> int:
        """The number of a process among those that wait there."""
        known = list(self.waiting.get(name, ()))
        return known.index(process) if process in known else 0
