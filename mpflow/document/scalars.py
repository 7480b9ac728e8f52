"""In: a scalar as it is written in YAML. Out: its value by YAML 1.2's core schema, and its places.

A place is where some characters of the value stand in what is written: quoting, escapes and
folding lie between the two.
"""

from __future__ import annotations

import re

MAX_DIGITS = 4_000  # Python refuses to print an int of over 4,300

LINE_END = re.compile(r"\r\n|\r|\n")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan"
)
_NUMBERS_START = frozenset("+-.0123456789")
_TOO_LONG = 10**MAX_DIGITS
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}

# tags of scalars: the type that a value must have
TAGS: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "null": type(None),
}


def plain(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes; ValueError for an int that is too long."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_START:
        return text
    if _INT.fullmatch(text):
        if len(text.lstrip("+-")) > MAX_DIGITS or (number := int(text, 0)) >= _TOO_LONG:
            raise ValueError
        return number
    if _FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text


def tagged(text: str, tag: str) -> str | int | float | bool | None:
    """The value of a scalar with a tag of TAGS, whatever its quotes; TypeError if it has none."""
    if tag == "str":
        return text
    value = plain(text)
    if tag == "float" and type(value) is int:
        return float(value)
    if type(value) is not TAGS[tag]:
        raise TypeError
    return value


def stretch(written: str, value: str, start: int, end: int) -> tuple[int, int]:
    """Where value[start:end] stands in what is `written`, tag and anchor included.

    Exact for a scalar on one line; in a longer one the same words are searched for, and if they
    are not found it is the whole scalar.
    """
    body = re.sub(r"\A(?:[!&]\S*\s+)+", "", written)  # without tag and anchor
    low, high = _exactly(body, value, start, end) or _by_words(body, value, start, end)
    lead = len(written) - len(body)
    return lead + low, lead + high


def _exactly(body: str, value: str, start: int, end: int) -> tuple[int, int] | None:
    """By the source of each character; None when it has several lines or is not understood."""
    if LINE_END.search(body):
        return None
    quote = body[:1] if body[:1] in ("'", '"') else ""
    if not quote:
        return (min(start, len(body)), min(end, len(body))) if body == value else None
    one = "''|." if quote == "'" else r"\\x..|\\u.{4}|\\U.{8}|\\.|."
    sources = re.findall(one, body[1:-1])
    if len(sources) != len(value):
        return None
    return 1 + len("".join(sources[:start])), 1 + len("".join(sources[:end]))


def _by_words(body: str, value: str, start: int, end: int) -> tuple[int, int]:
    words = value[start:end].split()
    if not words:
        return 0, len(body)
    pattern = re.compile(r"\s+".join(map(re.escape, words)))  # line ends are white space too
    first = value.index(words[0], start)
    before = sum(match.start() < first for match in pattern.finditer(value))
    header = body.find("\n") if body[:1] in ("|", ">") else 0
    matches = list(pattern.finditer(body, header))
    return matches[before].span() if before < len(matches) else (0, len(body))
