"""The clock of clock_class.yaml: a process written as a class."""

import multiprocessing
import time


class ClockProcess(multiprocessing.Process):
    def __init__(self, interval: float) -> None:
        multiprocessing.Process.__init__(self)
        self.interval = interval

    def run(self) -> None:
        n = 5
        while n > 0:
            print(f"the time is {time.ctime()}")
            time.sleep(self.interval)
            n -= 1
