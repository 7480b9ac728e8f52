"""The three steps of word_count.yaml."""

from collections.abc import Iterable


def pairs(line: str) -> list[tuple[str, int]]:
    """Each word of a line with a 1."""
    return [(word, 1) for word in line.split()]


def together(found: Iterable[Iterable[tuple[str, int]]]) -> list[tuple[str, list[int]]]:
    """Each word once, with all its numbers."""
    groups: dict[str, list[int]] = {}
    for line in found:
        for word, number in line:
            groups.setdefault(word, []).append(number)
    return list(groups.items())


def total(word: str, numbers: list[int]) -> tuple[str, int]:
    """A word and the sum of its numbers."""
    return word, sum(numbers)
