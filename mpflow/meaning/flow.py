"""What one process does, action by action: a Declaration goes in, Problems come out.

Which variables it can have set where, loops and what leaves them, handlers, depth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

from mpflow import exceptions, expressions, registry
from mpflow.document import Path
from mpflow.evaluation import FUNCTIONS
from mpflow.expressions import Compiled
from mpflow.problems import suggestion
from mpflow.scenario import Declaration, Node, Scenario, nodes_of
from mpflow.scenario.findings import Findings
from mpflow.scenario.names import RESERVED

_Usable = tuple[Collection[str], ...]  # the names that may be used at some place, nearest or not

DEEPEST = 18  # CPython nests 20 blocks at most; a process's own code takes two


class _Around(NamedTuple):
    """What stands around an action."""

    loop: bool = False
    handler: bool = False
    depth: int = 0


def check(scenario: Scenario, declaration: Declaration, findings: Findings) -> None:
    """Everything about the variables and the control flow of one process."""
    _Flow(scenario, declaration, findings).check()


def variables(declaration: Declaration) -> Mapping[str, int] | None:
    """What a process may set, wherever, and the line where it first does; None where only the
    run can tell."""
    found = {name: declaration.line for name, _ in declaration.vars}
    for node in nodes_of(declaration.nodes or ()):
        for name in _set_by(node):
            if "$" in name:
                return None
            found.setdefault(name, node.line)
    return found


def _set_by(node: Node) -> Iterator[str]:
    """The variables that an action sets itself, as they are written."""
    return (name for name, _, _ in _set_at(node))


def _set_at(node: Node) -> Iterator[tuple[str, Path, bool]]:
    """The same, each with its place, and whether that is a key."""
    for argument in registry.verbs()[node.verb].arguments:
        written = node.written.get(argument.name)
        place = node.places.get(argument.name, node.path)
        if argument.form == "variable" and isinstance(written, str):
            yield written, place, False
        elif argument.form == "assignments" and isinstance(written, Mapping):
            yield from ((name, (*place, name), True) for name in written)


def _in(name: str, usable: _Usable) -> bool:
    return any(name in each for each in usable)


class _Flow:
    def __init__(self, scenario: Scenario, declaration: Declaration, findings: Findings) -> None:
        self.scenario = scenario
        self.declaration = declaration
        self.findings = findings
        self.every = variables(declaration)
        self.set: set[str] = set()  # the variables that can have been set so far

    def check(self) -> None:
        declaration = self.declaration
        self._reserved()
        for key, each in declaration.vars:
            self._used(each, (*declaration.path, "vars", key))
            self.set.add(key)
        if declaration.system_name is not None:
            self._used(declaration.system_name, (*declaration.path, "name"), names=False)
        primitives = self.scenario.names.primitives.keys()
        for key, each in (("args", declaration.args), ("kwargs", declaration.kwargs)):
            self._used(each, (*declaration.path, key), frozenset(primitives))
        self._block(declaration.nodes or (), _Around())

    def _reserved(self) -> None:
        path = self.declaration.path
        places = [(name, (*path, "vars", name), True) for name, _ in self.declaration.vars]
        for node in nodes_of(self.declaration.nodes or ()):
            places += _set_at(node)
        for name, place, key in places:
            if name in RESERVED or name in FUNCTIONS:
                message = f"`{name}` is a word of the language; it cannot be a variable"
                self.findings.report("reserved-name", message, place, "choose another", key=key)

    # Actions

    def _block(self, nodes: tuple[Node, ...], around: _Around) -> None:
        for node in nodes:
            self._node(node, around)

    def _node(self, node: Node, around: _Around) -> None:
        if node.verb in ("break", "continue") and not around.loop:
            message = f"`{node.verb}` stands outside of any loop"
            hint = "repeat, while and for are loops"
            self.findings.report("outside-loop", message, node.path, hint, key=True)
        self._arguments(node, around)
        if node.verb == "raise":
            self._exception(node.written.get("error"), node.places.get("error", node.path))
        action = registry.verbs()[node.verb].action
        if action is not None and action.structure is not None:
            weight, loop = action.structure.weight, action.structure.loop
            inner = around._replace(depth=around.depth + weight, loop=around.loop or loop)
            self._inside(node, inner, loop)
        self.set.update(_set_by(node))

    def _arguments(self, node: Node, around: _Around) -> None:
        extra = frozenset({"error"} if around.handler else ())
        if registry.verbs()[node.verb].function:
            extra |= self.scenario.names.primitives.keys()
        for argument in registry.verbs()[node.verb].arguments:
            if argument.name not in node.arguments:
                continue
            path = node.places.get(argument.name, node.path)
            compiled = node.arguments[argument.name]
            if argument.wrong is not None:
                self._sensible(compiled, argument.wrong, path)
            if argument.form == "assignments":
                self._let(node.written[argument.name], path, extra)
            else:
                self._used(compiled, path, extra, condition=argument.form == "condition")

    def _sensible(self, compiled: Compiled, wrong: Callable[[Any], str], path: Path) -> None:
        if compiled.constant and not compiled.functions:
            with suppress(Exception):  # then the action will fail the same way
                if message := wrong(expressions.evaluate(compiled, {})):
                    self.findings.report("out-of-range", message, path)

    def _let(self, written: Mapping[str, object], path: Path, extra: frozenset[str]) -> None:
        """Each variable is set before the next value is worked out."""
        for name, each in written.items():
            with suppress(expressions.ExpressionError):  # said when it was compiled
                self._used(expressions.value(each), (*path, name), extra)
            self.set.add(name)

    def _inside(self, node: Node, around: _Around, loop: bool) -> None:
        if around.depth > DEEPEST:
            message = f"more than {DEEPEST} blocks stand inside one another"
            self.findings.report("too-deep", message, node.path, key=True)
            return
        if node.verb == "try":
            self._try(node)
        if loop:  # what a turn sets is there in the next one
            self.set.update(_set_by(node))
            for inner in (each for block in node.blocks for each in nodes_of(block.nodes)):
                self.set.update(_set_by(inner))
        for block in node.blocks:
            handler = around.handler or block.part == "except"
            self._block(block.nodes, around._replace(handler=handler))

    def _try(self, node: Node) -> None:
        parts = {block.part for block in node.blocks}
        lost = {"about": "except"}
        if not parts & {"except", "finally"}:
            message, hint = "a `try` needs `except` or `finally`", "add `except: {TYPE: […]}`"
            self.findings.report("missing-key", message, node.path, hint, key=True, **lost)
        elif "else" in parts and "except" not in parts:
            path, message = node.places.get("else", node.path), "an `else` needs an `except`"
            hint = "add `except: {TYPE: […]}`"
            self.findings.report("missing-key", message, path, hint, key=True, **lost)
        own_types = any(
            registry.verbs()[each.verb].function
            for block in node.blocks
            for each in nodes_of(block.nodes)
        )
        for block in node.blocks:
            if block.exception is not None and not own_types:
                self._exception(block.exception, (*node.places["except"], block.exception), True)

    def _exception(self, name: object, path: Path, key: bool = False) -> None:
        if not isinstance(name, str) or ("$" in name and not key):
            return
        if name not in exceptions.names():
            message = f"no exception is called `{name}`"
            hint = suggestion(name, exceptions.names())
            hint = "" if "known" in hint else hint
            self.findings.report("unknown-exception", message, path, hint, key=key, about=name)

    # Names that are used

    def _used(
        self,
        compiled: Compiled,
        path: Path,
        extra: frozenset[str] = frozenset(),
        condition: bool = False,
        names: bool = True,
    ) -> None:
        """The names of an expression: are they known here, and do they have such attributes?"""
        usable: _Usable = (
            extra,
            self.scenario.params,
            self.set if names else (),
            () if self.declaration.count is None else ("index",),
        )
        for name in sorted(compiled.bare):
            if self.every is not None and not _in(name, usable):
                self._undefined(name, path, usable, condition)
        for name, attribute in compiled.attributes:
            self._attribute(name, attribute, path, usable, condition)

    def _attribute(
        self, name: str, attribute: str, path: Path, usable: _Usable, condition: bool
    ) -> None:
        names, main = self.scenario.names, self.declaration.name == "main"
        allowed: tuple[str, ...] = ()
        if name == "self" or (main and name in names.processes and not _in(name, usable)):
            allowed = ("name", "pid")
        elif name == "error" and _in("error", usable):
            allowed = ("type", "message")
        elif name in names.primitives and _in(name, usable):
            allowed = tuple(place.part[1:] for place in names.places(name))
        elif not _in(name, usable):
            if self.every is not None:
                self._undefined(name, path, usable, condition)
            return
        if attribute not in allowed:
            hint = suggestion(attribute, allowed) or "only self, processes and error have any"
            message = f"`{name}` has no attribute `{attribute}`"
            place = self.findings.place_of(name, path, condition)
            self.findings.report("unknown-attribute", message, place, hint, about=name)

    def _undefined(self, name: str, path: Path, usable: _Usable, condition: bool) -> None:
        message = f"`{name}` is not defined in `{self.declaration.name}`"
        if self.every is not None and name in self.every:
            message = f"`{name}` is not set yet; line {self.every[name]} sets it"
        place = self.findings.place_of(name, path, condition)
        hint = self._instead(name, usable)
        self.findings.report("undefined-variable", message, place, hint, about=name)

    def _instead(self, name: str, usable: _Usable) -> str:
        """What may have been meant by a name that is not known here."""
        names, own = self.scenario.names, self.declaration.name
        others = (each for each in self.scenario.processes.values() if each.name != own)
        if self.every is not None and name in self.every:
            return "set it before, by `let` or `vars`"
        if name == "index":
            return f"`index` is for replicas: give `{own}` a `count`" if own != "main" else ""
        if name == "error":
            return "`error` is known in an `except` block only"
        if name in names.primitives:
            return f"`{name}` is a primitive, not a value; where one is wanted write `{name}`"
        if name in names.processes:
            return f"in main, `{name}.pid` and `{name}.name` of a process can be asked"
        owner = next((each.name for each in others if name in (variables(each) or ())), None)
        if owner is not None:
            return f"it is a variable of `{owner}`; processes share none"
        hint = suggestion(name, chain.from_iterable(usable))
        return hint if "mean" in hint else "set it by `let`, `into` or `vars`"
