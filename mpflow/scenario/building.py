"""A Document that fits the schema goes in, one case of it as a Scenario comes out.

It goes through the document once; every fault becomes a Problem and a harmless stand-in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from os import path as os_path
from typing import Any

from mpflow import expressions, registry
from mpflow.document import Document, Path
from mpflow.expressions import Compiled
from mpflow.kinds import Verb
from mpflow.problems import Problem
from mpflow.scenario import Case, Choice, Declaration, Node, Scenario, nodes_of
from mpflow.scenario.expected import expectation
from mpflow.scenario.findings import Findings
from mpflow.scenario.names import RESERVED, Declared, Names
from mpflow.scenario.nodes import Nodes
from mpflow.scenario.values import Values

DEFAULT_TIMEOUT = 60.0
LONGEST_TIMEOUT = 10.0**9  # seconds; more than a system call takes
_WANTED: Mapping[str, Any] = {
    "integer": int,
    "number": int | float,
    "seconds": int | float,
    "boolean": bool,
    "list": list,
    "value": object,
    "text": str,
    "primitive": bool | str,
}


def build(
    document: Document,
    choice: Choice,
    case: Case,
    lost: frozenset[str] = frozenset(),
    bodies: dict[Path, tuple[Node, ...]] | None = None,
) -> tuple[Scenario, list[Problem]]:
    """One case of a document that fits the schema, and what is wrong with its expressions.

    `bodies` keeps the actions of each process, which all cases share.
    """
    builder = _Builder(document, case[1], lost, {} if bodies is None else bodies)
    return builder.scenario(choice, case[0], case[2]), builder.findings.problems


class _Builder:
    """What is declared in a document, piece by piece."""

    def __init__(
        self,
        document: Document,
        params: Mapping[str, Any],
        lost: frozenset[str],
        bodies: dict[Path, tuple[Node, ...]],
    ) -> None:
        self.document = document
        self.params = params
        self.bodies = bodies
        self.findings = Findings(document, lost)
        self.report = self.findings.report
        self.values = Values(document, params, self.findings)
        self.nodes = Nodes(document, self.values)

    def scenario(self, choice: Choice, label: str, start_method: str | None) -> Scenario:
        data = self.document.data
        path = self.document.path
        stem = "stdin" if path == "-" else os_path.splitext(os_path.basename(path))[0]
        primitives = {
            name: self._primitive(name, declared)
            for name, declared in (data.get("primitives") or {}).items()
        }
        processes = {
            name: self._process(name, declared) for name, declared in data["processes"].items()
        }
        names = Names(primitives, {name: each.replicas for name, each in processes.items()})
        timeout = self._timeout(data.get("timeout", DEFAULT_TIMEOUT))
        return Scenario(
            name=data.get("name", stem),
            path=self.document.path,
            folder=os_path.dirname(os_path.abspath(self.document.path)),
            document=self.document,
            description=data.get("description", ""),
            label=label,
            start_method=start_method or _default_start_method(),
            timing=self.document.data.get("timing", "any"),
            timeout=choice.timeout or timeout,
            own_timeout="timeout" in data and choice.timeout is None,
            params=self.params,
            names=names,
            processes=processes,
            main=self._main(processes),
            outcome=tuple(
                (key, self.values.expression(each, ("outcome", key)))
                for key, each in (data.get("outcome") or {}).items()
            ),
            expectation=expectation(self.document, names, self.values),
            declared=frozenset(data.get("params") or {}),
        )

    def _timeout(self, data: Any) -> float:
        seconds = self.values.constant(data, ("timeout",), int | float)
        if seconds is None or 0 < seconds < LONGEST_TIMEOUT:
            return float(seconds or DEFAULT_TIMEOUT)
        message = f"`timeout` is a number of seconds, more than 0, not {seconds!s:.60}"
        self.report("out-of-range", message, ("timeout",))
        return DEFAULT_TIMEOUT

    def _primitive(self, name: str, data: Any) -> Declared:
        path: Path = ("primitives", name)
        given = {"type": data} if isinstance(data, str) else dict(data)
        primitive = registry.primitive(given["type"])
        options = {
            option.name: self.values.constant(
                given[option.name], (*path, option.name), _WANTED[option.form]
            )
            if option.name in given
            else option.default
            for option in primitive.options
        }
        faulty = [o.name for o in primitive.options if o.name in given and options[o.name] is None]
        for key, message in () if faulty else primitive.check(options):
            self.report("bad-option", message, (*path, key) if key in given else path)
            options.update((o.name, o.default) for o in primitive.options if o.name == key)
        return Declared(name, given["type"], options, self._count(given, path))

    def _count(self, data: Mapping[str, Any], path: Path) -> int | None:
        if "count" not in data:
            return None
        count = self.values.constant(data["count"], (*path, "count"), int)
        if not isinstance(count, int) or not 0 <= count <= 1000:
            if count is not None:
                message = f"`count` is a whole number from 0 to 1,000, not {count!r:.60}"
                self.report("out-of-range", message, (*path, "count"))
            return 1
        return count

    def _process(self, name: str, data: Mapping[str, Any]) -> Declaration:
        path: Path = ("processes", name)
        if "actions" in data:
            for key in ("args", "kwargs"):
                if key in data:
                    message = f"`{key}` goes with `target` or `class`, not with `actions`"
                    self.report("unknown-key", message, (*path, key), key=True)
        shown = data.get("name")
        return Declaration(
            name=name,
            count=self._count(data, path),
            nodes=self._body(data["actions"], (*path, "actions")) if "actions" in data else None,
            target=data.get("target"),
            class_=data.get("class"),
            args=self.values.value(data.get("args", []), (*path, "args"), measured=False),
            kwargs=self.values.value(data.get("kwargs", {}), (*path, "kwargs"), measured=False),
            vars=tuple(
                (key, self.values.value(each, (*path, "vars", key)))
                for key, each in (data.get("vars") or {}).items()
            ),
            system_name=None if shown is None else self.values.value(shown, (*path, "name")),
            daemon=bool(self.values.constant(data.get("daemon", False), (*path, "daemon"), bool)),
            path=path,
            line=self.document.key_span(path).line,
        )

    def _main(self, processes: Mapping[str, Declaration]) -> Declaration:
        data = self.document.data
        path: Path = ("main",)
        if data.get("main") is not None:
            nodes = self._body(data["main"], path)
        else:
            if path not in self.bodies:
                self.bodies[path] = self._default_main(processes)
            nodes = self.bodies[path]
        empty = expressions.value([])
        return Declaration(
            name="main",
            count=None,
            nodes=nodes,
            target=None,
            class_=None,
            args=empty,
            kwargs=expressions.value({}),
            vars=(),
            system_name=None,
            daemon=False,
            path=path,
            line=self.document.key_span(path if data.get("main") else ("processes",)).line,
        )

    def _default_main(self, processes: Mapping[str, Declaration]) -> tuple[Node, ...]:
        """Start every process that no other one starts, then join them, in the order declared."""
        started = set(_started(processes.values()))
        left_out = {*started, *RESERVED}
        own = [each for each in processes.values() if each.name not in left_out]
        return tuple(
            Node(
                verb,
                {**_defaults(registry.verbs()[verb]), "process": expressions.value(each.name)},
                (),
                each.path,
                each.line,
                {"process": each.path},
                {"process": each.name},
            )
            for verb in ("start", "join")
            for each in own
        )

    def _body(self, data: Sequence[Any], path: Path) -> tuple[Node, ...]:
        """All that a process does; it is the same in every case."""
        if path not in self.bodies:
            self.bodies[path] = self.nodes.block(data, path)
        return self.bodies[path]


def _default_start_method() -> str:
    """Python's own default; asking multiprocessing would fix it for the whole process."""
    if sys.platform in ("win32", "darwin"):
        return "spawn"
    return "forkserver" if sys.version_info >= (3, 14) else "fork"


def _defaults(verb: Verb) -> dict[str, Compiled]:
    return {a.name: expressions.value(a.default) for a in verb.arguments}


def _started(processes: Any) -> Iterator[str]:
    """The declared names that processes other than main start, as far as the text shows."""
    for process in processes:
        for node in nodes_of(process.nodes or ()):
            if node.verb == "start" and node.arguments["process"].constant:
                found = expressions.evaluate(node.arguments["process"], {})
                for name in found if isinstance(found, list) else [found]:
                    yield str(name).partition("[")[0]
