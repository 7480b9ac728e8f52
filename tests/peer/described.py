"""What processes tell of themselves, for the scenarios about Process objects."""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import pathlib
import sys
import threading
import time
from typing import Any


def current() -> dict[str, Any]:
    """What the current process says of itself."""
    process = multiprocessing.current_process()
    return {
        "alive": process.is_alive(),
        "daemon": process.daemon,
        "exitcode": process.exitcode,
        "key": bytes(process.authkey),
        "pid": process.ident,
        "pid_of_the_system": os.getpid(),
    }


def put_back(queue: Any, value: Any) -> None:
    queue.put(value)


def tell(queue: Any, *args: Any, **kwargs: Any) -> None:
    """What this process was given, and who it is."""
    process = multiprocessing.current_process()
    queue.put([args, kwargs])
    queue.put([process.name, process.pid, process.daemon])


def leave_threads(event: Any) -> None:
    """End while two threads go on: one sets the event, the other, a daemon, clears it too late."""

    def sets() -> None:
        time.sleep(0.1)
        event.set()

    def clears() -> None:
        time.sleep(20)
        event.clear()

    threading.Thread(target=sets).start()
    threading.Thread(target=clears, daemon=True).start()


def has_parent() -> bool:
    return multiprocessing.parent_process() is not None


def send_parent(connection: Any) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.send([parent.pid, parent.name])


def parent_lives() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


def join_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join(30)


def thread_number() -> int:
    number = threading.main_thread().native_id
    assert number is not None
    return number


def use_executable(kind: int) -> None:
    """Name the interpreter for children: as a text, as bytes, as a path."""
    path = sys.executable
    multiprocessing.set_executable([path, path.encode(), pathlib.Path(path)][kind])  # type: ignore[arg-type]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def open_high() -> int:
    """A file under a number that no new process would use by itself."""
    return fcntl.fcntl(os.open("/dev/null", os.O_RDONLY), fcntl.F_DUPFD, 200)


def is_open(number: int) -> bool:
    return os.path.exists(f"/proc/self/fd/{number}")


def log_level() -> int:
    return multiprocessing.get_logger().getEffectiveLevel()


def set_log_levels(own: int, root: int) -> None:
    multiprocessing.get_logger().setLevel(own)
    logging.getLogger().setLevel(root)
