"""In: the text of an expression. Out: its syntax tree, or an ExpressionError in plain words.

Only Python's own grammar is asked here; what of it is allowed, grammar.py says.
"""

from __future__ import annotations

import ast
import re
import warnings

LENGTH = 500  # characters of one expression
DEPTH = 60  # of one; each level may take two brackets, YAML's 64 one each, and CPython reads 200

STRING = r"'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"" + (
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
)
_STRING_OR_SPACE = re.compile(f"({STRING})" + r"|\s", re.DOTALL)
_SLIPS = (  # of other languages: pattern, hint
    ("&&", "write `and`"),
    (r"\|\|", "write `or`"),
    ("!(?!=)", "write `not`"),
    (r"\$", "inside an expression a name needs no dollar"),
    (r"\?", "write `a if condition else b`"),
)
_ASSIGNMENT = r"(?<![=<>!])=(?!=)"


class ExpressionError(Exception):
    """A fault of an expression, by offsets into the text given.

    For value(), `path` leads through the data (keys and indexes) to that text.
    """

    def __init__(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.start = start
        self.end = end
        self.path: tuple[object, ...] = ()

    def moved(self, by: int) -> ExpressionError:
        """The same error, in a text that starts `by` characters earlier."""
        self.start += by
        self.end += by
        return self


def parse(body: str) -> tuple[ast.expr, str]:
    """The syntax tree of an expression, and the text that its places refer to.

    That text is as long: its line breaks are spaces, but for those in strings.
    """
    if len(body) > LENGTH:
        message = f"an expression of {len(body):,} characters; at most {LENGTH} are allowed"
        hint = "split it with `let`"
        raise ExpressionError("expression-too-long", message, 0, len(body), hint)
    flat = _STRING_OR_SPACE.sub(lambda found: found[1] or " ", body)
    bare = _STRING_OR_SPACE.sub(
        lambda found: "'" * len(found[1] or "") or " ", flat
    )  # without strings
    if "#" in bare:
        at = bare.index("#")
        message = "`#` means nothing in an expression"
        raise ExpressionError("bad-expression", message, at, at + 1, "put text in quotes")
    if "\0" in flat:  # a ValueError in one version of CPython, a SyntaxError in the next
        at = flat.index("\0")
        message = "there is a null character in the expression"
        raise ExpressionError("bad-expression", message, at, at + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1 is 1", "\d": what matters is refused below
            return ast.parse(flat, mode="eval").body, flat
    except SyntaxError as error:
        raise _syntax_error(error, flat, bare) from None
    except (MemoryError, RecursionError):
        raise too_deep(0, len(flat)) from None
    except ValueError:  # half of a surrogate pair
        message = "there is a character in it that no expression can have"
        raise ExpressionError("bad-expression", message, 0, len(flat)) from None


def _syntax_error(error: SyntaxError, flat: str, bare: str) -> ExpressionError:
    """The fault in plain words: what a slip from another language means, or CPython's message."""
    said = error.msg.split(" (detected at")[0].removesuffix(".")
    if said.startswith("too many nested"):
        return too_deep(0, len(flat))
    for slip, hint in _SLIPS:
        if found := re.search(slip, bare):
            message = f"`{found[0]}` means nothing in an expression"
            return ExpressionError("bad-expression", message, *found.span(), hint)
    equals = re.search(_ASSIGNMENT, bare)
    if equals and ("==" in said or not _open_brackets(bare[: equals.start()])):
        hint = "to compare, write `==`; to set a variable, use `let`"
        return forbidden("an assignment", *equals.span(), hint)
    before = flat.split("\n")[: (error.lineno or 1) - 1]
    column = (error.offset or len(flat)) - 1  # none: at the end
    start = min(sum(map(len, before)) + len(before) + column, len(flat) - 1)
    width = (error.end_offset or 0) - (error.offset or 0)
    end = min(start + max(width, 1), len(flat)) if error.end_lineno == error.lineno else start + 1
    return ExpressionError("bad-expression", f"this is not an expression: {said}", start, end)


def _open_brackets(bare: str) -> int:
    """How many brackets stand open at the end; `=` inside one names an argument."""
    return sum({"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(each, 0) for each in bare)


def forbidden(what: str, start: int, end: int, hint: str = "") -> ExpressionError:
    """The refusal of what Python has and an expression has not."""
    message = f"{what} is not allowed in an expression"
    return ExpressionError("forbidden-in-expression", message, start, end, hint)


def too_deep(start: int, end: int) -> ExpressionError:
    """The refusal of more than DEPTH levels."""
    message = f"an expression nested over {DEPTH} levels"
    return ExpressionError("expression-too-deep", message, start, end, "split it with `let`")


def offset(text: str, line: int, column: int) -> int:
    """The place of `ast` in characters; it counts lines from 1 and columns in bytes of UTF-8."""
    if line == 1 and text.isascii():
        return column
    lines = text.split("\n")[:line]
    last = lines.pop().encode()[:column].decode(errors="ignore")
    return sum(len(each) + 1 for each in lines) + len(last)
