"""Compares this interpreter's flags with those of a process of its own."""

import multiprocessing
import sys
from typing import Any


def tell(connection: Any) -> None:
    connection.send(tuple(sys.flags))


if __name__ == "__main__":
    reader, writer = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=tell, args=(writer,))
    process.start()
    print("optimize", sys.flags.optimize, "same", reader.recv() == tuple(sys.flags))
    process.join()
