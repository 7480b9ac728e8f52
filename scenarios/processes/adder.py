"""The process of subclass.yaml."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing import Queue


class Adder(multiprocessing.Process):
    """Takes one pair of numbers, gives their sum, and ends."""

    def __init__(self, pairs: Queue[list[int]], sums: Queue[int]) -> None:
        super().__init__()
        self.pairs = pairs
        self.sums = sums

    def run(self) -> None:
        self.sums.put(sum(self.pairs.get()))
