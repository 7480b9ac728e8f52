"""Contexts and processes of each start method."""

from __future__ import annotations

import multiprocessing
from typing import Any


def _tell_method(connection: Any) -> None:
    connection.send(multiprocessing.get_start_method())


def _childs_method(context: Any) -> str:
    """What a process that the context starts says its start method is."""
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_tell_method, args=(writer,))
    process.start()
    writer.close()
    told: str = reader.recv()
    process.join()
    reader.close()
    return told


def look_at_context(method: str) -> list[Any]:
    context = multiprocessing.get_context(method)
    refused = []
    for other in ("spawn", None):
        try:
            context.set_start_method(other)
        except ValueError as error:
            refused.append(type(error).__name__)
    same = context.get_context() is context
    return [context.get_start_method(), same, refused, _childs_method(context)]


def set_and_look(method: str) -> list[str]:
    """Set the start method for a while and tell what then shows it."""
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        context: Any = multiprocessing.get_context()
        names = [type(context).__name__, context.Process.__name__]
        told = [multiprocessing.get_start_method(), context.get_start_method()]
        told += [name[: len(method)].lower() for name in names]
        return [*told, _childs_method(multiprocessing)]
    finally:
        multiprocessing.set_start_method(before, force=True)


def _close(queue: Any) -> None:
    queue.close()
    queue.join_thread()


def mix(made_for: Any, method: Any) -> Any:
    """Hand a queue of one method to a process of another: its exit code, or why it cannot start."""
    queue = multiprocessing.get_context(made_for).Queue()
    process = multiprocessing.get_context(method).Process(target=_close, args=(queue,))
    try:
        process.start()
    except RuntimeError as error:
        return str(error)
    process.join()
    return process.exitcode
