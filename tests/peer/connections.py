"""What is done with connections beyond the language's own words."""

from __future__ import annotations

import array
import multiprocessing
from collections.abc import Sequence
from typing import Any

LETTERS = b"abcdefghijklmnopqrstuvwxyz"


def echo(connection: Any) -> None:
    """Send back each message until an empty one comes."""
    while message := connection.recv_bytes():
        connection.send_bytes(message)
    connection.close()


def big() -> bytes:
    """More than a pipe can hold."""
    return b"X" * 500_000


def into_buffer(connection: Any, at: int) -> list[int]:
    """Send four numbers round and receive them into a buffer for ten, from one place on."""
    buffer = array.array("i", [0] * 10)
    connection.send_bytes(array.array("i", range(4)))
    length = connection.recv_bytes_into(buffer, at * buffer.itemsize)
    return [length, *buffer]


def into_small_buffer(connection: Any) -> Any:
    connection.send_bytes(b"hello world" * 10)
    try:
        connection.recv_bytes_into(bytearray(40))
    except multiprocessing.BufferTooShort as error:
        return error.args[0]
    return None


def send_part(connection: Any, part: Sequence[int]) -> None:
    connection.send_bytes(LETTERS, *part)


def used_inside_with(one: Any, other: Any) -> list[Any]:
    with one, other:
        one.send(1729)
        told = [other.recv(), one.closed, other.closed]
    return [*told, one.closed, other.closed]
