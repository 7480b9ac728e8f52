"""What actions act on: a Scenario goes in, Problems with the names come out.

Is there such a primitive, end or process, does the verb go with it, may this process do it?
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mpflow import registry
from mpflow.document import Path
from mpflow.meaning.awaited import Awaited
from mpflow.meaning.holding import Holding
from mpflow.scenario import Declaration, Node, Scenario, reach
from mpflow.scenario.findings import Findings
from mpflow.scenario.names import Complaint, Place, a

_COMPUTED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\[[^\]]*\$.*\](\.[A-Za-z_][A-Za-z0-9_]*)?")


def check(scenario: Scenario, findings: Findings) -> None:
    """Every name of every action, for every replica that it is another one for."""
    parents = _parents(scenario) if _all_start_names_known(scenario) else None
    for declaration in (*scenario.processes.values(), scenario.main):
        checker = _References(scenario, declaration, findings, parents)
        for i, index in enumerate(_indexes(declaration)):
            references = list(reach.references(scenario, declaration, index, indexed=i > 0))
            checker.check(references, first=i == 0)


def _indexes(declaration: Declaration) -> Iterator[int | None]:
    """The replicas' indexes; a process without `count` has none, one without replicas a first."""
    if declaration.count is None:
        yield None
    else:
        yield from range(max(declaration.count, 1))


def _parents(scenario: Scenario) -> Mapping[str, set[str]]:
    """For each process, the declared names of those that may start it."""
    parents: dict[str, set[str]] = {}
    for declaration in (scenario.main, *scenario.processes.values()):
        for i, index in enumerate(_indexes(declaration)):
            for name in reach.startable(scenario, declaration, index, indexed=i > 0):
                parents.setdefault(name, set()).add(declaration.name)
    return parents


def _all_start_names_known(scenario: Scenario) -> bool:
    """Whether every `start` names processes that there are; else who starts whom is not clear."""
    for declaration in (scenario.main, *scenario.processes.values()):
        for reference in reach.references(scenario, declaration, 0):
            for text in reference.names or () if reference.verb.name == "start" else ():
                if text != "all" and isinstance(scenario.names.process(text), Complaint):
                    return False
    return True


class _References:
    def __init__(
        self,
        scenario: Scenario,
        declaration: Declaration,
        findings: Findings,
        parents: Mapping[str, set[str]] | None,
    ) -> None:
        self.scenario = scenario
        self.declaration = declaration
        self.findings = findings
        self.parents = parents
        self.awaited = Awaited(scenario, declaration)
        self.holding = Holding(scenario, declaration, self.awaited)
        self.certain = set(_certain(declaration.nodes or ()))
        self.said: set[tuple[str, Path]] = set()  # so that replicas do not repeat each other

    def check(self, references: list[reach.Reference], first: bool) -> None:
        """The naming arguments of the first replica, or those that are others in a further one."""
        for reference in references:
            self._check(reference)
        held = self.holding.first if first else self.holding.further
        for complaint, path in held(references):
            self._complain(complaint, path)

    def _check(self, reference: reach.Reference) -> None:
        """One naming argument, as one replica has it."""
        node, name = reference.node, reference.argument.name
        path, written = node.places.get(name, node.path), node.written.get(name)
        if reference.names is None:
            self._computed(reference, written, path)
            return
        for i, text in enumerate(reference.names):
            if text != "all" or reference.argument.form != "processes":
                self._named(text, reference, (*path, i) if isinstance(written, list) else path)

    def _computed(self, reference: reach.Reference, written: object, path: Path) -> None:
        """`forks[$i]`: its index is for the run to tell, all else can be seen."""
        shape = _COMPUTED.fullmatch(written) if isinstance(written, str) else None
        if shape is None:
            return
        found = self.scenario.names.subject(f"{shape[1]}[0]{shape[2] or ''}", reference.verb)
        if isinstance(found, Complaint) and found.code != "index-out-of-range":
            message = found.message.replace(f"`{shape[1]}[0]{shape[2] or ''}`", f"`{shape[1]}`")
            self._complain(found._replace(message=message), path)
        elif not isinstance(found, Complaint):
            self._arguments(found[0], reference)

    def _named(self, text: str, reference: reach.Reference, path: Path) -> None:
        found = self.scenario.names.subject(text, reference.verb)
        if isinstance(found, Complaint):
            constant = reference.node.arguments[reference.argument.name].constant
            if constant or reference.node.path in self.certain:  # else an `if` may prevent it
                self._complain(found, path)
            return
        for each in found:
            if each.type == "process":
                self._process(each.name, each.declared, reference.node, path)
            else:
                self._refused(each.declared, each.part, reference.node, path)
                self._elsewhere(each.type, each.declared, reference.node, path)
            self._arguments(each, reference)

    def _complain(self, complaint: Complaint, path: Path, key: bool = False) -> None:
        if (complaint.code, path) not in self.said:
            self.said.add((complaint.code, path))
            self.findings.complain(complaint, path, key)

    def _refused(self, declared: str, part: str, node: Node, path: Path) -> None:
        primitive = self.scenario.names.primitives[declared]
        reason = registry.primitive(primitive.type).refuses(node.verb, part, primitive.options)
        if reason is not None and node not in self.awaited:
            message = f"`{node.verb}` cannot be done on `{declared}{part}`"
            self._complain(Complaint("wrong-end", message, reason, declared), path)

    def _elsewhere(self, type_name: str, declared: str, node: Node, path: Path) -> None:
        """What main alone can use is not for other processes."""
        only_main = registry.primitive(type_name).only_main
        if only_main and self.declaration.name != "main" and node not in self.awaited:
            message = f"`{declared}` is {a(type_name)}: only main can use it"
            hint = "Python: pool objects cannot be passed between processes or pickled"
            self._complain(Complaint("not-in-main", message, hint, declared), path)

    def _arguments(self, place: Place, reference: reach.Reference) -> None:
        """A verb that goes with several types does not take the same arguments for each."""
        node, operation = reference.node, None
        if reference.verb.action is None:
            operation = registry.primitive(place.type).operation(node.verb)
        if operation is None or node in self.awaited:
            return
        own = [operation.subject.name, *(each.name for each in operation.arguments)]
        for name in (each for each in node.written if each not in own):
            message = (
                f"`{node.verb}` takes no `{name}` for {a(place.type)}, which `{place.declared}` is"
            )
            complaint = Complaint(
                "wrong-argument", message, f"it takes {listed(own)}", place.declared
            )
            self._complain(complaint, node.places[name], key=True)
        for name in (each for each in operation.needs if each not in node.written):
            message = (
                f"`{node.verb}` needs `{name}` for {a(place.type)}, which `{place.declared}` is"
            )
            complaint = Complaint("missing-key", message, "", place.declared)
            self._complain(complaint, node.path, key=True)

    def _process(self, name: str, declared: str, node: Node, path: Path) -> None:
        """A process may be started by another one, and joined by that one alone."""
        own = self.declaration
        if node in self.awaited:
            return
        if node.verb == "start" and own.count is None and name == own.name:
            message = f"`{name}` cannot start itself"
            self._complain(Complaint("starts-itself", message, "", declared), path)
        elif node.verb == "start" and own.daemon:
            message = f"`{own.name}` is a daemon: it cannot start `{name}`"
            hint = "Python: daemonic processes are not allowed to have children"
            self._complain(Complaint("daemon-parent", message, hint, declared), path)
        elif node.verb in ("join", "is_alive", "close"):
            self._parenthood(name, declared, node, path)

    def _parenthood(self, name: str, declared: str, node: Node, path: Path) -> None:
        if self.parents is None or {"start", "all"} <= self.findings.lost:
            return
        parents, own = self.parents.get(name, set()), self.declaration
        if own.name in parents:
            return
        hint = f"`{own.name}` does not start it"
        if name in own.replicas:
            message, hint = f"`{name}` cannot {node.verb} itself", ""
        elif parents:
            listed = ", ".join(f"`{each}`" for each in sorted(parents))
            message = (
                f"`{node.verb}` of `{name}` is for its parent alone: it is started by {listed}"
            )
        elif node.verb != "join":
            return  # of what was never started, that can be asked
        else:
            message, hint = f"`{name}` is never started", f"`start: {declared}` comes first"
        self._complain(Complaint("not-the-parent", message, hint, declared), path)


def listed(names: Sequence[str]) -> str:
    """Names for a message: `a`, `b` and `c`."""
    quoted = [f"`{each}`" for each in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def _certain(nodes: tuple[Node, ...]) -> Iterator[Path]:
    """The paths of the actions that no condition stands before."""
    for node in nodes:
        yield node.path
        if node.verb in ("with", "section"):
            for block in node.blocks:
                yield from _certain(block.nodes)
