"""What is done with a manager's objects beyond the language's own words."""

from __future__ import annotations

import multiprocessing
from multiprocessing.managers import SyncManager
from typing import Any


def manager() -> SyncManager:
    return multiprocessing.Manager()


def shut_down(manager: SyncManager) -> None:
    manager.shutdown()


def make(manager: Any, kind: str) -> Any:
    """An object of that kind, as the child shall find it."""
    if kind == "Event":
        made = manager.Event()
        made.set()
    elif kind == "Barrier":
        made = manager.Barrier(5)
    elif kind == "Array":
        made = manager.Array("i", [0, 1])
    elif kind == "Namespace":
        made = manager.Namespace()
        made.x, made.y = 0, 1
    elif kind == "Pool":
        made = manager.Pool(2)
    else:
        made = getattr(manager, kind)()
    return made


def use(kind: str, it: Any) -> Any:
    """What the child does with it, and what comes of it."""
    if kind == "Event":
        told = [it.is_set(), it.wait()]
        it.clear()
        return [*told, it.wait(0.001)]
    if kind == "Barrier":
        it.reset()
        return it.parties
    if kind == "Array":
        return [it[0], it[1], len(it), list(it)]
    if kind == "Namespace":
        return [it.x, it.y]
    if kind == "Pool":
        with it:
            return it.map(pow_2, [1, 2, 3])
    got = it.acquire()
    if kind in ("RLock", "Condition"):
        it.release()
    return got


def pow_2(x: int) -> int:
    return x * x


def look_again(kind: str, it: Any) -> Any:
    """What main finds when the child has used it."""
    if kind == "Event":
        return it.is_set()
    if kind in ("Lock", "Semaphore", "BoundedSemaphore"):
        it.release()  # the child has acquired it
    if kind == "Lock":
        try:
            it.release()
        except RuntimeError as error:
            return type(error).__name__
    return None


def full_queue(manager: Any, kind: str) -> Any:
    """A queue for two, with 5 and 6 in it."""
    queue = getattr(manager, kind)(2)
    queue.put(5)
    queue.put(6)
    return queue


def empty_queue(queue: Any) -> list[Any]:
    told = [queue.qsize(), queue.full(), queue.empty()]
    return [*told, queue.get(), queue.empty(), queue.get(), queue.empty()]


def queue_state(queue: Any) -> list[Any]:
    return [queue.qsize(), queue.full(), queue.empty()]


def list_methods(items: Any) -> list[Any]:
    told = [items.count(5), items.index(5)]
    items.sort()
    items.reverse()
    return [*told, list(items)]


def dict_methods(d: Any, key: Any = "foo") -> list[Any]:
    return [d.get(key), list(d.items()), list(d.keys()), list(d.values()), d.copy()]


def pop_item(d: Any) -> Any:
    return d.popitem()


def get(value: Any) -> Any:
    return value.get()


def extend(items: Any, more: list[Any]) -> list[Any]:
    items.extend(more)
    return [items[:], items[2:10]]


def double(items: Any) -> list[Any]:
    items *= 2
    return [items[:], items + [5, 6]]  # noqa: RUF005


def list_in_list() -> list[Any]:
    own: Any
    with multiprocessing.Manager() as own:
        a, b = own.list(range(3)), own.list(["x"])
        both = [inner[:] for inner in own.list([a, b])]
        outer = own.list([a])
        a.append("hello")
        return [both, outer[0][:]]


def iterate_list(items: Any) -> list[Any]:
    first = iter(items)
    told = [list(first), list(first)]
    second = iter(items)
    items[0] = 100
    return [*told, next(second)]


def iterate_dict() -> list[Any]:
    with multiprocessing.Manager() as own:
        d = own.dict({65: "A", 66: "B"})
        first = iter(d)
        told = [list(first), list(first)]
        second = iter(d)
        d.clear()
        try:
            next(second)
        except RuntimeError as error:
            return [*told, type(error).__name__]
        return told


def lists_in_list() -> list[Any]:
    with multiprocessing.Manager() as own:
        outer = own.list([own.list(range(3)) for _ in range(3)])
        told: list[Any] = [[inner[:] for inner in outer]]
        outer[0][-1] = 55
        told += [outer[0][:], outer[1][:], outer[1].pop()]
        itself = own.list()
        itself.append(itself)  # a circle does no harm
        del itself
        return [*told, [len(inner) for inner in outer]]


def dicts_in_dict() -> list[Any]:
    own: Any
    with multiprocessing.Manager() as own:
        pets, supplies = own.dict(ferrets=2, hamsters=4), own.dict(water=10, feed=3)
        d = own.dict(pets=pets, supplies=supplies)
        told: list[Any] = [supplies["water"], d["supplies"]["water"]]
        d["supplies"]["blankets"] = 5
        told.append(supplies["blankets"])
        d["supplies"]["water"] = 7
        told.append(supplies["water"])
        del pets, supplies
        told.append(d["pets"]["ferrets"])
        pets, supplies = d["pets"], d["supplies"]
        d.clear()
        told += [len(d), supplies["water"]]
        both = own.list([pets, supplies])
        both[0]["marmots"] = 1
        told.append(pets["marmots"])
        del pets, supplies
        outer = own.list([[88, 99], both])
        return [*told, type(outer[0]).__name__, outer[-1][-1]["feed"]]


def queues_inside() -> list[Any]:
    with multiprocessing.Manager() as own:
        items, d = own.list(), own.dict()
        items.append(own.Queue())
        items[0].put(123)
        d[0] = own.Queue()
        d[0].put(456)
        return [items[0].get(), d[0].get()]


def namespace() -> list[Any]:
    with multiprocessing.Manager() as own:
        n = own.Namespace()
        n.name, n.job, n._hidden = "Bob", "Builder", "hidden"
        told = [n.name, n.job]
        del n.job
        return [*told, str(n), hasattr(n, "name"), hasattr(n, "job")]


def _count(space: Any) -> None:
    space.count += 1


def initialize_manager() -> list[Any]:
    """What a manager says to a number for an initializer, and how often a good one was called."""
    with multiprocessing.Manager() as own:
        space = own.Namespace()
        space.count = 0
        other = SyncManager()
        told: list[Any] = []
        try:
            other.start(1)  # type: ignore[arg-type]
        except TypeError as error:
            told.append(type(error).__name__)
        other.start(_count, (space,))
        other.shutdown()
        return [*told, space.count]
