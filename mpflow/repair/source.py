"""A Document goes in; changes of its text come out, by which comments and layout stay as they are.

A change is a stretch of the text and what is to stand there instead. Actions are moved, put in and
taken out as whole lines, or, in YAML's flow style, as items between their commas. Where the text
is written so that this is not safe, the answer is None: whoever asked has nothing to propose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mpflow.document import Document, Path
from mpflow.document.scalars import LINE_END
from mpflow.problems import Span

_DASH = re.compile(r"( *)- +")
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
_BEFORE = re.compile(r"[\[,]\s*\Z")
_COMMA = re.compile(r",\s*\Z")
_AFTER = re.compile(r"\s*([\],])")
_PLAIN = re.compile(r"[A-Za-z_$](?:[A-Za-z0-9_.$()+*/%=<>!\[\], -]*[A-Za-z0-9_)\]])?")
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS = frozenset({"true", "false", "null"})

NEAR = 300  # characters before something in which its comma or bracket has to stand


class Change(NamedTuple):
    """The characters `start` to `end` of a text, and what is to stand there."""

    start: int
    end: int
    new: str


Changes = tuple[Change, ...]


class Item(NamedTuple):
    """An item of a list: in block style its whole lines, else (`indent` is None) what stands
    between the commas."""

    start: int
    end: int
    indent: str | None


def together(*parts: Changes | None) -> Changes | None:
    """All changes; None where one part cannot be made, or two would change the same characters."""
    if any(part is None for part in parts):
        return None
    found = sorted({change for part in parts for change in part or ()})
    for one, other in pairwise(found):
        if other.start < one.end or (one.start, one.end) == (other.start, other.end):
            return None
    return tuple(found)


def applied(text: str, changes: Iterable[Change]) -> str:
    """The text with the changes made."""
    parts, at = [], 0
    for start, end, new in sorted(changes):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its end. (splitlines would split at further characters.)"""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def yaml(data: Any, flow: bool = False) -> str:
    """Data as YAML on one line; `flow`: inside brackets, where commas and brackets need quotes."""
    if isinstance(data, str):
        plain = _PLAIN.fullmatch(data) and data not in _WORDS
        if plain and not (flow and set("[]{},") & set(data)):
            return data
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{key}: {yaml(each, True)}" for key, each in data.items()) + "}"
    if isinstance(data, list | tuple):
        return "[" + ", ".join(yaml(each, True) for each in data) + "]"
    quoted = json.dumps(data, ensure_ascii=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def action(verb: str, arguments: Any, flow: bool) -> str:
    """An action as an item of a list."""
    inside = f"{verb}: {yaml(arguments, flow)}"
    return f"{{{inside}}}" if flow else f"- {inside}"


def _unbraced(text: str) -> str:
    """An action in flow style as it stands in a line of its own."""
    whole = text.startswith("{") and text.endswith("}") and "\n" not in text
    return text[1:-1].strip() if whole else text


class Source:
    """The text of a document, and the changes that can be made to it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.starts = [0, *(match.end() for match in LINE_END.finditer(self.text))]
        self.newline = "\r\n" if "\r\n" in self.text else "\n"

    # Where things stand

    def stretch(self, span: Span) -> tuple[int, int]:
        """A span as the places of its first character and of the one after it."""
        start = self.starts[span.line - 1] + span.column - 1
        return start, self.starts[span.end_line - 1] + span.end_column - 1

    def value(self, path: Path) -> tuple[int, int]:
        """Where the value at a path stands."""
        return self.stretch(self.document.span(path))

    def written(self, path: Path) -> str:
        """The value at a path as it is written."""
        start, end = self.value(path)
        return self.text[start:end]

    def item(self, path: Path) -> Item | None:
        """The list's item at a path."""
        start, end = self.value(path)
        line = self.text.rfind("\n", 0, start) + 1
        dash, rest = _DASH.fullmatch(self.text, line, start), _REST.match(self.text, end)
        if dash:
            return Item(line, rest.end(), dash[1]) if rest else None
        if _BEFORE.search(self.text, max(0, start - NEAR), start) and _AFTER.match(self.text, end):
            return Item(start, end, None)
        return None

    def flow(self, path: Path) -> bool:
        """Whether something stands inside brackets, where commas and brackets need quotes."""
        start, _ = self.value(path)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return bool(set("[{") & set(line))

    # Actions

    def insert(self, path: Path, after: bool, *actions: tuple[str, Any]) -> Changes | None:
        """Actions (a verb and its arguments) before or after the one at a path."""
        item = self.item(path)
        if item is None:
            return None
        if item.indent is None:
            new = [action(verb, arguments, True) for verb, arguments in actions]
            joined = ", ".join(new)
            if after:
                return (Change(item.end, item.end, f", {joined}"),)
            return (Change(item.start, item.start, f"{joined}, "),)
        lines = [f"{item.indent}{action(verb, given, False)}" for verb, given in actions]
        return self._lines(item.end if after else item.start, lines)

    def append(self, path: Path, key: str, *lines: str) -> Changes | None:
        """Lines as further keys of the mapping at a path; `key` is its last one."""
        start, end = self.stretch(self.document.key_span((*path, key)))
        line = self.text.rfind("\n", 0, start) + 1
        _, end = self.value((*path, key))
        rest = _REST.match(self.text, end)
        indent = self.text[line:start]
        if indent.strip() or rest is None:
            return None
        return self._lines(rest.end(), [f"{indent}{each}" for each in lines])

    def delete(self, path: Path) -> Changes | None:
        """Without the action at a path; a list's only one cannot be taken out."""
        item = self.item(path)
        if item is None or self._alone(path):
            return None
        if item.indent is not None:
            return (Change(item.start, item.end, ""),)
        after = re.compile(r"\s*,\s*").match(self.text, item.end)
        if after:
            return (Change(item.start, after.end(), ""),)
        before = _COMMA.search(self.text, max(0, item.start - NEAR), item.start)
        return (Change(before.start(), item.end, ""),) if before else None

    def move(self, path: Path, to: Path, after: bool) -> Changes | None:
        """The action at a path before or after the one at another."""
        item, place = self.item(path), self.item(to)
        if item is None or place is None:
            return None
        if item.indent is None or place.indent is None:
            return self._move_flow(path, item, to, place, after)
        lines = self._shifted(item, item.indent, place.indent)
        gone = self.delete(path)
        if lines is None or gone is None:
            return None
        return together(gone, self._lines(place.end if after else place.start, lines))

    def wrap(
        self, first: Path, last: Path, verb: str, key: str, value: Any, part: str
    ) -> Changes | None:
        """The actions from one to another of the same list inside an action with a block."""
        one, other = self.item(first), self.item(last)
        if one is None or other is None or (one.indent is None) != (other.indent is None):
            return None
        if one.indent is None:
            head = f"{{{verb}: {{{key}: {yaml(value, True)}, {part}: ["
            return Change(one.start, one.start, head), Change(other.end, other.end, "]}}")
        pad = one.indent
        head_lines = [f"{pad}- {verb}:", f"{pad}    {key}: {yaml(value)}", f"{pad}    {part}:"]
        deeper = tuple(
            Change(start, start, " " * 6)
            for start in self.starts
            if one.start <= start < other.end and self._filled(start)
        )
        head = "".join(f"{line}{self.newline}" for line in head_lines)
        return (Change(one.start, one.start, head + " " * 6), *deeper[1:])

    def unwrap(self, path: Path, inner: Path, many: int) -> Changes | None:
        """The actions of a block (`inner` is their list's path) in place of the one around them."""
        item = self.item(path)
        found = [each for at in range(many) if (each := self.item((*inner, at)))]
        flow = {each.indent is None for each in found}
        if item is None or not found or len(found) != many or len(flow) != 1:
            return None
        texts = [self.text[each.start : each.end] for each in found]
        indent = item.indent
        if indent is None:
            return (Change(item.start, item.end, ", ".join(texts)),) if flow == {True} else None
        if flow == {True}:
            lines: list[str] | None = [f"{indent}- {_unbraced(text)}" for text in texts]
        else:
            whole = Item(found[0].start, found[-1].end, found[0].indent)
            lines = self._shifted(whole, found[0].indent or "", indent)
        if lines is None:
            return None
        (change,) = self._lines(item.start, lines)
        return (Change(item.start, item.end, change.new),)

    # Parts of actions

    def replace(self, path: Path, data: Any) -> Changes | None:
        """Another value at a path; a scalar on one line only."""
        start, end = self.value(path)
        old = self.text[start:end]
        if start == end or "\n" in old or old[0] in "&*!|>[{":
            return None
        return (Change(start, end, yaml(data, self.flow(path))),)

    def rename(self, path: Path, new: str) -> Changes | None:
        """Another key at a path, or for a bare word another word."""
        start, end = self.stretch(self.document.key_span(path))
        old = self.text[start:end]
        return (Change(start, end, new),) if old.isidentifier() else None

    def drop(self, path: Path) -> Changes | None:
        """Without the key at a path and its value."""
        start, _ = self.stretch(self.document.key_span(path))
        _, end = self.value(path)
        line = self.text.rfind("\n", 0, start) + 1
        rest = _REST.match(self.text, end)
        if not self.text[line:start].strip() and rest:
            return (Change(line, rest.end(), ""),)
        after = re.compile(r",[ ]*").match(self.text, end)
        if after:
            return (Change(start, after.end(), ""),)
        before = _COMMA.search(self.text, max(0, start - NEAR), start)
        return (Change(before.start(), end, ""),) if before else None

    def declare(self, name: str, data: Any) -> Changes | None:
        """One primitive more."""
        known = self.document.data.get("primitives")
        if not known:
            start, _ = self.stretch(self.document.key_span(("processes",)))
            if known is not None or (start and self.text[start - 1] != "\n"):
                return None
            return self._lines(start, ["primitives:", f"  {name}: {yaml(data)}"])
        start, _ = self.value(("primitives",))
        if self.text[start] == "{":
            return (Change(start + 1, start + 1, f"{name}: {yaml(data, True)}, "),)
        return self.append(("primitives",), list(known)[-1], f"{name}: {yaml(data)}")

    # Lines

    def _lines(self, at: int, lines: Sequence[str]) -> Changes:
        if at and self.text[at - 1] != "\n":  # the end of a file whose last line has no end
            return (Change(at, at, "".join(f"{self.newline}{line}" for line in lines)),)
        return (Change(at, at, "".join(f"{line}{self.newline}" for line in lines)),)

    def _shifted(self, item: Item, old: str, new: str) -> list[str] | None:
        """An item's lines at another indentation."""
        lines = lines_of(self.text[item.start : item.end])
        if any(line.strip() and not line.startswith(old) for line in lines):
            return None
        bare = (line.rstrip("\r\n") for line in lines)
        return [f"{new}{line[len(old) :]}" if line.strip() else line for line in bare]

    def _filled(self, start: int) -> bool:
        return self.text[start : start + 1] not in ("", "\r", "\n")

    def _alone(self, path: Path) -> bool:
        data: Any = self.document.data
        for part in path[:-1]:
            data = data[part]
        return len(data) == 1

    def _move_flow(
        self, path: Path, item: Item, to: Path, place: Item, after: bool
    ) -> Changes | None:
        """A move where one of the two places is in flow style: never out of lines into brackets."""
        gone, text = self.delete(path), self.text[item.start : item.end]
        if gone is None or item.indent is not None:
            return None
        if place.indent is not None:
            line = f"{place.indent}- {_unbraced(text)}"
            new = self._lines(place.end if after else place.start, [line])
        elif after:
            new = (Change(place.end, place.end, f", {text}"),)
        else:
            new = (Change(place.start, place.start, f"{text}, "),)
        return together(gone, new)
