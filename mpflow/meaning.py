"""Scenario -> Problems of meaning: names, variables, who may join whom, control flow.

What can be seen without running is said here; what can also be meant, an error that a handler
or an `expect` waits for, is left to the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mpflow import exceptions, reach, registry
from mpflow.document import Document, Path
from mpflow.expressions import Compiled
from mpflow.names import RESERVED, Complaint
from mpflow.problems import Problem, suggestion
from mpflow.scenario import Condition, Declaration, Node, Scenario, nodes_of

DEEPEST = 18  # CPython nests 20 blocks at most; a process's own code takes two


class _Around(NamedTuple):
    """What stands around an action."""

    loop: bool = False
    handler: bool = False
    guarded: bool = False
    depth: int = 0


def problems(document: Document, scenario: Scenario) -> list[Problem]:
    """All that is wrong with what a scenario means."""
    checker = _Checker(document, scenario)
    checker.check()
    return checker.problems


class _Checker:
    def __init__(self, document: Document, scenario: Scenario) -> None:
        self.document = document
        self.scenario = scenario
        self.problems: list[Problem] = []
        self.guarded: set[Path] = set()
        self.parents = self._parents()

    def report(
        self, code: str, message: str, path: Path, hint: str = "", key: bool = False
    ) -> None:
        self.problems.append(self.document.problem(code, message, path, hint, key=key))

    def complain(self, complaint: Complaint, path: Path) -> None:
        self.report(complaint.code, complaint.message, path, complaint.hint)

    def check(self) -> None:
        self._namespace()
        self._matrix()
        for declaration in (*self.scenario.processes.values(), self.scenario.main):
            self._process(declaration)
        self._expectations()

    # Names that are declared

    def _namespace(self) -> None:
        from mpflow.evaluation import FUNCTIONS

        first: dict[str, str] = {}
        for section in ("params", "primitives", "processes"):
            for name in self.document.data.get(section) or {}:
                path = (section, name)
                if name in RESERVED or name in FUNCTIONS:
                    message = f"`{name}` is a word of the language; it cannot be a name"
                    self.report("reserved-name", message, path, "choose another", key=True)
                elif name in first:
                    message = f"`{name}` is declared twice: in {first[name]} and in {section}"
                    hint = "params, primitives and processes share one namespace"
                    self.report("duplicate-name", message, path, hint, key=True)
                first.setdefault(name, section)

    def _matrix(self) -> None:
        data = self.document.data
        known = {"start_method", *(data.get("params") or {})}
        for key, values in (data.get("matrix") or {}).items():
            if key not in known:
                message = f"`{key}` is neither a param nor `start_method`"
                self.report(
                    "unknown-key", message, ("matrix", key), suggestion(key, known), key=True
                )
            for i, value in enumerate(values if key == "start_method" else ()):
                if value not in ("fork", "spawn", "forkserver"):
                    path = ("matrix", key, i)
                    message = f"no start method is called {value!r:.60}"
                    self.report("bad-value", message, path, "fork, spawn or forkserver")

    # Processes

    def _process(self, declaration: Declaration) -> None:
        known = self._variables(declaration)
        self._reserved_variables(declaration)
        for index, (key, each) in enumerate(declaration.vars):
            earlier = {name for name, _ in declaration.vars[:index]}
            self._names_used(each, (*declaration.path, "vars", key), declaration, earlier)
        if declaration.system_name is not None:
            self._names_used(
                declaration.system_name, (*declaration.path, "name"), declaration, set()
            )
        for key, each in (("args", declaration.args), ("kwargs", declaration.kwargs)):
            path = (*declaration.path, key)
            self._names_used(each, path, declaration, set(self.scenario.names.primitives))
        self._block(declaration.nodes or (), declaration, known, _Around())
        self._references(declaration)

    def _variables(self, declaration: Declaration) -> set[str] | None:
        """What the process may have set, wherever; None where only the run can tell."""
        found = {name for name, _ in declaration.vars}
        for node in nodes_of(declaration.nodes or ()):
            for argument in registry.verbs()[node.verb].arguments:
                written = node.written.get(argument.name)
                if argument.form == "variable" and isinstance(written, str):
                    if "$" in written:
                        return None
                    found.add(written)
                elif argument.form == "assignments" and isinstance(written, Mapping):
                    found.update(written)
        return found

    def _reserved_variables(self, declaration: Declaration) -> None:
        places = [((*declaration.path, "vars", name), name) for name, _ in declaration.vars]
        for node in nodes_of(declaration.nodes or ()):
            for argument in registry.verbs()[node.verb].arguments:
                written = node.written.get(argument.name)
                place = node.places.get(argument.name, node.path)
                if argument.form == "variable" and isinstance(written, str):
                    places.append((place, written))
                elif argument.form == "assignments" and isinstance(written, Mapping):
                    places += [((*place, name), name) for name in written]
        for place, name in places:
            if name in RESERVED:
                message = f"`{name}` is a word of the language; it cannot be a variable"
                self.report(
                    "reserved-name", message, place, "choose another", key=name != place[-1]
                )

    def _block(
        self,
        nodes: tuple[Node, ...],
        declaration: Declaration,
        known: set[str] | None,
        around: _Around,
    ) -> None:
        for node in nodes:
            self._node(node, declaration, known, around)

    def _node(
        self, node: Node, declaration: Declaration, known: set[str] | None, around: _Around
    ) -> None:
        verb = registry.verbs()[node.verb]
        action = verb.action
        if node.verb in ("break", "continue") and not around.loop:
            message = f"`{node.verb}` stands outside of any loop"
            self.report("outside-loop", message, node.path, "repeat, while and for are loops")
        if around.guarded:
            self.guarded.add(node.path)
        for name, compiled in node.arguments.items():
            path = node.places.get(name, node.path)
            extra = {"error"} if around.handler else set()
            if known is not None:
                primitives = set(self.scenario.names.primitives) if node.verb == "call" else set()
                self._names_used(compiled, path, declaration, known | extra | primitives)
        if node.verb == "raise":
            self._exception(node.written.get("error"), node.places.get("error", node.path))
        if action is not None and action.structure is not None:
            structure = action.structure
            inner = around._replace(depth=around.depth + structure.weight)
            if inner.depth > DEEPEST:
                message = f"more than {DEEPEST} blocks stand inside one another"
                self.report("too-deep", message, node.path)
                return
            self._inside(
                node, declaration, known, inner._replace(loop=around.loop or structure.loop)
            )

    def _inside(
        self, node: Node, declaration: Declaration, known: set[str] | None, around: _Around
    ) -> None:
        handled = any(block.part == "except" for block in node.blocks)
        if node.verb == "try":
            self._try(node)
        for block in node.blocks:
            guarded = around.guarded or (handled and block.part == "do")
            handler = around.handler or block.part == "except"
            inner = around._replace(guarded=guarded, handler=handler)
            self._block(block.nodes, declaration, known, inner)

    def _try(self, node: Node) -> None:
        parts = {block.part for block in node.blocks}
        if not parts & {"except", "finally"}:
            message = "a `try` needs `except` or `finally`"
            self.report("missing-key", message, node.path, "add `except: {TYPE: […]}`", key=True)
        elif "else" in parts and "except" not in parts:
            path = node.places.get("else", node.path)
            self.report("missing-key", "an `else` needs an `except`", path, key=True)
        open_types = any(
            each.verb == "call" for each in nodes_of(node.blocks[0].nodes if node.blocks else ())
        )
        for block in node.blocks:
            if block.exception is not None and not open_types:
                self._exception(block.exception, (*node.places["except"], block.exception), True)

    def _exception(self, name: object, path: Path, key: bool = False) -> None:
        if isinstance(name, str) and "$" not in name and name not in exceptions.names():
            message = f"no exception is called `{name}`"
            hint = suggestion(name, exceptions.names())
            self.report("unknown-exception", message, path, "" if "known" in hint else hint, key)

    # Names that are used

    def _names_used(
        self, compiled: Compiled, path: Path, declaration: Declaration, known: set[str]
    ) -> None:
        usable = known | self.scenario.params.keys() | {"self"}
        if declaration.count is not None:
            usable.add("index")
        attributes = dict(compiled.attributes)
        for name in sorted(compiled.names - usable):
            if name in attributes and self._attribute_allowed(name, declaration):
                continue
            self._undefined(name, path, declaration, usable)
        for name, attribute in compiled.attributes:
            self._attribute(name, attribute, path, known)
        if "self" in compiled.names and "self" not in attributes:
            message = "`self` is no value; it has `self.name` and `self.pid`"
            self.report("bad-expression", message, path, "write $(self.name)")

    def _attribute_allowed(self, name: str, declaration: Declaration) -> bool:
        return name in self.scenario.names.processes and declaration.name == "main"

    def _attribute(self, name: str, attribute: str, path: Path, known: set[str]) -> None:
        allowed: tuple[str, ...]
        if name == "self" or name in self.scenario.names.processes and name not in known:
            allowed = ("name", "pid")
        elif name == "error" and "error" in known:
            allowed = ("type", "message")
        elif name in self.scenario.names.primitives:
            allowed = tuple(p.part[1:] for p in self.scenario.names.places(name))
        else:
            allowed = ()
        if attribute not in allowed:
            hint = (
                suggestion(attribute, allowed) if allowed else "only self, processes and error do"
            )
            message = f"`{name}` has no attribute `{attribute}`"
            self.report("unknown-attribute", message, path, hint)

    def _undefined(self, name: str, path: Path, declaration: Declaration, usable: set[str]) -> None:
        names = self.scenario.names
        if name == "index":
            hint = f"`index` is for replicas: give `{declaration.name}` a `count`"
        elif name == "error":
            hint = "`error` is known in an `except` block only"
        elif name in names.primitives:
            hint = f"`{name}` is a primitive, not a value"
        elif name in names.processes:
            hint = f"in main, `{name}.pid` and `{name}.name` of a process can be asked"
        else:
            hint = suggestion(name, usable - {"self"})
            hint = hint or "set it by `let`, `into` or `vars`"
        place = self._within(path, name)
        message = f"`{name}` is not defined in `{declaration.name}`"
        self.problems.append(self.document.problem("undefined-variable", message, place, hint))

    def _within(self, path: Path, name: str) -> Path:
        """The innermost text that uses a name."""
        from mpflow.scenario import leaves

        data: object = self.document.data
        for part in path:
            try:
                data = data[part]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return path
        for leaf, place, key in leaves(data, path):
            if not key and name in leaf:
                return place
        return path

    # What actions act on

    def _parents(self) -> Mapping[str, set[str]]:
        """For each process, the declared names of those that may start it."""
        parents: dict[str, set[str]] = {}
        for declaration in (self.scenario.main, *self.scenario.processes.values()):
            for index in _indexes(declaration):
                for name in reach.startable(self.scenario, declaration, index):
                    parents.setdefault(name, set()).add(declaration.name)
        return parents

    def _references(self, declaration: Declaration) -> None:
        for index in _indexes(declaration):
            for reference in reach.references(self.scenario, declaration, index):
                self._reference(reference, declaration)

    def _reference(self, reference: reach.Reference, declaration: Declaration) -> None:
        node, verb = reference.node, reference.verb
        path = node.places.get(reference.argument.name, node.path)
        if reference.names is None:
            self._base(reference, path)
            return
        for i, text in enumerate(reference.names):
            place = (
                (*path, i) if isinstance(node.written.get(reference.argument.name), list) else path
            )
            if text == "all" and reference.argument.form == "processes":
                continue
            found = self.scenario.names.subject(text, verb)
            if isinstance(found, Complaint):
                self.complain(found, place)
                continue
            for each in found:
                if each.type == "process":
                    self._parenthood(each.name, node, declaration, place)
                else:
                    self._refused(each.declared, each.part, node, place)

    def _base(self, reference: reach.Reference, path: Path) -> None:
        names = self.scenario.names
        known = {**names.primitives, **names.processes}
        if reference.base is not None and reference.base not in known:
            hint = suggestion(reference.base, known)
            self.report(
                "unknown-primitive", f"no primitive is called `{reference.base}`", path, hint
            )

    def _refused(self, declared: str, part: str, node: Node, path: Path) -> None:
        primitive = self.scenario.names.primitives[declared]
        reason = registry.primitive(primitive.type).refuses(node.verb, part, primitive.options)
        if reason is not None and not self._meant(node):
            name = f"{declared}{part}"
            self.report("wrong-end", f"`{node.verb}` cannot be done on `{name}`", path, reason)

    def _parenthood(self, name: str, node: Node, declaration: Declaration, path: Path) -> None:
        if node.verb not in ("join", "is_alive", "close") or self._meant(node):
            return
        parents = self.parents.get(name, set())
        if declaration.name in parents:
            return
        if name in declaration.replicas and declaration.count is None:
            message = f"`{name}` cannot {node.verb} itself"
        elif not parents:
            message = f"`{name}` is never started"
        else:
            message = (
                f"only the parent may {node.verb} `{name}`: it is started by {_listed(parents)}"
            )
        hint = f"`{declaration.name}` does not start it"
        self.report("not-the-parent", message, path, hint)

    def _meant(self, node: Node) -> bool:
        """Whether the scenario waits for the error that a misuse gives."""
        return node.path in self.guarded or bool(self.scenario.expectation.errors)

    # What is expected

    def _expectations(self) -> None:
        outcome = {name for name, _ in self.scenario.outcome}
        for name, condition in self.scenario.outcome:
            if name in RESERVED:
                path = ("outcome", name)
                message = f"`{name}` is a word of the language; it cannot be a name"
                self.report("reserved-name", message, path, "choose another", key=True)
            self._condition(condition, set())
        expectation = self.scenario.expectation
        for each in (*expectation.always, *expectation.never, *expectation.sometimes):
            self._condition(each, outcome)
        marks, sections = self._labels("mark"), self._labels("section")
        for i, (first, second, _) in enumerate(expectation.order):
            for j, mark in enumerate((first, second)):
                if marks is not None and mark not in marks:
                    path = ("expect", "order", i, j)
                    hint = suggestion(mark, marks)
                    self.report("unknown-mark", f"no mark is called `{mark}`", path, hint)
        for section in expectation.exclusive:
            if sections is not None and section not in sections:
                path = ("expect", "exclusive", section)
                hint = suggestion(section, sections)
                self.report(
                    "unknown-section", f"no section is called `{section}`", path, hint, True
                )
        self._outcomes(outcome)

    def _outcomes(self, outcome: set[str]) -> None:
        for i, each in enumerate(self.scenario.expectation.outcomes or ()):
            for key in each if isinstance(each, Mapping) else ():
                if key not in outcome:
                    path = ("expect", "outcomes", i, key)
                    message = f"`outcome` has no `{key}`"
                    self.report(
                        "unknown-outcome", message, path, suggestion(str(key), outcome), True
                    )

    def _labels(self, verb: str) -> set[str] | None:
        """The names of all marks or sections; None where only the run can tell."""
        found: set[str] = set()
        for declaration in (self.scenario.main, *self.scenario.processes.values()):
            if declaration.python:
                continue
            for node in nodes_of(declaration.nodes or ()):
                if node.verb == verb:
                    name = str(node.written.get("name"))
                    if "$" in name:
                        return None
                    found.add(name)
        return found

    def _condition(self, condition: Condition, outcome: set[str]) -> None:
        processes = {*self.scenario.names.processes, "main"}
        usable = processes | outcome | {"output"} | self.scenario.params.keys()
        for name in sorted(condition.compiled.names - usable):
            hint = self._lonely_variable(name) or suggestion(name, usable)
            message = f"`{name}` is not known in `{condition.path[0]}`"
            place = self.document.problem("undefined-variable", message, condition.path, hint)
            self.problems.append(place)
        attributes = dict(condition.compiled.attributes)
        for name, attribute in condition.compiled.attributes:
            if name in processes:
                self._observed(name, attribute, condition)
            elif name in usable:
                message = f"`{name}` has no attributes"
                self.report("unknown-attribute", message, condition.path)
        for name in sorted(condition.compiled.names & processes - attributes.keys()):
            message = f"`{name}` is a process; ask for one of its variables, `exitcode` or `error`"
            self.report("bad-expression", message, condition.path, f"write `{name}.exitcode`")
        for function in sorted(condition.compiled.functions & {"time", "ctime", "cpu_count"}):
            message = f"`{function}()` tells nothing about a run that is over"
            self.report("bad-expression", message, condition.path)

    def _observed(self, process: str, attribute: str, condition: Condition) -> None:
        """A variable of a process in `expect`: one that it can have set."""
        declaration = self.scenario.processes.get(process, self.scenario.main)
        known = None if declaration.python else self._variables(declaration)
        names = {"exitcode", "error", "name", "pid"}
        if known is None or attribute in known | names:
            return
        message = f"`{process}` never sets a variable `{attribute}`"
        hint = suggestion(attribute, known | {"exitcode", "error"})
        self.report("undefined-variable", message, condition.path, hint)

    def _lonely_variable(self, name: str) -> str:
        for declaration in (*self.scenario.processes.values(), self.scenario.main):
            if name in (self._variables(declaration) or ()):
                return f"say whose it is: `{declaration.name}.{name}`"
        return ""


def _indexes(declaration: Declaration) -> Iterator[int | None]:
    """The replicas' indexes; a process without `count` has none."""
    if declaration.count is None:
        yield None
    else:
        yield from range(declaration.count)


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
