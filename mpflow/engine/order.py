from __future__ import annotations
from collections.abc import Mapping
from typing import Any, NamedTuple
class Interval(NamedTuple):
    ended: float
    began: float
    process: str
    action: str
    on: str | None
    subject: str | None
    line: int | None = None
    value: Any = None
    result: Any = None
    status: str = "ok"
    error: tuple[str, str] | None = None
    extra: Mapping[str, Any] = {}
    site: Any = None
def in_order(lanes, rule):
    every = [e for lane in lanes for e in lane]
    key = lambda e: e.began if e.ended == float("inf") else e.ended
    every.sort(key=key)
    for e in every: yield key(e), e, None
