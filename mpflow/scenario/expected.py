"""The `expect` of a file goes in, an Expectation comes out: params filled in, processes named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mpflow.document import Document, Path
from mpflow.scenario import Expectation
from mpflow.scenario.names import Complaint, Names
from mpflow.scenario.values import Values


def expectation(document: Document, names: Names, values: Values) -> Expectation:
    """What the file expects of its runs; nothing but the defaults where it does not say."""
    data = document.data.get("expect") or {}
    lines = {key: document.key_span(("expect", key)).line for key in data}
    conditions = {
        key: tuple(
            values.expression(each, ("expect", key, i)) for i, each in enumerate(data.get(key, ()))
        )
        for key in ("always", "never", "sometimes")
    }
    exclusive = {
        str(section): values.constant(most, ("expect", "exclusive", section), int) or 0
        for section, most in data.get("exclusive", {}).items()
    }
    return Expectation(
        deadlock=data.get("deadlock", "never"),
        timeout=data.get("timeout", "never"),
        exitcodes=_by_process(data, "exitcode", names, values),
        errors=_by_process(data, "error", names, values),
        order=tuple(
            (str(a), str(b), document.span(("expect", "order", i)).line)
            for i, (a, b) in enumerate(data.get("order", ()))
        ),
        exclusive=exclusive,
        output=_output(data.get("output"), values),
        outcomes=_outcomes(data.get("outcomes"), values),
        lines=lines,
        **conditions,
    )


def _by_process(
    data: Mapping[str, Any], key: str, names: Names, values: Values
) -> dict[str, tuple[Any, ...]]:
    """What is allowed for each process, by the names of its replicas."""
    found: dict[str, tuple[Any, ...]] = {}
    for name, allowed in data.get(key, {}).items():
        path: Path = ("expect", key, name)
        listed = values.constant(allowed, path, object)
        any_of = tuple(listed) if isinstance(listed, list) else (listed,)
        who: Any = ("main",) if name == "main" else names.process(name)
        if isinstance(who, Complaint):
            values.findings.complain(who, path, key=True)
            continue
        found.update(dict.fromkeys(who, any_of))
    return found


def _output(data: Sequence[Any] | None, values: Values) -> tuple[str, ...] | None:
    if data is None:
        return None
    filled = (values.constant(each, ("expect", "output", i), object) for i, each in enumerate(data))
    return tuple(line for each in filled for line in str(each).split("\n"))


def _outcomes(data: Sequence[Any] | None, values: Values) -> tuple[object, ...] | None:
    if data is None:
        return None
    return tuple(
        values.constant(each, ("expect", "outcomes", i), object) for i, each in enumerate(data)
    )
