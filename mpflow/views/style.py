"""Text for a terminal: a text goes in; it comes out printable, in a colour, as wide as asked."""

from __future__ import annotations

import os
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1", "cyan": "36"}


class Style:
    """Paints, or leaves as it is."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\033[{';'.join(_CODES[name] for name in names)}m{text}\033[0m"


def wanted(choice: str, stream: TextIO) -> bool:
    """Whether to colour: `always`, `never`, or `auto`: on a terminal. For `auto`, NO_COLOR says
    no, and after it FORCE_COLOR yes."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int | None:
    """How many columns there are to write in; None where it is no terminal: no limit then."""
    if not stream.isatty():
        return None
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def printable(text: str) -> str:
    """A text on one line, without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS else repr(c)[1:-1] for c in text)


_JOINERS = "\u200c\u200d"  # they make one sign of several, as in some emoji and scripts


def width(text: str) -> int:
    """How many columns a text takes: East Asian wide characters and emoji take two."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(c) in ("Mn", "Me", "Cf") else 2 if east_asian_width(c) in "WF" else 1
        for c in text
    )


def fit(text: str, columns: int) -> str:
    """A text in exactly so many columns: cut with an ellipsis, or filled with spaces."""
    if width(text) > columns:
        kept, taken = "", 0
        for character in text:
            taken += width(character)
            if taken > columns - 1:
                break
            kept += character
        text = kept + "…"
    return text + " " * (columns - width(text))
