"""In: the text of a YAML file. Out: a Document: plain data, and the place of every path in it.

The parser's events are read one by one with a stack of our own: libyaml's composer recurses and
dies of deep nesting, and an alias bomb, once expanded, costs its readers minutes.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from typing import Any, NamedTuple

from mpflow.problems import Problem, Span, in_order, suggestion

Path = tuple[object, ...]  # keys and list indexes from the root

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_DIGITS = 4_000  # Python refuses to print an int of over 4,300
MAX_PROBLEMS = 100
MAX_DIRECTIVES = 100  # libyaml compares each with all before it: 60,000 cost 14 seconds

_LINE_END = re.compile(r"\r\n|\r|\n")
_DIRECTIVE = re.compile(r"(?:^|[\r\n])%")
# What YAML forbids, and the line ends of YAML 1.1 that neither YAML 1.2 nor editors count as such.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan"
)
_TOO_LONG = 10**MAX_DIGITS
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None)}
_MERGE = object()  # stands for the key `<<`, which a quoted "<<" is not

# What libyaml or PyYAML says (a pattern), what we say instead, and the hint.
_SAYINGS = (
    (
        "mapping values",
        "a `: ` cannot stand here",
        "indented too far, or no `:` in the line above?",
    ),
    ("sequence entries", "a `- ` cannot stand here", "start the list on a line of its own"),
    ("end of stream|document (?:ind|sep)", "the quoted text that starts here never ends", ""),
    (" a tag|tag handle", "`!` starts a tag here, but this is none", "quote it if it is a text"),
    ("line break|chomping", "after `|` or `>` the text starts in the next line", ""),
    (r"a tab|'\\t'", "a tab cannot indent", "indent with spaces"),
    ("start any token", "a value cannot start with `{at}`", "quote it"),
    ("', but got|flow|',' or '", "the list or mapping of line {line} does not go on like this", ""),
    ("expected key|'-' ind|block end", "expected the next key or item, or the end of this one", ""),
    ("expected ':'", "expected `key: value` here", "a space must follow `:` and `-`; is it there?"),
    ("unknown escape", "there is no such escape", r"write `\\` for `\`, or use single quotes"),
    (r"hexa?decimal|character escape|chr\(", "an escape here names no character", ""),
    ("node content", "expected a value here", ""),
    ("numeric character", "`&` and `*` must be followed by a name", "quote it if it is a text"),
    ("document start", "expected the end of the file here", ""),
)


class _Node:
    """A value: its data, where it stands (offsets), and its children if it is a collection."""

    __slots__ = ("children", "data", "end", "height", "size", "start")

    def __init__(self, data: Any, start: int, end: int, children: Any = None) -> None:
        self.data = data
        self.start = start
        self.end = end  # -1 while the collection is open
        self.children = children  # list[_Edge], or dict[key, _Edge], or None
        self.size = 1  # with aliases expanded
        self.height = 0 if children is None else 1

    def put(self, name: object, edge: _Edge) -> None:
        """Add a child of a mapping, or replace it."""
        self.data[name] = edge.node.data
        self.children[name] = edge
        self.height = max(self.height, edge.node.height + 1)

    def append(self, edge: _Edge) -> None:
        """Add a child of a list."""
        self.data.append(edge.node.data)
        self.children.append(edge)
        self.height = max(self.height, edge.node.height + 1)


class _Edge(NamedTuple):
    """The way from a collection to a value; an alias has a place of its own, not the node's."""

    key_start: int
    key_end: int
    start: int
    end: int
    node: _Node


class Document:
    """A YAML file that was read: `path` as the user named it, its `text`, and its plain `data`.

    `data` consists of dict, list, str, int, float, bool and None. Aliases share objects: do
    not change it. A path is a tuple of keys and list indexes from the root.
    """

    __slots__ = ("_lines", "_root", "_starts", "data", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        """A document without data; `parse` and `read` make whole ones."""
        self.path = path
        self.text = text
        self.data: Any = None
        self._root = _Edge(0, 0, 0, 0, _Node(None, 0, 0))
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
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
        if not found or not isinstance(edge.node.data, str):
            return self.span(path)
        first, written = edge.node.start, self.text[edge.node.start : edge.node.end]
        body = re.sub(r"\A(?:[!&]\S*\s+)+", "", written)  # without tag and anchor
        low, high = _place(body, edge.node.data, max(0, start), max(0, end))
        first += len(written) - len(body)
        return self._span(first + low, first + high)

    def problem(
        self, code: str, message: str, path_or_span: Path | Span, hint: str = "", key: bool = False
    ) -> Problem:
        """A Problem at a span, or at the value at a path, or (`key`) at the key of that path."""
        if isinstance(path_or_span, Span):
            span = path_or_span
        else:
            span = self.key_span(path_or_span) if key else self.span(path_or_span)
        return Problem(code, message, _shown(self.path), span, hint, self._line(span.line))

    def _find(self, path: Path) -> tuple[_Edge, bool]:
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
            return None, [_not_utf8(error, name)]
    text = text.lstrip("\ufeff")
    if bad := _FORBIDDEN.search(text):
        return None, [_bad_character(text, bad.start(), name)]
    return _build(Document(name, text))


def _shown(name: str) -> str:
    """A file's name for a problem; one that is not UTF-8 would crash printing."""
    return "<stdin>" if name == "-" else name.encode("utf-8", "backslashreplace").decode()


def _not_utf8(error: UnicodeDecodeError, name: str) -> Problem:
    raw, at = error.object, error.start
    before = raw[:at].decode().lstrip("\ufeff")
    shown = before + raw[at:].decode("utf-8", "replace")
    document = Document(name, _FORBIDDEN.sub("\ufffd", shown))
    hint = "save the file as UTF-8"
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = f"this looks like UTF-16: {hint}"
    span = document._span(len(before), len(before) + 1)
    return document.problem("not-utf-8", f"the byte 0x{raw[at]:02x} is not UTF-8", span, hint)


def _bad_character(text: str, at: int, name: str) -> Problem:
    document = Document(name, _FORBIDDEN.sub("\ufffd", text))  # the line shown must be printable
    code = ord(text[at])
    hint = "delete it"
    if not 0xD800 <= code <= 0xDFFF:
        hint += f', or write "\\u{code:04x}" in double quotes'
    message = f"the character U+{code:04X} is not allowed"
    return document.problem("bad-character", message, document._span(at, at + 1), hint)


def _place(body: str, value: str, start: int, end: int) -> tuple[int, int]:
    """Where value[start:end] stands in its source `body`; all of `body` if that is unclear."""
    quotes = body[:1] in ("'", '"')
    cells = list(body)  # the source of each character of the value
    if quotes:
        pattern = "''|." if body[0] == "'" else r"\\x..|\\u.{4}|\\U.{8}|\\.|."
        cells = re.findall(pattern, body[1:-1])
    if len(cells) == len(value) and not _LINE_END.search(body):
        return quotes + len("".join(cells[:start])), quotes + len("".join(cells[:end]))
    words = value[start:end].split()
    if not words:
        return 0, len(body)
    pattern = r"\s+".join(map(re.escape, words))  # folding and indenting change only white space
    first = value.index(words[0], start)
    before = sum(match.start() < first for match in re.finditer(pattern, value))
    header = body.find("\n") if body[:1] in ("|", ">") else 0
    matches = list(re.compile(pattern).finditer(body, header))
    return matches[before].span() if before < len(matches) else (0, len(body))


class _UnreadableError(Exception):
    """The rest of the file is not read; what is wrong has been reported."""


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("end", "key", "node", "own")

    def __init__(self, node: _Node, end: int) -> None:
        self.node = node
        self.end = end  # of the last child; the end event of a block comes after the comments
        self.key: _Edge | None = None  # a key that waits for its value
        self.own: dict[object, int] = {}  # keys written here, not merged in: their offsets


class _Builder:
    """Takes the events of one file; makes its tree and the list of its problems."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.problems: list[Problem] = []
        self.root: _Node | None = None
        self.anchors: dict[str, _Node] = {}
        self.stack: list[_Open] = []

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "ScalarEvent":
            self.scalar(event, start, end)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.open(event, start, end, "map" if kind == "MappingStartEvent" else "seq")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            top = self.stack.pop()  # a bracket has a width, the end of a block has none
            top.node.end = end if end > start else top.end
            self.place(top.node, top.node.start, top.node.end)
        elif kind == "AliasEvent":
            self.alias(event.anchor, start, end)
        elif kind == "DocumentStartEvent" and self.root is not None:
            message = "a second document starts here; one file holds one"
            self.fail("several-documents", message, start, end)

    def report(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        span = self.document._span(start, end)
        self.problems.append(self.document.problem(code, message, span, hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _UnreadableError

    def fail(self, code: str, message: str, start: int, end: int) -> None:
        self.report(code, message, start, end)
        raise _UnreadableError

    def scalar(self, event: Any, start: int, end: int) -> None:
        if event.style in ("|", ">"):  # its event ends where the next line with text starts
            end = start + len(self.text[start:end].rstrip())
        if event.style == '"' and re.search("[\ud800-\udfff]", event.value):  # libyaml refuses it
            self.fail("yaml-syntax", "an escape here names no character", start, end)
        node = _Node(self.resolve(event, start, end), start, end)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.place(node, start, end)

    def resolve(self, event: Any, start: int, end: int) -> Any:
        """The data of a scalar: by its tag or, if it is plain, by how it looks."""
        text: str = event.value
        if event.tag is None and event.style:
            return text
        name = self.tag(event.tag, start, end, _SCALAR_TAGS) if event.tag else ""
        if name in (None, "str"):
            return text
        try:
            data = _plain(text)
            data = float(data) if name == "float" and type(data) is int else data
        except (ValueError, OverflowError):
            message = f"a number has at most {MAX_DIGITS:,} digits"
            self.report("number-too-long", message, start, end, "quote it if it is a text")
            return text
        if name and type(data) is not _SCALAR_TAGS[name]:
            self.report("tag-mismatch", f"`!!{name}` does not fit this value", start, end)
        return data

    def tag(self, tag: str, start: int, end: int, allowed: Any) -> str | None:
        """The short name of a core tag that suits its node; None, reported, for any other."""
        name = tag.removeprefix(_CORE)
        if name != tag and name in allowed:
            return name
        if name != tag and name in (*_SCALAR_TAGS, "seq", "map"):
            self.report("tag-mismatch", f"`!!{name}` does not fit this value", start, end)
            return None
        message = f"the tag `{_short(tag if name == tag else '!!' + name)}` is not known"
        hint = _quote(self.text[start:end]) if allowed is _SCALAR_TAGS else ""
        self.report("unknown-tag", message, start, end, hint)
        return None

    def alias(self, name: str, start: int, end: int) -> None:
        node = self.anchors.get(name)
        if node is None:
            # Not all of them: to look for the near ones among thousands takes minutes.
            known = [anchor for anchor in [*self.anchors][-50:] if len(anchor) <= 60]
            hint = suggestion(name[:60], known) or "quote it if it is a text"
            message = f"no anchor `&{_short(name)}` stands above"
            self.report("unknown-anchor", message, start, end, hint)
        elif node.end < 0:
            message = f"`*{_short(name)}` stands inside what it refers to"
            self.report("recursive-alias", message, start, end)
        else:
            self.check_depth(len(self.stack) + node.height, start, end)
        if node is None or node.end < 0:
            node = _Node(None, start, end, {})  # `<<` takes it too: the fault is named once
        self.place(node, start, end)

    def open(self, event: Any, start: int, end: int, kind: str) -> None:
        self.check_depth(len(self.stack) + 1, start, end)
        if event.tag is not None:
            self.tag(event.tag, start, end, (kind,))
        node = _Node({}, start, -1, {}) if kind == "map" else _Node([], start, -1, [])
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.stack.append(_Open(node, end))

    def check_depth(self, depth: int, start: int, end: int) -> None:
        if depth > MAX_DEPTH:
            message = f"lists and mappings are nested over {MAX_DEPTH} levels deep"
            self.fail("too-deep", message, start, end)

    def place(self, node: _Node, start: int, end: int) -> None:
        """Hang a whole node under the open collection: as key, as value, or as item."""
        edge = _Edge(start, end, start, end, node)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.end = end
        if top.key is not None:
            self.count(top.node, edge)
            self.pair(top, top.key, edge)
            top.key = None
        elif isinstance(top.node.data, list):
            self.count(top.node, edge)
            top.node.append(edge)
        else:
            top.key = edge
            if node.children is not None:
                hint = "quote it; for a value write `$name` or `$(expression)`, not `{{name}}`"
                self.report("bad-key", "a list or a mapping cannot be a key", start, end, hint)

    def count(self, parent: _Node, edge: _Edge) -> None:
        parent.size += edge.node.size
        if parent.size > MAX_NODES:
            message = f"the file, its aliases expanded, has over {MAX_NODES:,} values"
            self.fail("too-many-nodes", message, edge.start, edge.end)

    def pair(self, top: _Open, key: _Edge, value: _Edge) -> None:
        if key.node.children is not None:
            return
        written = self.text[key.start : key.end]
        name = _MERGE if written == "<<" else key.node.data
        if name in top.own:
            line = self.document._span(top.own[name], top.own[name]).line
            message = f"the key `{_short(written)}` stands already in line {line}"
            hint = "write `<<: [*a, *b]`" if name is _MERGE else ""
            self.report("duplicate-key", message, key.start, key.end, hint)
            return
        top.own[name] = key.start
        if name is _MERGE:
            self.merge(top.node, value)
        else:
            top.node.put(name, value._replace(key_start=key.start, key_end=key.end))

    def merge(self, target: _Node, value: _Edge) -> None:
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


def _build(document: Document) -> tuple[Document | None, list[Problem]]:
    """Fill the document from its text; `parse` says what comes out."""
    import yaml  # here, for it costs 40 ms

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(document)
    try:
        if len(_DIRECTIVE.findall(document.text)) > MAX_DIRECTIVES:
            builder.fail("yaml-syntax", "too many lines of the file start with `%`", 0, 1)
        for event in yaml.parse(document.text, Loader=loader):
            builder.take(event)
    except _UnreadableError:
        return None, in_order(builder.problems)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: from SafeLoader's chr() and int()
        return None, in_order([*builder.problems, _syntax(document, error)])
    root = builder.root
    if root is None or (root.data is None and root.start == root.end):
        return None, [document.problem("empty-file", "the file is empty", Span(1, 1, 1, 1))]
    document.data = root.data
    document._root = _Edge(root.start, root.end, root.start, root.end, root)
    return document, in_order(builder.problems)


def _plain(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2; ValueError for an int that is too long."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        if len(text.lstrip("+-")) > MAX_DIGITS or (number := int(text, 0)) >= _TOO_LONG:
            raise ValueError
        return number
    if _FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _short(text: str) -> str:
    """A piece of the file for a message: one line, at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _quote(text: str) -> str:
    """The hint to quote a text, with the text quoted if it is short."""
    hint = "if an expression was meant, quote all of it"
    if len(text) > 60 or _LINE_END.search(text):
        return hint
    if "'" in text and not re.search(r'["\\]', text):
        return f'{hint}: "{text}"'
    return f"{hint}: '" + text.replace("'", "''") + "'"


def _syntax(document: Document, error: Exception) -> Problem:
    """What the YAML parser could not read, at the place where a person would look first."""
    said = ": ".join(filter(None, (getattr(error, "context", ""), getattr(error, "problem", ""))))
    said = said or str(error)
    mark, context = (getattr(error, f"{name}_mark", None) for name in ("problem", "context"))
    at, begin = (getattr(m, "index", 0) for m in (mark or context, context or mark))
    from_start = re.search("a quoted scalar: found unexp|expected ':'| a tag", said)
    if from_start or at >= len(document.text):
        at = min(begin, len(document.text))  # where the open quote, line or bracket starts
    span = document._span(at, at + (at < len(document.text)))
    entry = next((entry for entry in _SAYINGS if re.search(entry[0], said)), ("", "{said}", ""))
    place = document._span(begin, begin).line
    message = entry[1].format(at=document.text[at : at + 1], line=place, said=said)
    if message.endswith("`\t`"):  # libyaml does not say which character it was
        entry, message = ("tab", "", "indent with spaces"), "a tab cannot indent"
    hint = _trap(said, document._line(span.line), span.column - 1)
    return document.problem("yaml-syntax", message, span, hint or entry[2])


def _trap(said: str, line: str, column: int) -> str:
    """The hint if the line shows one of the known traps: mostly, an expression without quotes."""
    if len(line) > 500 or re.search("quoted scalar|double-quoted", said):
        return ""
    if "${" in line[: column + 1]:
        return "write `$name` or `$(expression)`"
    if "while parsing a flow" in said:
        return "is a comma or a bracket missing, or has an expression inside it no quotes around?"
    # What stands before the value (indentation, `- `, `key: `), the value, a comment.
    parts = re.match(r"(\s*(?:- +)*(?:[^\s:'\"\[{]+: +)?)(.*?)(?:\s+#.*)?\s*$", line)
    lead, value = parts.groups() if parts else ("", "")
    if not lead.strip() or column < len(lead):
        return ""
    if line[column - 1] in "'\"" and line[column : column + 1].isalnum():
        return "inside '…' a quote is written '', inside \"…\" it is written \\\""
    starts_badly = value[:1] in tuple("\"'[{!&*%@`|>")
    return _quote(value) if starts_badly or "mapping values" in said else ""
