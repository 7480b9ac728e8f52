"""In: the text of one YAML file. Out: a tree of nodes, each with its data and place; the Faults.

The parser's events are read one by one with a stack of our own: libyaml's composer recurses and
dies of deep nesting, and an alias bomb, once expanded, costs its readers minutes.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from mpflow.document import scalars
from mpflow.document.faults import (
    MAX_DEPTH,
    Fault,
    line_number,
    quote,
    shortened,
    syntax,
    too_deep,
)
from mpflow.problems import suggestion

MAX_NODES = 200_000
MAX_FAULTS = 100
MAX_DIRECTIVES = 100  # libyaml compares each with all before it: 60,000 cost 14 seconds

_DIRECTIVE = re.compile(r"(?:^|[\r\n])%")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CORE = "tag:yaml.org,2002:"
_MERGE = object()  # stands for the key `<<`, which a quoted "<<" is not


class Node:
    """A value: its data, where it stands (offsets), and its children if it is a collection."""

    __slots__ = ("children", "data", "end", "height", "size", "start")

    def __init__(self, data: Any, start: int, end: int, children: Any = None) -> None:
        self.data = data
        self.start = start
        self.end = end  # -1 while the collection is open
        self.children = children  # list[Edge], or dict[key, Edge], or None
        self.size = 1  # with aliases expanded
        self.height = 0 if children is None else 1

    def put(self, name: object, edge: Edge) -> None:
        """Add a child of a mapping, or replace it."""
        self.data[name] = edge.node.data
        self.children[name] = edge
        self.height = max(self.height, edge.node.height + 1)

    def append(self, edge: Edge) -> None:
        """Add a child of a list."""
        self.data.append(edge.node.data)
        self.children.append(edge)
        self.height = max(self.height, edge.node.height + 1)


class Edge(NamedTuple):
    """The way from a collection to a value; an alias has a place of its own, not the node's."""

    key_start: int
    key_end: int
    start: int
    end: int
    node: Node


def compose(text: str) -> tuple[Edge | None, list[Fault]]:
    """The way to the root, and the faults; None where the text could not be read to its end."""
    import yaml  # here, for it costs 40 ms

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer(text)
    try:
        if len(_DIRECTIVE.findall(text)) > MAX_DIRECTIVES:
            composer.fail("yaml-syntax", "too many lines of the file start with `%`", 0, 1)
        take = {
            yaml.ScalarEvent: composer.scalar,
            yaml.MappingStartEvent: composer.open,
            yaml.SequenceStartEvent: composer.open,
            yaml.MappingEndEvent: composer.close,
            yaml.SequenceEndEvent: composer.close,
            yaml.AliasEvent: composer.alias,
            yaml.DocumentStartEvent: composer.document,
        }
        event: Any
        for event in yaml.parse(text, Loader=loader):
            if kind := take.get(type(event)):
                kind(event, event.start_mark.index, event.end_mark.index)
    except _UnreadableError:
        return None, composer.faults
    except (yaml.YAMLError, ValueError) as error:  # ValueError: from SafeLoader's chr() and int()
        return None, [*composer.faults, syntax(text, error)]
    root = composer.root
    if root is None or (root.data is None and root.start == root.end):
        return None, [Fault("empty-file", "the file is empty", 0, 0)]
    return Edge(root.start, root.end, root.start, root.end, root), composer.faults


class _UnreadableError(Exception):
    """The rest of the file is not read; what is wrong has been reported."""


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("end", "key", "node", "own")

    def __init__(self, node: Node, end: int) -> None:
        self.node = node
        self.end = end  # of the last child; the end event of a block comes after the comments
        self.key: Edge | None = None  # a key that waits for its value
        self.own: dict[object, int] = {}  # keys written here, not merged in: their offsets


class _Composer:
    """Takes the events of one file; makes its tree and the list of its faults."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.root: Node | None = None
        self.anchors: dict[str, Node] = {}
        self.stack: list[_Open] = []

    def report(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        self.faults.append(Fault(code, message, start, end, hint))
        if len(self.faults) >= MAX_FAULTS:
            raise _UnreadableError

    def fail(self, code: str, message: str, start: int, end: int) -> None:
        self.report(code, message, start, end)
        raise _UnreadableError

    # ---- events

    def document(self, event: Any, start: int, end: int) -> None:
        if self.root is not None:
            message = "a second document starts here; one file holds one"
            self.fail("several-documents", message, start, end)

    def scalar(self, event: Any, start: int, end: int) -> None:
        if event.style in ("|", ">"):  # its event ends where the next line with text starts
            end = start + len(self.text[start:end].rstrip())
        elif event.style == '"' and _SURROGATE.search(event.value):  # libyaml refuses it
            self.fail("yaml-syntax", "an escape here names no character", start, end)
        node = Node(self.resolve(event, start, end), start, end)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.place(node, start, end)

    def alias(self, event: Any, start: int, end: int) -> None:
        name = event.anchor
        node = self.anchors.get(name)
        if node is None:
            # Not all of them: to look for the near ones among thousands takes minutes.
            known = [anchor for anchor in [*self.anchors][-50:] if len(anchor) <= 60]
            hint = suggestion(name[:60], known) or "quote it if it is a text"
            message = f"no anchor `&{shortened(name)}` stands above"
            self.report("unknown-anchor", message, start, end, hint)
        elif node.end < 0:
            message = f"`*{shortened(name)}` stands inside what it refers to"
            self.report("recursive-alias", message, start, end)
        else:
            self.check_depth(len(self.stack) + node.height, start, end)
        if node is None or node.end < 0:
            node = Node(None, start, end, {})  # `<<` takes it too: the fault is named once
        self.place(node, start, end)

    def open(self, event: Any, start: int, end: int) -> None:
        self.check_depth(len(self.stack) + 1, start, end)
        is_map = type(event).__name__ == "MappingStartEvent"
        if event.tag is not None:
            self.tag(event.tag, start, end, ("map" if is_map else "seq",))
        node = Node({}, start, -1, {}) if is_map else Node([], start, -1, [])
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.stack.append(_Open(node, end))

    def close(self, event: Any, start: int, end: int) -> None:
        top = self.stack.pop()  # a bracket has a width, the end of a block has none
        top.node.end = end if end > start else top.end
        self.place(top.node, top.node.start, top.node.end)

    # ---- values and tags

    def resolve(self, event: Any, start: int, end: int) -> Any:
        """The data of a scalar: by its tag or, if it is plain, by how it looks."""
        text: str = event.value
        tag = None
        if event.tag is not None:
            tag = self.tag(event.tag, start, end, scalars.TAGS)
        if tag is None and (event.style or event.tag is not None):
            return text
        try:
            return scalars.plain(text) if tag is None else scalars.tagged(text, tag)
        except TypeError:
            self.report("tag-mismatch", f"`!!{tag}` does not fit this value", start, end)
        except (ValueError, OverflowError):
            message = f"a number has at most {scalars.MAX_DIGITS:,} digits"
            self.report("number-too-long", message, start, end, "quote it if it is a text")
        return text

    def tag(self, tag: str, start: int, end: int, allowed: Collection[str]) -> str | None:
        """The short name of a core tag that suits its node; None, reported, for any other."""
        name = tag.removeprefix(_CORE)
        if name != tag and name in allowed:
            return name
        if name != tag and name in (*scalars.TAGS, "seq", "map"):
            self.report("tag-mismatch", f"`!!{name}` does not fit this value", start, end)
            return None
        message = f"the tag `{shortened(tag if name == tag else '!!' + name)}` is not known"
        hint = quote(self.text[start:end]) if allowed is scalars.TAGS else ""
        self.report("unknown-tag", message, start, end, hint)
        return None

    # ---- the tree

    def check_depth(self, depth: int, start: int, end: int) -> None:
        if depth > MAX_DEPTH:
            self.fail(*too_deep(start, end)[:4])

    def place(self, node: Node, start: int, end: int) -> None:
        """Hang a whole node under the open collection: as key, as value, or as item."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.end = end
        key = top.key
        if key is not None:
            self.count(top.node, node, start, end)
            self.pair(top, key, Edge(key.start, key.end, start, end, node))
            top.key = None
        elif isinstance(top.node.data, list):
            self.count(top.node, node, start, end)
            top.node.append(Edge(start, end, start, end, node))
        else:
            top.key = Edge(start, end, start, end, node)
            if node.children is not None:
                hint = "quote it; for a value write `$name` or `$(expression)`, not `{{name}}`"
                self.report("bad-key", "a list or a mapping cannot be a key", start, end, hint)

    def count(self, parent: Node, node: Node, start: int, end: int) -> None:
        parent.size += node.size
        if parent.size > MAX_NODES:
            message = f"the file, its aliases expanded, has over {MAX_NODES:,} values"
            self.fail("too-many-nodes", message, start, end)

    def pair(self, top: _Open, key: Edge, value: Edge) -> None:
        if key.node.children is not None:
            return
        written = self.text[key.start : key.end]
        name = _MERGE if written == "<<" else key.node.data
        if name in top.own:
            line = line_number(self.text, top.own[name])
            message = f"the key `{shortened(written)}` stands already in line {line}"
            hint = "write `<<: [*a, *b]`" if name is _MERGE else ""
            self.report("duplicate-key", message, key.start, key.end, hint)
            return
        top.own[name] = key.start
        if name is _MERGE:
            self.merge(top.node, value)
        else:
            top.node.put(name, value)

    def merge(self, target: Node, value: Edge) -> None:
        """Add what `<<` brings and is not there yet; a key written below it will replace it."""
        is_list = isinstance(value.node.children, list)
        for source in value.node.children if is_list else [value]:
            if not isinstance(source.node.children, dict):
                message = "`<<` takes a mapping or a list of mappings"
                self.report("bad-merge", message, source.start, source.end)
                continue
            for name, edge in source.node.children.items():
                if name not in target.children:
                    target.put(name, edge)
