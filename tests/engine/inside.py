"""What a process can see of itself; called by hand and inside of scenarios, and compared."""

from __future__ import annotations

import os
import signal
import sys
import threading

HEAVY = ("yaml", "jsonschema", "rich", "argparse", "ast", "dataclasses")


def look() -> dict[str, object]:
    """Descriptors besides records, signal handlers that are not the default, threads, modules."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue  # the descriptor of the listing itself
    kinds = sorted(link.partition(":")[0] for link in links if not _is_record(link))
    handlers = {int(s): str(signal.getsignal(s)) for s in signal.valid_signals()}
    usual = ("Handlers.SIG_DFL", "0", "None")
    return {
        "pipes and sockets": [kind for kind in kinds if kind in ("pipe", "socket", "anon_inode")],
        "records": sorted(
            {os.path.basename(link).split(".")[0] for link in links if _is_record(link)}
        ),
        "handlers": {s: h for s, h in handlers.items() if h not in usual},
        "threads": threading.active_count(),
        "heavy modules": [name for name in HEAVY if name in sys.modules],
        "name": __import__("multiprocessing").current_process().name,
    }


def _is_record(link: str) -> bool:
    return link.endswith((".events", ".values"))


def by_hand(method: str) -> None:
    """A program by hand: one child that looks at itself and prints what it saw."""
    import multiprocessing

    multiprocessing.set_start_method(method)
    process = multiprocessing.Process(target=_show, name="w")
    process.start()
    process.join()


def _show() -> None:
    import json

    print(json.dumps(look()), flush=True)


def alarm(seconds: float) -> None:
    """Have a TimeoutError raised in this process after some seconds, whatever it waits for."""

    def strike(number: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def use(lock: object, queue: object, value: object) -> None:
    """Use primitives that a call was handed."""
    with lock:  # type: ignore[attr-defined]
        queue.put(value)  # type: ignore[attr-defined]


class Slow:
    """Takes a second to be pickled: in a queue, that is the feeder thread's second."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        import time

        time.sleep(1)
        return (int, (7,))
