"""What the scenarios about pools and queues call and hand about."""

from __future__ import annotations

import builtins
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any


class Unpicklable:
    """An object that cannot be pickled."""

    def __reduce__(self) -> Any:
        raise RuntimeError("cannot be pickled")


class SayWhenError(ValueError):
    """What the generator below ends by."""


def square(x: int, wait: float = 0.0) -> int:
    time.sleep(wait)
    return x * x


def square_and_pid(x: int) -> tuple[int, int]:
    return x * x, os.getpid()


def product(x: int, y: int) -> int:
    return x * y


def fail(kind: str, message: str) -> None:
    """Raise a built-in exception, by its name."""
    raise getattr(builtins, kind)(message)


def fail_big(wait: float) -> None:
    """Raise an exception that holds more than a pipe does."""
    time.sleep(wait)
    raise ValueError("x" * 200_000)


def cause(promise: Any) -> list[str]:
    """What the exception of a task was caused by: its type, its text."""
    try:
        promise.get()
    except Exception as error:
        return [type(error.__cause__).__name__, str(error.__cause__)]
    return []


def called_back(pool: Any, over: list[str]) -> list[list[str]]:
    """What was handed to the callbacks of a map."""
    told: list[list[str]] = []
    promise = pool.map_async(
        int,
        over,
        callback=lambda it: told.append(["result", type(it).__name__, str(it)]),
        error_callback=lambda it: told.append(["error", type(it).__name__, str(it)]),
    )
    promise.wait(60)
    return told


def _numbers(total: int, when: int) -> Iterator[int]:
    if when == -1:
        raise SayWhenError
    for i in range(total):
        if i == when:
            raise SayWhenError
        yield i


def read(pool: Any, way: str, how: Sequence[int]) -> list[Any]:
    """The results that come before the numbers' exception, and its name."""
    total, when, chunksize = how
    got: list[Any] = []
    try:
        for each in getattr(pool, way)(square, _numbers(total, when), chunksize):
            got.append(each)
    except SayWhenError as error:
        got.append(type(error).__name__)
    return got


def enter(pool: Any) -> None:
    with pool:
        pass


def make_pool(workers: Any, most: Any) -> None:
    """Make a pool and end it, if it can be made."""
    pool = multiprocessing.Pool(workers, maxtasksperchild=most)
    pool.terminate()
    pool.join()


def use_pool(answer: Any) -> None:
    with multiprocessing.Pool(2) as pool:
        squares = pool.map(square, range(1, 8))
        pool.close()
        pool.join()
    answer.put(squares)


def _count(value: Any) -> None:
    with value.get_lock():
        value.value += 1


def initialize_pool() -> list[Any]:
    """What a pool says to a number for an initializer, and how often a good one was called."""
    value = multiprocessing.Value("i", 0)
    told: list[Any] = []
    try:
        multiprocessing.Pool(1, initializer=1)  # type: ignore[arg-type]
    except TypeError as error:
        told.append(type(error).__name__)
    pool = multiprocessing.Pool(1, _count, (value,))
    pool.close()
    pool.join()
    return [*told, value.value]
