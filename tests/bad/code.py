"""What the files about Python code name, and misspell."""

import os


def run() -> None:
    os.getpid()


class Clock:
    def tick(self) -> None:
        pass
