"""Makes a semaphore at the top of the module, in the parent and again in its spawned child."""

import multiprocessing

context = multiprocessing.get_context("spawn")
semaphore = context.Semaphore()


def nothing() -> None:
    pass


if __name__ == "__main__":
    process = context.Process(target=nothing)
    process.start()
    process.join()
