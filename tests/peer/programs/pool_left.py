"""Ends while a global object holds a pool that nobody has closed."""

import multiprocessing


class Holder:
    def __init__(self) -> None:
        self.pool = multiprocessing.Pool(processes=1)


holder: Holder | None = None


def work() -> None:
    global holder
    holder = Holder()
    holder.pool.map(float, range(10))


if __name__ == "__main__":
    work()
