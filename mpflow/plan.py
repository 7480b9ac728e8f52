"""What processes are to do, as plain data: Step, Plan, Program. Any process can pickle them.

Workers import this and not how it is made (program.py), which needs the whole front end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class Step(NamedTuple):
    """One line of a process: `do` an action, `open` a block, begin a further `part`, `close` it.

    `arguments` are the sources of the verb's arguments by name; a part has its exception's name
    there, if it is a handler. `then` is the statement behind an action that is one (break).
    `operates` tells a verb on primitives and processes from an action of its own.
    """

    number: int
    kind: Literal["do", "open", "part", "close"]
    verb: str
    line: int
    depth: int
    arguments: Mapping[str, str] = {}
    part: str = ""
    opens: int = 0
    then: str = ""
    operates: str = ""


class Plan(NamedTuple):
    """What one process is to do, and what it must be handed for that."""

    name: str
    base: str
    replica: int | None
    system_name: str
    daemon: bool
    line: int
    steps: tuple[Step, ...]
    vars: tuple[tuple[str, str], ...]
    target: str | None
    class_: str | None
    args: str
    kwargs: str
    uses: frozenset[str]
    starts: frozenset[str]
    code: bool


class Program(NamedTuple):
    """All that the engine needs of a scenario.

    `names` has the replicas of every declared process; `plans` of those alone that whoever holds
    this may be or may start. `delays`: each action is held up at random before and after it takes
    effect, so that rare orders are seen. `files`: of Python code, as far as the text names them.
    """

    name: str
    folder: str
    start_method: str
    time_scale: float
    seed: int
    params: Mapping[str, Any]
    primitives: tuple[tuple[str, str, Mapping[str, Any]], ...]
    plans: Mapping[str, Plan]
    names: Mapping[str, tuple[str, ...]]
    code: bool
    delays: bool = False
    files: tuple[str, ...] = ()
