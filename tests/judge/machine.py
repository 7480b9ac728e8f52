"""One scenario as a machine: its first state, and from each state those that can follow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import bases, pipes, process, table
from .bases import Leave, Left, Results, Table, TooBig, Unsupported, V, World
from .control import functions
from .doing import Doing
from .language import condition, fill
from .making import first_world
from .managers import serve
from .names import Own
from .program import Program
from .transport import FUNCTIONS

MOST_OWN_STEPS = 20_000
KILLING = {"terminate", "kill", "signal", "crash"}


class Machine:
    def __init__(self, program: Program, method: str, version: tuple[int, int]) -> None:
        self.program = program
        self.method = method
        self.table = Table()
        self.orders: set[tuple[str, str]] = set()
        self.functions = FUNCTIONS | functions(program)
        self.requests: dict[Any, tuple[str, Any]] = {}
        self.inside: dict[int, frozenset[str]] = {}
        verbs = {action.verb for block in program.blocks for action in block}
        daemons = any(p.daemon for p in program.processes.values())
        self.killing = bool(verbs & KILLING) or daemons
        self.names = program.named()
        self.version = version
        self.steps: dict[str, Any] = bases.STEPS | pipes.STEPS | table.STEPS | process.STEPS | {
            "print": self.print, "mark": self.mark, "begin": self.begin, "crash": self.crash,
            "os_exit": self.os_exit, "manager": self.manager, "ready": self.ready,
            "spin": process.pause,
        }  # fmt: skip
        self.own: dict[str, Any] = pipes.OWN | process.OWN | {
            "arg": self.argument, "condition": self.condition, "error": self.caught,
            "length": self.length, "version": self.get_version, "names_go": self.names_go,
            "assign": self.assign, "erred": self.erred, "let": self.let,
        }  # fmt: skip
        if self.killing:  # then it can be seen how far a process had come
            for name in ("assign", "let", "erred"):
                self.steps[name] = self.own.pop(name)
        if self.killing and any(p.kind.startswith("manager") for p in program.primitives.values()):
            raise Unsupported("a manager whose clients may be killed")

    def first(self) -> tuple[int, ...]:
        return first_world(self.table, self.program, self.method, self.version, self.names).state()

    # ---- what follows -----------------------------------------------------------------------

    def successors(self, state: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        here = World(self.table, state)
        for p in self.program.processes:
            if here.get(("status", p)) != "run":
                continue
            for number in table.deaths(here, p):
                w = here.fork()
                table.die(w, (p, ""), p, -number)
                yield w.state()
            stop = here.get(("stop", p))
            if stop == "stopping":
                w = here.fork()
                w.set(("stop", p), "stopped")
                yield w.state()
            if stop != "stopped":
                yield from self.of_thread(here, (p, ""))
                for q in here.get(("queues",)):
                    yield from self.of_thread(here, (p, q))

    def of_thread(self, here: World, me: tuple[str, str]) -> Iterator[tuple[int, ...]]:
        key = ("thread", *me)
        stack = here.get(key)
        if not stack:
            return
        _, (name, *arguments) = self.request(stack[-1])
        try:
            results = self.steps[name](here.fork(), me, *arguments)
        except Leave as leave:
            w = here.fork()
            results = [(Left(leave.what), w)]
        for result, w in results:
            if w.get(key) is not None and w.get(("status", me[0])) == "run":
                self.settle(w, me, [*stack[:-1], told(stack[-1], result)])
            yield w.state()

    def settle(self, w: World, me: tuple[str, str], stack: list[Any]) -> None:
        """Do all that the thread does by itself, up to its next step."""
        seen: set[Any] = set()
        for turn in range(MOST_OWN_STEPS):
            how, what = self.request(stack[-1])
            if how == "call":
                name, *arguments = what
                if name == "become":
                    stack[-1] = (arguments[0], tuple(arguments[1:]), ())
                elif name in self.functions:
                    stack.append((name, tuple(arguments), ()))
                elif name in self.own:
                    try:
                        ((result, _),) = self.own[name](w, me, *arguments)
                    except Leave as leave:
                        result = Left(leave.what)
                    stack[-1] = told(stack[-1], result)
                else:
                    break
            else:
                stack.pop()
                stack[-1] = told(stack[-1], what)
            if turn > 1000:
                now = (tuple(stack), w.get(("variables", me[0])))
                if now in seen:  # it turns for ever, and nobody can tell
                    stack.append(("spinning", (), ()))
                    break
                seen.add(now)
        else:
            raise TooBig("a loop of steps that nobody else can see")
        w.set(("thread", *me), tuple(stack))

    def request(self, frame: Any) -> tuple[str, Any]:
        """What the topmost function asks for now: ("call", …), or ("result", what it gave)."""
        known = self.requests.get(frame)
        if known is None:
            known = self.requests[frame] = self.run_again(*frame)
        return known

    def run_again(self, name: str, arguments: Any, results: Any) -> tuple[str, Any]:
        if name == "spinning":
            return "call", ("spin",)
        running = self.functions[name](*arguments)
        try:
            asked = next(running)
            for result in results:
                if isinstance(result, Left):
                    asked = running.throw(Leave(*result.what))
                else:
                    asked = running.send(result)
        except StopIteration as stopped:
            return "result", stopped.value
        except Leave as leave:
            return "result", Left(leave.what)
        return "call", asked

    def sections(self, stack_number: int) -> frozenset[str]:
        found = self.inside.get(stack_number)
        if found is None:
            stack = self.table.values[stack_number] or ()
            found = frozenset(frame[1][0] for frame in stack if frame[0] == "inside")
            self.inside[stack_number] = found
        return found

    # ---- steps that need to know the program ------------------------------------------------

    def names_of(self, w: World, me: Any) -> Own:
        return Own(self.program, w, me[0])

    def argument(self, w: World, me: Any, block: int, pc: int, name: str) -> Results:
        data = Doing(self.program, block, pc).action.arguments[name]
        return [(V(fill(data, self.names_of(w, me))), w)]

    def condition(self, w: World, me: Any, block: int, pc: int) -> Results:
        data = Doing(self.program, block, pc).action.arguments["condition"]
        return [(condition(data, self.names_of(w, me)), w)]

    def assign(self, w: World, me: Any, name: str, value: V) -> Results:
        variables = dict(w.get(("variables", me[0]), ())) | {name: value}
        w.set(("variables", me[0]), tuple(sorted(variables.items())))
        return [(None, w)]

    def let(self, w: World, me: Any, block: int, pc: int) -> Results:
        for name, data in Doing(self.program, block, pc).action.arguments["let"].items():
            try:
                value = V(fill(data, self.names_of(w, me)))
            except Leave as leave:
                return [(Left(leave.what), w)]
            self.assign(w, me, name, value)
        return [(None, w)]

    def caught(self, w: World, me: Any, new: V | None) -> Results:
        before = w.get(("caught", me[0]))
        w.set(("caught", me[0]), new)
        return [(before, w)]

    def begin(self, w: World, me: Any, p: str) -> Results:
        if w.get(("names gone",)) and self.names[p] != set():
            raise Unsupported("main ends before a spawned process has begun")
        for name, value in self.program.processes[p].variables.items():
            self.assign(w, me, name, V(value))
        return [(None, w)]

    def erred(self, w: World, me: Any, kind: str) -> Results:
        """The exception that nobody caught; a signal during the exit hooks does not undo it."""
        w.set(("error", me[0]), kind)
        return [(None, w)]

    def names_go(self, w: World, me: Any) -> Results:
        """Under spawn, main's exit removes the semaphores' names before it joins its children."""
        if me[0] == "main":
            if self.method != "fork":
                w.set(("names gone",), True)
            w.set(("manager gone",), True)
        return [(None, w)]

    def get_version(self, w: World, me: Any) -> Results:
        return [(self.version, w)]

    def length(self, w: World, me: Any, name: str) -> Results:
        return [(int(w.get(("length", name), 0)), w)]

    def print(self, w: World, me: Any, text: str) -> Results:
        w.set(("output",), (*w.get(("output",), ()), *text.split("\n")))
        return [(None, w)]

    def mark(self, w: World, me: Any, name: str) -> Results:
        seen = w.get(("marks",), ())
        if name not in seen:
            self.orders |= {(earlier, name) for earlier in seen}
            w.set(("marks",), tuple(sorted({*seen, name})))
        return [(None, w)]

    def os_exit(self, w: World, me: Any, code: int) -> Results:
        return table.die(w, me, me[0], code)

    def crash(self, w: World, me: Any) -> Results:
        return table.die(w, me, me[0], -9)

    def ready(self, w: World, me: Any, wanted: Any, timed: bool) -> Results:
        for name, what in wanted:
            if isinstance(what, tuple) and not w.get(("duplex", what[0])) and what[1] == 1:
                raise Unsupported(f"wait_any for {name}")
        found = tuple(
            name
            for name, what in wanted
            if (
                pipes.readable(w, *what)
                if isinstance(what, tuple)
                else table.sentinel_ready(w, what)
            )
        )
        return [(found, w)] if found or timed else []

    def manager(self, w: World, me: Any, name: str, what: str, *arguments: Any) -> Results:
        """One request to a manager, or one access to shared memory: atomic."""
        if w.get(("manager gone",)) and me[0] != "main":
            raise Unsupported("a manager used after main's end")
        cell = ("cell", name)
        kind = self.program.primitives[name].kind
        result, new = serve(kind, w.get(cell).value, what, *arguments)
        w.set(cell, V(new))
        return [(result, w)]


def told(frame: Any, result: Any) -> Any:
    """The function's frame once more, with what it was told."""
    name, arguments, results = frame
    return frame if name == "spinning" else (name, arguments, (*results, result))
