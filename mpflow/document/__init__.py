"""In: a YAML file's name or text. Out: a Document: plain data, and the place of every path in it.

Or Problems: whatever the file holds, nothing is raised. Duplicate keys and tags are refused,
aliases and `<<` are followed, and sizes and depth have limits.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from typing import Any

from mpflow.document.composer import Edge, Node, compose
from mpflow.document.faults import Fault, forbidden_character, printable, undecodable
from mpflow.document.scalars import LINE_END, stretch
from mpflow.problems import Problem, Span, in_order

__all__ = ["MAX_BYTES", "Document", "Path", "parse", "read"]

Path = tuple[object, ...]  # keys and list indexes from the root

MAX_BYTES = 1 << 20


class Document:
    """A YAML file that was read: `path` as the user named it, its `text`, and its plain `data`.

    `data` consists of dict, list, str, int, float, bool and None. Aliases share objects: do
    not change it. A path is a tuple of keys and list indexes from the root.
    """

    __slots__ = ("_lines", "_root", "_starts", "data", "path", "text")

    def __init__(self, path: str, text: str, root: Edge | None = None) -> None:
        """A document of a composed tree; `parse` and `read` make them."""
        self.path = path
        self.text = text
        self._root = root or Edge(0, 0, 0, 0, Node(None, 0, 0))
        self.data: Any = self._root.node.data
        self._starts = [0, *(match.end() for match in LINE_END.finditer(text))]
        self._lines: dict[int, str] = {}  # so that many problems share one long line

    @property
    def sha256(self) -> str:
        """The hex digest of the text's UTF-8 bytes."""
        from hashlib import sha256

        return sha256(self.text.encode()).hexdigest()

    def span(self, path: Path) -> Span:
        """Where the value at `path` stands, or else its nearest parent that exists."""
        edge, _ = self._find(path)
        return self._span(edge.start, edge.end)

    def key_span(self, path: Path) -> Span:
        """Where the key that leads to `path` stands (for a list's item: the item).

        If there is no such path: where its nearest parent's value stands, as in `span`.
        """
        edge, found = self._find(path)
        return self._span(edge.key_start, edge.key_end) if found else self.span(path)

    def within(self, path: Path, start: int, end: int) -> Span:
        """Where the characters `start` to `end` of the string at `path` stand.

        Exact for a scalar on one line; in a longer one the same words are searched for, and if
        they are not found it is the whole scalar. Through an alias: where the text is written.
        """
        edge, found = self._find(path)
        node = edge.node
        if not found or not isinstance(node.data, str):
            return self.span(path)
        written = self.text[node.start : node.end]
        low, high = stretch(written, node.data, max(0, start), max(0, end))
        return self._span(node.start + low, node.start + high)

    def problem(
        self, code: str, message: str, path_or_span: Path | Span, hint: str = "", key: bool = False
    ) -> Problem:
        """A Problem at a span, or at the value at a path, or (`key`) at the key of that path."""
        if isinstance(path_or_span, Span):
            span = path_or_span
        else:
            span = self.key_span(path_or_span) if key else self.span(path_or_span)
        return Problem(code, message, _shown(self.path), span, hint, self._line(span.line))

    def _find(self, path: Path) -> tuple[Edge, bool]:
        """The edge to `path`, or to its nearest parent and False."""
        edge = self._root
        for part in path:
            children = edge.node.children
            if isinstance(children, list):
                inside = isinstance(part, int) and 0 <= part < len(children)
            else:
                inside = children is not None and part in children
            if not inside:
                return edge, False
            edge = children[part]
        return edge, True

    def _span(self, start: int, end: int) -> Span:
        line, end_line = bisect_right(self._starts, start), bisect_right(self._starts, end)
        column = start - self._starts[line - 1] + 1
        return Span(line, column, end_line, end - self._starts[end_line - 1] + 1)

    def _line(self, number: int) -> str:
        if number not in self._lines:
            begin, end = [*self._starts[number - 1 : number + 1], len(self.text)][:2]
            self._lines[number] = self.text[begin:end].rstrip("\r\n")
        return self._lines[number]

    def _problem_of(self, fault: Fault) -> Problem:
        span = self._span(fault.start, fault.end)
        return self.problem(fault.code, fault.message, span, fault.hint)


def read(name: str) -> tuple[Document | None, list[Problem]]:
    """The document of the file `name` (`-` is standard input), and what is wrong with it.

    Never raises for a bad file; see `parse` for what comes out.
    """
    try:  # one byte more than the limit at most: /dev/zero ends too
        if name != "-":
            with open(name, "rb") as file:
                raw = file.read(MAX_BYTES + 1)
        elif sys.stdin is not None:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            raise OSError("standard input is closed")
    except FileNotFoundError:
        return None, [Problem("no-such-file", "there is no such file", _shown(name))]
    except IsADirectoryError:
        return None, [Problem("is-a-folder", "this is a folder, not a file", _shown(name))]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name, a closed stdin
        reason = getattr(error, "strerror", None) or str(error)
        return None, [Problem("cannot-read", f"cannot read it: {reason}", _shown(name))]
    return parse(raw, name)


def parse(text: str | bytes, name: str = "<string>") -> tuple[Document | None, list[Problem]]:
    """The document that `text` holds, and all that is wrong with it, in the order of the file.

    None where the text could not be read to its end. A document beside problems (a duplicate
    key, an unknown tag, …) is whole but for the faults named: more faults can be looked for.
    """
    # Characters first: they are never more than the bytes, and counting them costs nothing.
    if len(text) > MAX_BYTES or (
        isinstance(text, str) and len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES
    ):
        return None, [Problem("too-large", "the file is larger than 1 MiB", _shown(name))]
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            shown, fault = undecodable(error)
            return None, [Document(name, shown)._problem_of(fault)]
    text = text.lstrip("\ufeff")
    if bad := forbidden_character(text):
        return None, [Document(name, printable(text))._problem_of(bad)]
    root, faults = compose(text)
    document = Document(name, text, root)
    problems = in_order(document._problem_of(fault) for fault in faults)
    return (None if root is None else document), problems


def _shown(name: str) -> str:
    """A file's name for a problem; one that is not UTF-8 would crash printing."""
    return "<stdin>" if name == "-" else name.encode("utf-8", "backslashreplace").decode()
