"""The works that are measured: each as a scenario, and as a person would write it by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from pairs import Work

Objects = Mapping[str, Any]


def _puts(objects: Objects, n: int) -> None:
    queue = objects["q"]
    for i in range(n):
        queue.put(i)


def _gets(objects: Objects, n: int) -> None:
    queue = objects["q"]
    for _ in range(n):
        queue.get()


QUEUE = Work(
    """
primitives: {q: queue}
processes:
  a: {actions: [{repeat: {times: $n, as: i, do: [{put: {value: $i, to: q}}]}}]}
  b: {actions: [{repeat: {times: $n, do: [{get: q}]}}]}
""",
    {"a": _puts, "b": _gets},
)


def _pings(objects: Objects, n: int) -> None:
    end = objects["link.conn1"]
    for i in range(n):
        end.send(i)
        end.recv()


def _pongs(objects: Objects, n: int) -> None:
    end = objects["link.conn2"]
    for _ in range(n):
        end.send(end.recv())


PING_PONG = Work(
    """
primitives: {link: pipe}
processes:
  a:
    actions:
      - repeat: {times: $n, as: i, do: [{send: {value: $i, to: link.conn1}}, {recv: link.conn1}]}
  b:
    actions:
      - repeat:
          times: $n
          do: [{recv: {from: link.conn2, into: x}}, {send: {value: $x, to: link.conn2}}]
""",
    {"a": _pings, "b": _pongs},
)


def _counts(objects: Objects, n: int) -> None:
    k = 0
    for _ in range(n):
        k += 1  # noqa: SIM113  (the work that is measured)


LOOP = Work(
    """
processes:
  a: {vars: {k: 0}, actions: [{repeat: {times: $n, do: [{let: {k: $(k + 1)}}]}}]}
""",
    {"a": _counts},
)


def _locks(objects: Objects, n: int) -> None:
    lock = objects["l"]
    for _ in range(n):
        lock.acquire()
        lock.release()


LOCK = Work(
    """
primitives: {l: lock}
processes:
  a: {actions: [{repeat: {times: $n, do: [{acquire: l}, {release: l}]}}]}
""",
    {"a": _locks},
)


class Nothing:
    """Stands for a primitive whose operations cost next to nothing."""

    def __init__(self) -> None:
        last: deque[Any] = deque(maxlen=1)
        self.put = last.append
        self.release = last.clear


def _nothing(program: object) -> Objects:
    return {"x": Nothing()}


def _releases(objects: Objects, n: int) -> None:
    release = objects["x"].release
    for _ in range(n):
        release(), release(), release(), release(), release()
        release(), release(), release(), release(), release()


def _hands(objects: Objects, n: int) -> None:
    put = objects["x"].put
    for i in range(n):
        put(i), put(i), put(i), put(i), put(i)
        put(i), put(i), put(i), put(i), put(i)


IN_A_TURN = 10  # events, of the two works below

EVENT = Work(
    f"""
primitives: {{x: semaphore}}
processes:
  a: {{actions: [{{repeat: {{times: $n, do: [{", ".join(["{release: x}"] * IN_A_TURN)}]}}}}]}}
""",
    {"a": _releases},
    _nothing,
)

EVENT_WITH_A_VALUE = Work(
    f"""
primitives: {{x: queue}}
processes:
  a:
    actions:
      - repeat:
          times: $n
          as: i
          do: [{", ".join(["{put: {value: $i, to: x}}"] * IN_A_TURN)}]
""",
    {"a": _hands},
    _nothing,
)
