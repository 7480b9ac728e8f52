"""Python code that acts on what it is handed; called inside of scenarios."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection
from typing import Any


def use_all(lock: Any, event: Any, queue: Any, one: Any, other: Any) -> None:
    """Every kind of call, each on its own line: LINES says what stands in the trace for it."""
    with lock:
        lock.acquire(False)
        lock.acquire(timeout=0.001)
    event.set()
    event.wait(1)
    queue.put(7)
    queue.put_nowait("x")
    queue.get(True, 5)
    queue.get(timeout=5)
    try:
        queue.get_nowait()
    except Exception:
        one.send([1, 2])
    other.poll(None)
    other.recv()
    one.close()


LINES = [
    (15, "acquire", "l", None, True, "ok"),
    (16, "acquire", "l", None, False, "ok"),
    (17, "acquire", "l", None, False, "timeout"),
    (15, "release", "l", None, None, "ok"),
    (18, "set", "e", None, None, "ok"),
    (19, "wait", "e", None, True, "ok"),
    (20, "put", "q", 7, None, "ok"),
    (21, "put", "q", "x", None, "ok"),
    (22, "get", "q", None, 7, "ok"),
    (23, "get", "q", None, "x", "ok"),
    (25, "get", "q", None, None, "error"),
    (27, "send", "c.conn1", [1, 2], None, "ok"),
    (28, "poll", "c.conn2", None, True, "ok"),
    (29, "recv", "c.conn2", None, [1, 2], "ok"),
    (30, "close", "c.conn1", None, None, "ok"),
]


def cross(first: Any, second: Any, mine: Any, other: Any) -> None:
    """Take two locks, the second when the other process has its first."""
    first.acquire()
    mine.set()
    other.wait()
    second.acquire()


def put_then_wait(queue: Any, lock: Any) -> None:
    """Wait with a feeder thread about, for what nobody gives."""
    queue.put(1)
    queue.get()
    lock.acquire()
    lock.acquire()


def die_of_alarm(lock: Any) -> None:
    """Wait for ever, but for a timer that ends the process."""
    lock.acquire()
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    lock.acquire()


def handle_alarm(lock: Any, queue: Any) -> None:
    """A handler that acts while an action of its own thread goes on, and so ends that."""

    def strike(number: int, frame: object) -> None:
        queue.put("struck")
        lock.release()

    lock.acquire()
    signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    lock.acquire()
    queue.get()


def released_by_thread(lock: Any) -> None:
    """Wait for what a thread of the same process does, some time later."""
    lock.acquire()
    timer = threading.Timer(0.7, lock.release)
    timer.start()
    lock.acquire()
    timer.join()


def count_in_threads(lock: Any, times: int) -> None:
    """Two threads take a lock in turns."""

    def work() -> None:
        for _ in range(times):
            with lock:
                pass

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def with_own_process(queue: Any, lock: Any) -> None:
    """Start a process that mpflow does not know of."""
    process = multiprocessing.Process(target=own, args=(queue, lock), name="own")
    process.start()
    process.join()
    assert queue.get() == "own"


def own(queue: Any, lock: Any) -> None:
    with lock:
        queue.put(multiprocessing.current_process().name)


def with_fork(lock: Any) -> None:
    """A bare fork: the child has its parent's name."""
    pid = os.fork()
    if pid == 0:
        with lock:
            pass
        os._exit(0)
    os.waitpid(pid, 0)


def send_an_end(through: Any, end: Any) -> None:
    through.send(end)
    through.recv()  # a sent end is fetched from its sender, who must be there


def receive_an_end(through: Any, kept: Any) -> None:
    end = through.recv()
    through.send(None)
    end.send("through")
    assert connection.wait([kept]) == [kept]
    assert kept.recv() == "through"


class Worker(multiprocessing.Process):
    """A Process subclass that keeps what it is handed in its attributes."""

    def __init__(self, queue: Any, lock: Any = None) -> None:
        super().__init__()
        self.queue = queue
        self.put = queue.put
        self.lock = lock

    def run(self) -> None:
        with self.lock:
            self.put(self.name)


def die_behind_store(value: Any) -> None:
    """Be killed when the store is done and not yet written down as done."""
    from mpflow.engine import tracing

    real, calls = tracing.perf_counter, []

    def now() -> float:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return real()

    tracing.perf_counter = now
    value.value = 7
