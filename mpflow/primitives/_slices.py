"""A slice as a trace shows it, `start:stop:step`: what only Python code asks for.

A list and an array know slices. A dict does not: there the same text is a key.
"""

from __future__ import annotations


def sliced(at: object) -> object:
    """The slice that a text stands for; anything else itself, and what no list takes for one."""
    ends = at.split(":") if isinstance(at, str) else []
    if len(ends) != 3 or not all(_is_end(each) for each in ends):
        return at
    start, stop, step = (int(each) if each else None for each in ends)
    return at if step == 0 else slice(start, stop, step)


def _is_end(text: str) -> bool:
    return not text or text.removeprefix("-").isdecimal()
