"""What a manager's objects and shared memory do at a request: Python's list and dict, copied."""

from __future__ import annotations

import copy
from typing import Any

from .bases import V, error


def serve(kind: str, held: Any, what: str, *arguments: Any) -> tuple[V, Any]:
    """The request's result, and the object after it."""
    new = copy.deepcopy(held)
    given = arguments[0].value if arguments and isinstance(arguments[0], V) else None
    whole = not arguments or arguments[0] is None or (what == "store" and arguments[1])
    result = None
    try:
        if what == "load":
            result = new if whole else new[given]
        elif what == "store" and whole:
            if kind == "manager_value":
                new = given[1]
            else:
                raise TypeError("at is needed")
        elif what == "store":
            new[given[0]] = given[1]
        elif what == "append":
            new.append(given)
        elif what == "pop":
            result = (new.pop() if kind == "manager_list" else new.popitem()) if whole else (
                new.pop(given)
            )  # fmt: skip
        elif what == "delete":
            del new[given]
        elif what == "length":
            result = len(new)
        elif what == "bytes":
            start, size = given
            result = new[start:] if size is None else new[start : start + size]
        elif what == "overwrite":
            start, data = given
            if not 0 <= start <= start + len(data) <= len(new):
                raise ValueError("out of the block")
            new = new[:start] + data + new[start + len(data) :]
    except (LookupError, TypeError, ValueError) as caught:
        raise error(type(caught).__name__, str(caught)) from None
    return V(result), new
