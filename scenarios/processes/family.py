"""What relatives.yaml asks for. os.getppid would name the fork server where there is one."""

import multiprocessing


def parent() -> int | None:
    """The number of the process that started this one."""
    process = multiprocessing.parent_process()
    return None if process is None else process.pid
