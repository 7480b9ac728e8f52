"""What came of several cases: codes and lines go in, one code and a summary come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mpflow import cli

_WORST = (cli.INTERRUPTED, cli.BUG, cli.USAGE, cli.FAILED, cli.UNKNOWN, cli.PASSED)


class Told(NamedTuple):
    """What came of one case: its exit code, and a line for the summary."""

    code: int
    line: str


def worst(codes: Iterable[int]) -> int:
    """The exit code of all together."""
    found = set(codes)
    return next(code for code in _WORST if code in found)


def lines(told: Sequence[Told], words: Mapping[int, str], what: str, quiet: bool) -> Iterator[str]:
    """The summary of several cases: a line for each, unless they have all been told so already, and
    how many came out how."""
    if len(told) < 2:
        return
    if not quiet:
        yield ""
        yield from (each.line for each in told)
    codes = [each.code for each in told]
    counts = [f"{codes.count(code)} {word}" for code, word in words.items() if code in codes]
    yield f"{len(codes)} {what}: {', '.join(counts)}"
