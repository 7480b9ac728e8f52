"""write and read as steps: one component has what is in each file, as far as anybody can know.

A file's content is known from a `write` on that empties it; what was there before the run is not.
open() empties or makes it, and what is written follows in a step of its own: at the end of the file
where it appends, else at its begin, whatever others have written there (open(2), O_APPEND).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from mpflow.model.steps import Step
from mpflow.model.values import Uncheckable

if TYPE_CHECKING:
    from mpflow.model.me import Me

FILES = "files"  # the component: pairs of a path and its content; None for what nobody knows
HINT = "let the scenario begin the file anew, with `write` and `mode: w`, and it can be checked"


def write(me: Me, text: str, file: str, mode: str) -> Generator[Step, Any, None]:
    """Open, write, close."""
    path = os.path.abspath(file)
    exists = yield _change(path, lambda content: _opened(path, content, mode))
    if exists:
        raise FileExistsError(17, "File exists", file)
    data = text.encode()
    if data:
        yield _change(path, lambda content: [(None, _written(content, data, "a" in mode))])


def read(me: Me, file: str) -> Generator[Step, Any, str]:
    """All of a file, as text."""
    path = os.path.abspath(file)

    def ask(files: Any) -> Any:
        content = dict(files).get(path)
        if content is None:
            raise Uncheckable(f"what stands in {file} is not known", None, HINT)
        return [(content, (files,))]

    content: bytes = yield Step((FILES,), (f"{FILES}:r",), ask)
    return content.decode().replace("\r\n", "\n").replace("\r", "\n")


def _opened(path: str, content: bytes | None, mode: str) -> Any:
    """Whether it exists where it must not, and what it contains when it is open."""
    if mode == "x":
        if content is None:
            raise Uncheckable(f"whether there is a file {path} is not known", None, HINT)
        return [(True, content)]
    return [(False, content if "a" in mode else b"")]


def _written(content: bytes | None, data: bytes, append: bool) -> bytes | None:
    if content is None:
        return None
    return content + data if append else data + content[len(data) :]


def _change(path: str, change: Any) -> Step:
    def ways(files: Any) -> Any:
        known = dict(files)
        found = []
        for result, content in change(known.get(path)):
            new = {**known, path: content}
            if content is None:
                del new[path]
            found.append((result, (tuple(sorted(new.items())),)))
        return found

    return Step((FILES,), (f"{FILES}:w",), ways, effect=True)
