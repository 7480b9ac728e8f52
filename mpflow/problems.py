"""What is wrong with a scenario file, as a value: Problem, and the text that shows it to a person.

In: a code in words, a place, what was found. Out: lines like a compiler's, or a JSON object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_MOST_COMPARED = 200  # names that a word is compared with
_WIDEST = 100  # characters of a source line that are shown


class Span(NamedTuple):
    """A stretch of a file: lines and columns count from 1, the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(NamedTuple):
    """One fault of a file.

    `code` is stable and in words (`unknown-primitive`); `path` names the file as the user did;
    `span` is None where the fault has no place (a missing file); `source` is the line's text.
    """

    code: str
    message: str
    path: str
    span: Span | None = None
    hint: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, or the file alone."""
        if self.span is None:
            return self.path
        return f"{self.path}:{self.span.line}:{self.span.column}"

    def as_json(self) -> dict[str, object]:
        """The problem as plain data, for `--format json`."""
        span = self.span
        return {
            "code": self.code,
            "message": self.message,
            "path": self.path,
            "line": span.line if span else None,
            "column": span.column if span else None,
            "end_line": span.end_line if span else None,
            "end_column": span.end_column if span else None,
            "hint": self.hint or None,
        }

    def render(self) -> str:
        """Several lines: the code and message, the place, the source line, a caret, the hint."""
        head = f"error[{self.code}]: {self.message}"
        if self.span is None:
            tail = [f"  help: {self.hint}"] if self.hint else []
            return "\n".join([head, f"  --> {self.path}", *tail])
        number = str(self.span.line)
        gutter = " " * len(number)
        shown, start, width = _window(self.source, self.span)
        caret = " " * start + "^" * width
        return "\n".join(
            [
                head,
                f"{gutter} --> {self.place}",
                f"{gutter} |",
                f"{number} | {shown}",
                f"{gutter} | {caret}" + (f" {self.hint}" if self.hint else ""),
            ]
        )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without repetitions, sorted by file and place."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.path, p.span or Span(0, 0, 0, 0), p.code))


def near(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, or None when none is near."""
    from difflib import get_close_matches

    word, candidates = word[:60], list(known)  # of a long word, the search takes seconds
    if len(candidates) > _MOST_COMPARED:  # and among thousands, minutes
        candidates = [each for each in candidates if each[:2] == word[:2]][:_MOST_COMPARED]
    found = get_close_matches(word, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {name.lower(): name for name in candidates}
    return folded.get(word.lower())


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint for a name that is not known: the near one, or the list of those there are."""
    names: Sequence[str] = sorted(set(known))
    close = near(word, names)
    if close is not None:
        return f"did you mean `{close}`?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known: {shown}"


def _window(source: str, span: Span) -> tuple[str, int, int]:
    """The part of a source line worth showing, and in columns of a terminal: where the caret
    starts below it, and its width."""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(source)
    end = max(min(end, len(source)), start + 1)
    cut = max(0, start - 40) if len(source) > _WIDEST else 0
    more = len(source) > cut + _WIDEST
    line = source[cut : cut + _WIDEST].replace("\t", " ")
    shown = "…" * bool(cut) + line + "…" * more
    lead = line[: start - cut]
    return shown, bool(cut) + _columns(lead), max(1, _columns(line[start - cut : end - cut]))


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese character or an emoji takes two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
