"""The process of subclassing.yaml."""

from __future__ import annotations

import multiprocessing
from typing import Any


class UpperCaser(multiprocessing.Process):
    """Answers each text with its capitals, until None comes."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection

    def run(self) -> None:
        while (text := self.connection.recv()) is not None:
            self.connection.send(text.upper())
        self.connection.close()
