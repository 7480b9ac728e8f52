"""What is noticed while a file is understood: a code, words and a path go in, Problems come out.

What is said of a word that was lost with a faulty piece of the file is dropped: the fault of
that piece is told already, and what it would have declared is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mpflow import expressions
from mpflow.document import Document, Path
from mpflow.problems import Problem, Span
from mpflow.scenario.names import Complaint

MAX_PROBLEMS = 500  # of one stage: who has more of them repairs these first


# What is said of a name that is declared: dropped only if that very declaration was faulty.
_OF_A_DECLARATION = frozenset(
    [
        "wrong-primitive",
        "needs-index",
        "not-replicated",
        "index-out-of-range",
        "needs-end",
        "wrong-end",
        "unknown-end",
        "unknown-attribute",
        "not-a-process",
        "not-a-primitive",
        "starts-itself",
        "daemon-parent",
    ]
)


class Enough(Exception):  # noqa: N818 - not an error
    """So many problems were found that no more are looked for."""


class Findings:
    """The Problems of one document so far; `lost` are the words that nothing is said of.

    `report` raises Enough at the limit if the search may be `cut` short.
    """

    def __init__(
        self, document: Document, lost: frozenset[str] = frozenset(), cut: bool = False
    ) -> None:
        self.document = document
        self.lost = lost
        self.cut = cut
        self.problems: list[Problem] = []

    def report(
        self,
        code: str,
        message: str,
        place: Path | Span,
        hint: str = "",
        *,
        key: bool = False,
        about: str = "",
    ) -> None:
        """Note a Problem; `about` is the word that the file would have to know."""
        about = f".{about}" if code in _OF_A_DECLARATION else about
        if about not in self.lost:
            self.problems.append(self.document.problem(code, message, place, hint, key=key))
            if self.cut and len(self.problems) >= MAX_PROBLEMS:
                raise Enough

    def complain(self, complaint: Complaint, path: Path, key: bool = False) -> None:
        """Note what is wrong with a name."""
        about = complaint.about
        self.report(complaint.code, complaint.message, path, complaint.hint, key=key, about=about)

    def place_of(self, name: str, path: Path, condition: bool = False) -> Span:
        """Where a name is used in the texts at a path."""
        for leaf, place, key in leaves(self._data(path), path):
            found = _use(name, leaf, condition)
            if found is not None:
                if key:
                    return self.document.key_span(place)
                return self.document.within(place, *found)
        return self.document.span(path)

    @staticmethod
    def filled(text: str) -> bool:
        """Whether a text has something in it that would be filled in."""
        try:
            return "$(" in text or ("$" in text and bool(expressions.template(text).names))
        except expressions.ExpressionError:
            return True

    def _data(self, path: Path) -> Any:
        data = self.document.data
        for part in path:
            try:
                data = data[part]
            except (KeyError, IndexError, TypeError):
                return None
        return data


def _use(name: str, text: str, condition: bool) -> tuple[int, int] | None:
    """Where a name stands in a condition, or in a template that uses it."""
    before = r"(?<=\.)" if name.startswith(".") else r"(?<![\w.'\"$])"
    name = name.removeprefix(".")
    word = rf"{before}{re.escape(name)}\b"
    if condition:
        found = re.search(word, text)
        return found.span() if found else None
    try:
        if name not in expressions.template(text).names:
            return None
    except expressions.ExpressionError:
        return None
    found = re.search(rf"\${re.escape(name)}\b", text)
    if found is None:
        found = re.compile(word).search(text, text.find("$("))
    return found.span() if found else None


def leaves(data: Any, path: Path) -> Iterator[tuple[str, Path, bool]]:
    """Every text in some data, with its path, and whether it is a key."""
    if isinstance(data, str):
        yield data, path, False
    elif isinstance(data, dict):
        for key, each in data.items():
            if isinstance(key, str):
                yield key, (*path, key), True
            yield from leaves(each, (*path, key))
    elif isinstance(data, list):
        for i, each in enumerate(data):
            yield from leaves(each, (*path, i))
