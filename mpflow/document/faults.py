"""In: what the YAML parser or the decoder could not read. Out: a Fault: plain words, place, hint.

The parser's own sentences speak of tokens and states; people have mostly left an expression
without quotes, and are told so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mpflow.document.scalars import LINE_END

MAX_DEPTH = 64  # lists and mappings inside one another

# What YAML forbids, and the line ends of YAML 1.1 that neither YAML 1.2 nor editors count as such.
_CONTROLS = frozenset(map(chr, {*range(32), 127} - set(b"\t\n\r")))
_FORBIDDEN = "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"

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


class Fault(NamedTuple):
    """A Problem still without its file: `start` and `end` are offsets into the text."""

    code: str
    message: str
    start: int
    end: int
    hint: str = ""


def undecodable(error: UnicodeDecodeError) -> tuple[str, Fault]:
    """The text as far as it can be shown, and the fault of its first byte that is not UTF-8."""
    raw, at = error.object, error.start
    before = raw[:at].decode().lstrip("\ufeff")
    hint = "save the file as UTF-8"
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = f"this looks like UTF-16: {hint}"
    message = f"the byte 0x{raw[at]:02x} is not UTF-8"
    fault = Fault("not-utf-8", message, len(before), len(before) + 1, hint)
    return printable(before + raw[at:].decode("utf-8", "replace")), fault


def forbidden_character(text: str) -> Fault | None:
    """The fault of the first character that YAML does not allow, if there is one."""
    if text.isascii() and _CONTROLS.isdisjoint(text):
        return None  # as nearly always; compiling the pattern takes longer than reading a file
    found = re.search(_FORBIDDEN, text)
    if found is None:
        return None
    code = ord(found[0])
    hint = "delete it"
    if not 0xD800 <= code <= 0xDFFF:
        hint += f', or write "\\u{code:04x}" in double quotes'
    message = f"the character U+{code:04X} is not allowed"
    return Fault("bad-character", message, *found.span(), hint)


def printable(text: str) -> str:
    """The text with every character that YAML does not allow replaced."""
    return re.sub(_FORBIDDEN, "\ufffd", text)


def too_deep(start: int, end: int) -> Fault:
    """What stands between two offsets is nested too deep."""
    message = f"lists and mappings are nested over {MAX_DEPTH} levels deep"
    return Fault("too-deep", message, start, end)


def syntax(text: str, error: Exception) -> Fault:
    """What the YAML parser could not read, at the place where a person would look first."""
    said = ": ".join(filter(None, (getattr(error, "context", ""), getattr(error, "problem", ""))))
    said = said or str(error)
    mark, context = (getattr(error, f"{name}_mark", None) for name in ("problem", "context"))
    at, begin = (getattr(m, "index", 0) for m in (mark or context, context or mark))
    if "maximum nesting depth" in said:  # libyaml's own, which it may see before any event is read
        return too_deep(at, min(at + 1, len(text)))
    from_start = re.search("a quoted scalar: found unexp|expected ':'| a tag", said)
    if from_start or at >= len(text):
        at = min(begin, len(text))  # where the open quote, line or bracket starts
    entry = next((entry for entry in _SAYINGS if re.search(entry[0], said)), ("", "{said}", ""))
    message = entry[1].format(at=text[at : at + 1], line=line_number(text, begin), said=said)
    hint = entry[2]
    if message.endswith("`\t`"):  # libyaml does not say which character it was
        message, hint = "a tab cannot indent", "indent with spaces"
    hint = _trap(said, text, at) or hint
    return Fault("yaml-syntax", message, at, min(at + 1, len(text)), hint)


def line_number(text: str, at: int) -> int:
    """The line of an offset, from 1."""
    return 1 + text.count("\n", 0, at) + text.count("\r", 0, at) - text.count("\r\n", 0, at)


def shortened(text: str) -> str:
    """A piece of the file for a message: one line, at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def quote(text: str) -> str:
    """The hint to quote a text, with the text quoted if it is short."""
    hint = "if an expression was meant, quote all of it"
    if len(text) > 60 or LINE_END.search(text):
        return hint
    if "'" in text and not re.search(r'["\\]', text):
        return f'{hint}: "{text}"'
    return f"{hint}: '" + text.replace("'", "''") + "'"


def _trap(said: str, text: str, at: int) -> str:
    """The hint if the line shows one of the known traps: mostly, an expression without quotes."""
    begin = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    line = re.compile(r"[^\r\n]*").match(text, begin)[0]  # type: ignore[index]
    column = at - begin
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
    return quote(value) if starts_badly or "mapping values" in said else ""
