"""Starts a process wherever it is imported: what a program must not do."""

import multiprocessing
import sys


def show(number: int) -> None:
    print(number)


multiprocessing.set_start_method(sys.argv[1])
process = multiprocessing.Process(target=show, args=(123,))
process.start()
process.join()
sys.exit(process.exitcode)
