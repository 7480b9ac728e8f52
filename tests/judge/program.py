"""A scenario file as a program: primitives, processes, blocks of actions (language.md, 1 to 4)."""

from __future__ import annotations

from typing import Any, NamedTuple

from .bases import Leave, Unsupported
from .language import Names, fill, is_dynamic

FIRST = {
    "lock": "acquire release with",
    "event": "set clear is_set",
    "for": "wait wait_any",
    "condition": "notify notify_all assert while if",
    "barrier": "abort reset",
    "from": "get recv poll load choose recv_bytes pop delete",
    "queue": "qsize empty full task_done join_thread cancel_join_thread",
    "what": "close unlink",
    "process": "start join terminate kill is_alive exitcode suspend resume signal",
    "into": "active_children",
    "text": "print write",
    "seconds": "sleep",
    "name": "mark section",
    "error": "raise",
    "code": "exit os_exit",
    "times": "repeat",
    "each": "for",
    "of": "length fileno",
    "value": "put send store send_bytes append",
    "function": "call",
    "": "try return pass break continue crash let",
}
SHORT = {verb: first for first, verbs in FIRST.items() for verb in verbs.split()}
BLOCKS = ("do", "then", "else", "finally")
SEMLOCKS = {"lock", "rlock", "semaphore", "bounded_semaphore"}


class Action(NamedTuple):
    verb: str
    arguments: dict[str, Any]
    blocks: dict[str, int]  # do, then, else, finally, and "except TYPE": the block's number


class Primitive(NamedTuple):
    kind: str
    name: str
    options: dict[str, Any]

    def slots(self) -> int:
        """How many items a queue may hold."""
        maxsize = self.options.get("maxsize", 0)
        return maxsize if maxsize > 0 else 2**31 - 1


class Process(NamedTuple):
    name: str
    block: int
    names: dict[str, Any]  # index, for a replica
    variables: dict[str, Any]
    shown: str
    daemon: bool
    actions: list[Any]


class Program:
    def __init__(self, data: dict[str, Any], params: dict[str, Any] | None) -> None:
        if data.get("timing", "any") != "any":
            raise Unsupported("timing")
        self.params = dict(data.get("params") or {}) | (params or {})
        for key in set(data.get("matrix") or {}) - {"start_method"} - set(params or {}):
            raise Unsupported(f"a matrix of {key}")
        if is_dynamic(self.params):
            raise Unsupported("a $ in params")
        self.blocks: list[list[Action]] = []
        self.primitives: dict[str, Primitive] = {}
        for name, given in (data.get("primitives") or {}).items():
            self.declare_primitive(name, {"type": given} if isinstance(given, str) else given)
        self.processes: dict[str, Process] = {}
        self.replicas: dict[str, list[str]] = {}
        for name, given in (data["processes"] or {}).items():
            self.declare_process(name, given)
        main = data.get("main")
        if main is None:
            names = list(data["processes"] or {})
            main = [{"start": names}, {"join": names}]
        self.processes["main"] = Process(
            "main", self.block(main), {}, {}, "MainProcess", False, main
        )
        self.outcome: dict[str, Any] = data.get("outcome") or {}

    # ---- primitives -------------------------------------------------------------------------

    def declare_primitive(self, name: str, given: dict[str, Any]) -> None:
        count = fill(given.get("count"), Names(self.params))
        for index in [None] if count is None else range(count):
            here = Names({} if index is None else {"index": index}, self.params)
            options = fill({k: v for k, v in given.items() if k not in ("type", "count")}, here)
            whole = name if index is None else f"{name}[{index}]"
            self.primitives[whole] = Primitive(given["type"], whole, options)

    def primitive(self, name: Any, *kinds: str) -> Primitive:
        found = self.primitives.get(name) if isinstance(name, str) else None
        if found is None:
            raise Unsupported(f"no such primitive: {name!r}")
        if kinds and found.kind not in kinds:
            raise Unsupported(f"{name} is a {found.kind}")
        return found

    def end(self, name: Any) -> tuple[str, int] | None:
        """A pipe's end by its name, link.conn1."""
        pipe, dot, end = name.rpartition(".") if isinstance(name, str) else ("", "", "")
        if not dot or pipe not in self.primitives or self.primitives[pipe].kind != "pipe":
            return None
        ends = self.primitives[pipe].options.get("ends", ["conn1", "conn2"])
        return (pipe, ends.index(end)) if end in ends else None

    # ---- processes --------------------------------------------------------------------------

    def declare_process(self, name: str, given: dict[str, Any]) -> None:
        if "actions" not in given:
            raise Unsupported("a process with target or class")
        block = self.block(given["actions"])
        count = fill(given.get("count"), Names(self.params))
        self.replicas[name] = []
        for index in [None] if count is None else range(count):
            names = {} if index is None else {"index": index}
            here = Names(names, self.params)
            whole = name if index is None else f"{name}[{index}]"
            try:
                shown = fill(given.get("name", whole.replace("$", "$$")), here)
                variables = fill(given.get("vars") or {}, here)
            except Leave as leave:
                raise Unsupported(f"vars or name: {leave.what}") from None
            self.processes[whole] = Process(
                whole, block, names, variables, str(shown), bool(given.get("daemon")),
                given["actions"],
            )  # fmt: skip
            self.replicas[name].append(whole)

    def chosen(self, named: Any) -> list[str]:
        """The processes that a `process` argument means; a queue's name stands for itself."""
        if isinstance(named, list):
            return [p for one in named for p in self.chosen(one)]
        if named == "all":
            return [p for p in self.processes if p != "main"]
        if isinstance(named, str) and named in self.replicas:
            return self.replicas[named]
        if named in self.processes or named in self.primitives:
            return [named]
        raise Unsupported(f"no such process: {named!r}")

    # ---- actions ----------------------------------------------------------------------------

    def block(self, actions: list[Any]) -> int:
        self.blocks.append([])
        number = len(self.blocks) - 1
        self.blocks[number] = [self.action(given) for given in actions]
        return number

    def action(self, given: Any) -> Action:
        verb, value = (given, {}) if isinstance(given, str) else next(iter(given.items()))
        if verb not in SHORT:
            raise Unsupported(f"the verb {verb}")
        if verb == "let":
            return Action(verb, {"let": value}, {})
        if not isinstance(value, dict):
            value = {} if value is None and verb in BARE else {SHORT[verb]: value}
        blocks = {key: self.block(value[key] or []) for key in BLOCKS if key in value}
        for kind, handler in (value.get("except") or {}).items():
            blocks[f"except {kind}"] = self.block(handler or [])
        arguments = {k: v for k, v in value.items() if k not in BLOCKS and k != "except"}
        return Action(verb, arguments, blocks)

    # ---- what a process names: this is what it gets under spawn -----------------------------

    def named(self) -> dict[str, set[str] | None]:
        """For each process the primitives and pipe ends that it or those it may start name."""
        own: dict[str, set[str] | None] = {}
        starts: dict[str, set[str]] = {}
        for p in self.processes.values():
            found = self.texts_of(p)
            own[p.name] = None if found is None else found[0]
            starts[p.name] = set(self.processes) - {"main"} if found is None else found[1]
        result: dict[str, set[str] | None] = {}
        for p in own:
            reached = {p}
            while more := {q for r in reached for q in starts[r]} - reached:
                reached |= more
            parts = [own[q] for q in reached]
            result[p] = None if None in parts else set().union(*(part or () for part in parts))
        return result

    def texts_of(self, process: Process) -> tuple[set[str], set[str]] | None:
        """All names in a process's actions, and whom it starts; None: not known beforehand."""
        here = Names(process.names, self.params)
        names: set[str] = set()
        starts: set[str] = set()

        def add(verb: str, key: str, data: Any) -> bool:
            if key not in NAMING or verb == "choose":
                return True
            if key == "condition" and verb not in ("notify", "notify_all"):
                return True
            try:
                value = fill(data, here)
                for one in value if isinstance(value, list) else [value]:
                    names.add(one)
                if verb == "start":
                    starts.update(self.chosen(value))
            except (Leave, TypeError):
                return False
            return True

        def visit(block: int) -> bool:
            return all(
                all(add(action.verb, key, data) for key, data in action.arguments.items())
                and all(visit(inner) for inner in action.blocks.values())
                for action in self.blocks[block]
            )

        return (names, starts) if visit(process.block) else None

    def ends_named(self, names: set[str] | None) -> tuple[tuple[str, int], ...]:
        found = (self.end(name) for name in names or ())
        return tuple(sorted(end for end in found if end))


NAMING = {
    "lock", "event", "for", "condition", "barrier", "from", "queue", "what", "process", "to", "of",
    "on", "pool",
}  # fmt: skip
BARE = {"return", "pass", "break", "continue", "crash", "exit", "os_exit", "active_children"}
