"""The scenarios that come with mpflow: a name goes in, the path of its file comes out.

In a checkout they stand in scenarios/ beside the package, in a wheel inside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

_HERE = os.path.dirname(os.path.abspath(__file__))
_FOLDERS = (os.path.join(_HERE, "_shipped"), os.path.dirname(_HERE))


def folder(name: str) -> str | None:
    """The folder called `scenarios` or `schema`, wherever it came."""
    candidates = (os.path.join(each, name) for each in _FOLDERS)
    return next((each for each in candidates if os.path.isdir(each)), None)


def scenarios() -> Iterator[tuple[str, str]]:
    """The name and the path of every shipped scenario, in alphabetical order."""
    root = folder("scenarios")
    if root is None:
        return
    for here, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".yaml"):
                path = os.path.join(here, name)
                yield os.path.relpath(path, root).removesuffix(".yaml").replace(os.sep, "/"), path


def find(name: str) -> str | None:
    """The path of a shipped scenario, or None."""
    return dict(scenarios()).get(name)
