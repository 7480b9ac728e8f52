"""Lines -> headers, Events and footers, each of the form that schema/trace.schema.json says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from math import isfinite
from typing import Any, NoReturn

from mpflow import shipped
from mpflow.schema.fits import accepts
from mpflow.trace import GIVING, Event

_FIELDS = {"seq", "t", "process", "action", "on", "line", "value", "result", "status", "error"}
_RARE = {
    "at", "code", "error", "exitcode", "limited", "phase", "pid", "shortened", "stopped", "suspect",
}  # fmt: skip
_MOST = 10**300  # of a number: anything beyond is no time


class Wrong(Exception):  # noqa: N818 - not an error of ours
    """Something in a trace is not as it must be; the message says what."""


@cache
def schema() -> dict[str, Any]:
    """The schema of a trace's lines."""
    folder = shipped.folder("schema")
    assert folder is not None
    with open(os.path.join(folder, "trace.schema.json"), encoding="utf-8") as stream:
        found: dict[str, Any] = json.load(stream)
    return found


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object on a line. Wrong for anything else."""
    try:
        data = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise Wrong("the line is no UTF-8") from None
    except RecursionError:
        raise Wrong("the line is nested too deep") from None
    except ValueError as error:
        raise Wrong(f"the line is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise Wrong("the line is no JSON object")
    return data


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def check(kind: str, data: Mapping[str, Any]) -> None:
    """Wrong, with the key's name, where a line is no header, event or footer by the schema."""
    rules = schema()["$defs"][kind]
    for name in data:
        if name not in rules["properties"]:
            raise Wrong(f"{kind}s have no key {name!r:.60}")
    for name in rules["required"]:
        if name not in data:
            raise Wrong(f"`{name}` is missing")
    for name, value in data.items():
        if not accepts(rules["properties"][name], value, schema()):
            raise Wrong(f"`{name}` cannot be {shown(value)}")


def shown(value: Any) -> str:
    """A value for a message, on one line and short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"


_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)


class Events:
    """Events of a trace; lines of a shape met before are not checked in full again."""

    def __init__(self) -> None:
        self.shapes: set[tuple[Any, ...]] = set()

    def event(self, data: Mapping[str, Any]) -> Event:
        """The event on a line. Wrong where it has not the form of one."""
        shape = *data, *map(type, data.values()), str(data.get("status")), str(data.get("action"))
        if shape not in self.shapes:
            check("event", data)
            _together(data)
            if not _RARE & data.keys():
                self.shapes.add(shape)
        if data["seq"] < 1 or not -_MOST < data["t"] < _MOST or not -_MOST < data["began"] < _MOST:
            raise Wrong("`seq`, `t` or `began` is out of all bounds")
        error = data.get("error")
        return Event(
            data["seq"],
            data["t"],
            data["process"],
            data["action"],
            data.get("on"),
            data.get("line"),
            data.get("value"),
            data.get("result"),
            data["status"],
            (error["type"], error["message"]) if error else None,
            data["began"],
            {name: data[name] for name in _RARE & data.keys() if name != "error"},
        )


def _together(data: Mapping[str, Any]) -> None:
    """What keys must and must not stand beside each other."""
    action, status = data["action"], data["status"]
    life = action in ("begin", "end")
    needs = {
        "pid": action == "begin",
        "exitcode": action == "end",
        "error": action == "end" or status == "error",
        "result": status in ("ok", "timeout") and action not in GIVING,
    }
    for name, needed in needs.items():
        if needed != (name in data):
            raise Wrong(f"`{name}` is missing" if needed else f"`{name}` does not belong here")
    if status == "error" and not data["error"]:
        raise Wrong("`error` is missing")
    if action in GIVING and status == "ok" and "value" not in data:
        raise Wrong("`value` is missing")
    if ("line" in data) + ("code" in data) != (not life):
        raise Wrong("`line` or `code` is " + ("not the begin's or end's" if life else "missing"))
    if "stopped" in data and (action != "end" or data["exitcode"] is not None):
        raise Wrong("`stopped` does not belong here")
    if action == "end" and data["exitcode"] is None and "stopped" not in data:
        raise Wrong("`stopped` is missing")
    if "phase" in data and action != "section":
        raise Wrong("`phase` does not belong here")
    if "limited" in data and (status != "error" or action != "wait"):
        raise Wrong("`limited` does not belong here")
    if life and (data.get("result") is not None or data.keys() & {"on", "value"}):
        raise Wrong("a begin and an end have no `on`, `value` and `result`")
    if action == "print" and status == "ok":
        _printed(data)


def _printed(data: Mapping[str, Any]) -> None:
    if not isinstance(data.get("value"), str):
        raise Wrong("what is printed is a text")
    if data["result"] is not None:
        raise Wrong("`print` has no result")
    if "code" in data and not re.fullmatch(r".+:\d+", data["code"], re.DOTALL):
        raise Wrong("`code` is module:line")
