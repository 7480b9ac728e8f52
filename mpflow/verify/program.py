"""Events of one process -> whether they are what its own steps ask for, with these values.

The process is walked through its steps (stepwise.py): it asks for an action, the next event must
be that action, and what the event says came of it is the answer. Where a value that decides the
way cannot be known, the process is lost: from there on only what its steps could ask for at all
is looked at. No Python code of a scenario is run, no file of it is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from random import Random
from time import process_time
from typing import Any

from mpflow import registry
from mpflow.evaluation import Attributes
from mpflow.exceptions import caught, exit_code, named, told
from mpflow.kinds import Operation
from mpflow.plan import Plan, Program
from mpflow.stepwise import Ask, Lost, Walk
from mpflow.trace import Event
from mpflow.verify.form import Wrong, shown
from mpflow.verify.values import (
    Channels,
    Item,
    Unknown,
    agrees,
    cut,
    known,
    seen,
    settled,
    uncertain,
    words,
)

TURNS = 2_000_000  # of loops, and `let`s, between two events
PATIENCE = 20.0  # seconds of them
_YES_OR_NO = frozenset(
    ("acquire", "empty", "full", "is_alive", "is_set", "join", "poll", "wait")
)  # what these give
_UNFAILING = frozenset(("assert", "exit", "mark", "raise", "return", "section"))
_IN, _OUT = ("put", "send", "send_bytes"), ("get", "recv", "recv_bytes")
_ANYWHERE = frozenset(("KeyboardInterrupt", "MemoryError", "RecursionError"))
_WOKEN = 0.001  # seconds that a sleep may seem too short


class Shared:
    """What the processes of a trace have in common."""

    def __init__(self, program: Program, seed: int, drawn: bool = True) -> None:
        self.program = program
        self.drawn = drawn  # whether `choose` draws with the seed
        self.seed = seed
        self.channels = Channels()
        self.pids: dict[str, int] = {}
        self.methods = program.start_method

    def channel(self, on: str, verb: str) -> str:
        """Where what is put or sent there comes out: a queue, the other end of a pipe."""
        base, _, part = on.partition(".")
        if verb not in ("recv", "recv_bytes") or not part:
            return on
        for name, type_name, options in self.program.primitives:
            if name == base:
                parts = registry.primitive(type_name).parts(options)
                return next((f"{base}{each}" for each in parts if each != f".{part}"), on)
        return on


class Self(Attributes):
    """`self`, or in main another process: its name, and its pid where a begin told it."""

    def __init__(self, plan: Plan, follower: Follower) -> None:
        self.plan = plan
        self.follower = follower

    def get(self, name: str) -> object:
        if name == "name":
            return self.plan.system_name
        if name == "pid":
            return self.follower.pid_of(self.plan.name)
        word = "self" if self.plan is self.follower.plan else self.plan.name
        raise AttributeError(f"{word} has no {name!r}; it has name and pid")


class Follower:
    """A process with steps of its own, as far as it can be followed."""

    def __init__(self, plan: Plan, shared: Shared) -> None:
        self.plan = plan
        self.shared = shared
        self.random = Random(f"{shared.seed} {plan.name}")
        self.lost = ""  # why it cannot be followed any further
        self.lost_at = 0
        self.count = 0  # events taken
        self.turns, self.since = 0, 0.0  # since the last event
        self.ends: tuple[int | None, tuple[str, str] | None] | None = None  # code, error
        self.closed: set[str] = set()
        self.walk = Walk(plan, shared.program, self._names(), {**words(), **self._words()})
        self.ask: Ask | None = None
        self.answer: Any = None
        self.blow: BaseException | None = None  # instead of an answer
        self.stuck = False
        self.could = frozenset(_could(plan))

    def _names(self) -> dict[str, object]:
        program = self.shared.program
        bases = {name.partition("[")[0].partition(".")[0] for name in _handed_names(program)}
        found: dict[str, object] = {base: Unknown("a primitive") for base in bases}
        found["self"] = Self(self.plan, self)
        if self.plan.name == "main":
            for base, replicas in program.names.items():
                each = [Self(program.plans[name], self) for name in replicas]
                found[base] = each[0] if replicas == (base,) else each
        return found

    def _words(self) -> dict[str, object]:
        return {"caught": self._caught, "turn": self._turn}

    def _caught(self, name: str) -> tuple[type[BaseException], ...]:
        error = sys.exc_info()[1]
        if isinstance(error, Lost):
            return ()
        found = caught(name)
        if not found and getattr(error, "foreign", False):
            raise Lost(f"whether a {type(error).__name__} is a {name} is not known")
        return found

    def _turn(self) -> None:
        self.turns += 1
        if self.turns > TURNS or (not self.turns & 1023 and process_time() > self.since + PATIENCE):
            raise Lost("it goes round and round without an action")

    def pid_of(self, name: str) -> object:
        """A process's pid as its parent sees it: none before it is started."""
        pids = self.shared.pids
        if name != self.plan.name and name not in self.walk.started:
            return None
        if name in pids and name not in self.closed:
            return pids[name]
        return Unknown("a pid")

    # One event after the other

    def take(self, event: Event) -> None:
        """Wrong where this is not what the process does next."""
        ask = None if self.lost else self._next()
        if not self.lost:
            wrong = self._differs(ask, event)
            if wrong:
                raise Wrong(wrong)
        if self.lost:
            self._loosely(event)
            return
        assert ask is not None
        self.count = event.seq
        self.ask = None
        self.stuck = event.status == "blocked"
        try:
            self._answered(ask, event)
        except Lost as lost:
            self._lose(str(lost))

    def _next(self) -> Ask | None:
        """What it asks for now; None at its end, or where it is lost."""
        if self.ask is None and self.ends is None:
            self.turns, self.since = 0, process_time()
            try:
                if self.blow is not None:
                    blow, self.blow = self.blow, None
                    self.ask = self.walk.asks.throw(blow)
                else:
                    self.ask = self.walk.asks.send(self.answer)
            except StopIteration:
                self.ends = 0, None
            except Lost as lost:
                self._lose(str(lost))
            except BaseException as error:
                if type(error) is KeyboardInterrupt:
                    raise  # ours
                self._ended_by(error)
        return self.ask

    def _ended_by(self, error: BaseException) -> None:
        self.walk.left(error)
        if not isinstance(error, SystemExit):
            self.ends = 1, told(error)
        elif getattr(error, "made", False) or uncertain(error.code):
            self.ends = None, None
        else:
            self.ends = exit_code(error.code), None

    def _lose(self, why: str) -> None:
        self.lost = why
        self.walk.abandon()
        self.ask = None

    # Whether an event is what was asked for

    def _differs(self, ask: Ask | None, event: Event) -> str:
        """Why an event is not the action asked for; nothing if it is."""
        if ask is None:
            return f"`{self.plan.name}` has come to the end of its steps"
        if (ask.verb, ask.line) != (event.action, event.line):
            return f"what `{self.plan.name}` does here is {_described(ask)}"
        if (ask.phase or None) != event.extra.get("phase") and ask.arguments is not None:
            return f"`phase` is {ask.phase} here"
        for judge in (self._on, self._at, self._value, self._status, self._result):
            wrong = judge(ask, event)
            if wrong:
                return wrong
        return ""

    def _on(self, ask: Ask, event: Event) -> str:
        if isinstance(ask.on, Unknown) or event.on == (None if ask.on is None else cut(ask.on)):
            return ""
        if event.on is None and (ask.arguments is None or event.status == "blocked"):
            return ""
        return f"it is on {_told(ask.on)} here" if ask.on is not None else "it is on nothing"

    def _at(self, ask: Ask, event: Event) -> str:
        given = ask.arguments
        if given is None or not ask.type or not self._operation(ask).keyed:
            return ""
        shortened = "at" in event.extra.get("shortened", ())
        at = event.extra.get("at")
        if agrees(given["at"], at, shortened) or (event.status == "blocked" and at is None):
            return ""
        return f"it is at {_told(given['at'])} here, not at {shown(at)}"

    def _operation(self, ask: Ask) -> Operation:
        found = registry.primitive(ask.type).operation(ask.verb)
        assert found is not None
        return found

    def _value(self, ask: Ask, event: Event) -> str:
        if ask.arguments is None:
            return ""
        expected = ask.value if ask.shows else None
        shortened = "value" in event.extra.get("shortened", ())
        if agrees(expected, event.value, shortened):
            return ""
        if event.status == "blocked" and event.value in (None, 0):
            return ""  # ended before its value was written down
        return f"its value is {_told(expected)} here, not {shown(event.value)}"

    def _status(self, ask: Ask, event: Event) -> str:
        failed = event.status == "error"
        if ask.raises is not None:
            return self._raises(ask.raises, event)
        if failed:
            return self._may_fail(ask, event)
        if event.status == "blocked" or uncertain(ask.arguments):
            return ""
        given = ask.arguments or {}
        timed = given.get("timeout") is not None and bool(given.get("block", True))
        timed = timed and ask.verb != "poll" and ask.type != ""
        wanted = "timeout" if timed and event.result is False else "ok"
        return "" if event.status == wanted else f"its status is {wanted} here"

    def _raises(self, error: BaseException, event: Event) -> str:
        name, message = told(error)
        if event.status == "blocked" or (event.error and event.error[0] in _ANYWHERE):
            return ""
        if event.status != "error" or event.error is None:
            return f"it raises {name} here"
        if event.error != (name, cut(message)):
            return f"it raises {name}: {message!r:.80} here"
        return ""

    def _may_fail(self, ask: Ask, event: Event) -> str:
        assert event.error is not None
        free = self.plan.code or event.error[0] in _ANYWHERE or uncertain(ask.arguments)
        if ask.verb in _UNFAILING and not free:
            return f"`{ask.verb}` does not fail here"
        if ask.verb == "choose" and not free and len((ask.arguments or {})["from"]):
            return "`choose` does not fail here"
        return ""

    def _result(self, ask: Ask, event: Event) -> str:
        """Whether the result is one that the action can have."""
        if event.status not in ("ok", "timeout") or ask.verb in ("call", "choose", *_OUT):
            return ""
        if not self._keeps(ask):
            wrong = event.result is not None
            return f"`{ask.verb}` has no result" if wrong else self._slept(ask, event)
        if ask.verb == "wait_any" and not uncertain(ask.arguments):
            named = (ask.arguments or {})["for"]
            given = event.result if isinstance(event.result, list) else [None]
            known = (str(each) in named or str(each).partition("[")[0] in named for each in given)
            return "" if all(known) else "it waits for none such here"
        if ask.verb in _YES_OR_NO and ask.type != "barrier":
            return self._yes_or_no(ask, event)
        kinds: Mapping[str, Any] = {
            "qsize": int,
            "exitcode": int | None,
            "read": str,
            "wait": int,
        }
        kind = kinds.get(ask.verb, list if ask.verb == "active_children" else object)
        no_bool = kind is not object and isinstance(event.result, bool)
        if no_bool or not isinstance(event.result, kind):
            return f"its result cannot be {shown(event.result)}"
        return ""

    def _keeps(self, ask: Ask) -> bool:
        """Whether an action has a result."""
        if ask.type:
            return any(a.name == "into" for a in self._operation(ask).arguments)
        return any(a.name == "into" for a in registry.action(ask.verb).arguments)

    def _slept(self, ask: Ask, event: Event) -> str:
        if ask.verb != "sleep" or not isinstance(ask.value, int | float):
            return ""
        slept = event.t - event.began
        return f"it slept {slept:.6f} s" if slept + _WOKEN < ask.value else ""

    def _yes_or_no(self, ask: Ask, event: Event) -> str:
        given = ask.arguments or {}
        if not isinstance(event.result, bool):
            return f"its result is true or false, not {shown(event.result)}"
        forever = given.get("timeout") is None and given.get("block", True) is True
        asks = ask.verb in ("acquire", "join", "poll") and not uncertain(given)
        if asks and forever and "timeout" in given and not event.result and not self.plan.code:
            return f"`{ask.verb}` waits here until it is true"
        return ""

    # What came of it

    def _answered(self, ask: Ask, event: Event) -> None:
        if ask.verb in _IN and event.status in ("ok", "blocked"):
            encode = ask.verb == "send_bytes" and isinstance(ask.value, str)
            item = Item(self.plan.name, ask.value.encode() if encode else ask.value)
            self.shared.channels.put(self.shared.channel(str(event.on), ask.verb), item)
        if event.status == "error":
            assert event.error is not None
            self.answer = None
            if ask.raises is None or event.error[0] in _ANYWHERE:
                self.blow = _stand_in(*event.error)
        elif event.status != "blocked":
            self.answer = self._answer(ask, event)
        if registry.verbs()[ask.verb].function and self._may_be_changed(ask.arguments):
            raise Lost(f"what `{ask.verb}` did to what it was handed")

    def _answer(self, ask: Ask, event: Event) -> Any:
        if ask.verb == "crash":
            self.walk.abandon()
            self.ends = None, None
        if ask.verb == "os_exit":
            self.walk.abandon()
            code = (ask.arguments or {})["code"]
            if not isinstance(code, int) and not uncertain(code):
                raise Wrong(f"`os_exit` does not take {code!r:.60}")
            self.ends = (None if uncertain(code) else code & 0xFF), None
        if ask.verb == "close" and ask.type == "process":
            self.closed.add(str(ask.on))
        if ask.verb == "choose":
            return self._chosen(ask, event)
        if ask.verb in _OUT:
            return self._taken(event)
        if ask.type == "process" or ask.verb in ("active_children", "wait_any"):
            return event.result
        return known(event.result, _cut_result(event), f"what `{ask.verb}` gave")

    def _may_be_changed(self, arguments: Any) -> bool:
        """Whether Python code was handed the very object that a variable has, and may have
        changed it."""
        own = set(map(id, _changeable(list(self.walk.variables().values()))))
        return any(id(each) in own for each in _changeable(arguments))

    def _chosen(self, ask: Ask, event: Event) -> Any:
        values = (ask.arguments or {})["from"]
        value = self.random.choice(values)
        if not self.shared.drawn:
            fits = (each for each in values if agrees(each, event.result, _cut_result(event)))
            value = next(fits, value)
        if not agrees(value, event.result, _cut_result(event)):
            raise Wrong(f"`choose` draws {value!r:.80} here, with the seed {self.shared.seed}")
        return value

    def _taken(self, event: Event) -> Any:
        """The very object that was put or sent."""
        channel = self.shared.channel(str(event.on), event.action)
        return self.shared.channels.take(channel, event.result, _cut_result(event))

    # The way is lost

    def _loosely(self, event: Event) -> None:
        """Only what the process's steps could ask for at all."""
        if (event.action, event.line) not in self.could:
            raise Wrong(f"`{self.plan.name}` has no `{event.action}` in this line")
        shortened = event.extra.get("shortened", ())
        on = str(event.on)
        if event.action in _IN and event.status in ("ok", "blocked"):
            value = known(event.value, "value" in shortened, "what was put")
            item = Item(self.plan.name, value)
            self.shared.channels.put(self.shared.channel(on, event.action), item)
        elif event.action in _OUT and event.status == "ok":
            self._taken(event)

    # The end

    def end(self, event: Event) -> None:
        """Wrong where the process cannot end like this."""
        code, error = event.extra["exitcode"], event.error
        before = {} if self.lost else self.walk.variables()
        ask = None if self.lost or self.stuck else self._next()
        if not self.lost and (self.ends is None or code is None or code < 0):
            self._killed(before)
        if self.lost:
            return
        if code is None or code < 0 or (code == 255 and self.shared.methods == "forkserver"):
            allowed = {None, self.ends[1] if self.ends else None}
            if error not in allowed and error != _told_cut(self.ends):
                raise Wrong(f"it did not end by {error[0] if error else 'an error'}")
            return
        if self.plan.code or (not self.count and code):
            return  # Python code ends as it likes; who never began has no steps
        if ask is not None or self.ends is None:
            what = _described(ask) if ask is not None else "to come back"
            raise Wrong(f"`{self.plan.name}` has not come to its end: next is {what}")
        if self.ends[0] is not None and (code, error) != (self.ends[0], _told_cut(self.ends)):
            by = f" by {self.ends[1][0]}" if self.ends[1] else ""
            raise Wrong(f"`{self.plan.name}` ends with exit code {self.ends[0]}{by} here")

    def _killed(self, before: Mapping[str, Any]) -> None:
        """It ended between two actions: whether what is set there was set, nobody knows."""
        after = self.walk.variables()
        doubt = Unknown(f"how far {self.plan.name} came before it was killed")
        same = {n: agrees(after[n], *seen(before[n])) for n in after if n in before}
        self.walk.kept = {name: after[name] if same.get(name) else doubt for name in after}

    def variables(self) -> Mapping[str, Any] | None:
        """The variables at its end, as a run keeps them; None where they cannot be known."""
        if self.lost:
            return None
        return {name: settled(value) for name, value in self.walk.variables().items()}


def _told(value: object) -> str:
    """A value for a message, as far as it is known."""
    try:
        return f"{value!r:.80}"
    except Lost:
        return "another one"


def _handed_names(program: Program) -> list[str]:
    return [name for name, _, _ in program.primitives]


def _changeable(value: Any, levels: int = 20) -> Iterator[object]:
    """The lists, dicts and sets in a value."""
    if isinstance(value, dict | list | set):
        yield value
    if levels and isinstance(value, dict | list | tuple):
        inside = value.values() if isinstance(value, dict) else iter(value)
        for each in inside if not isinstance(value, list) else list.__iter__(value):
            yield from _changeable(each, levels - 1)


def _could(plan: Plan) -> set[tuple[str, int | None]]:
    """Every verb and line that a process's steps can show."""
    found: set[tuple[str, int | None]] = set()
    for step in plan.steps:
        found.add((step.verb, step.line))
        if step.verb == "with":
            found |= {("acquire", step.line), ("release", step.line)}
    return found


def _described(ask: Ask) -> str:
    on = f" {ask.on}" if isinstance(ask.on, str) else ""
    return f"`{ask.verb}{on}` (line {ask.line})"


def _cut_result(event: Event) -> bool:
    return "result" in event.extra.get("shortened", ())


def _told_cut(
    ends: tuple[int | None, tuple[str, str] | None] | None,
) -> tuple[str, str] | None:
    if ends is None or ends[1] is None:
        return None
    return ends[1][0], cut(ends[1][1])


def _stand_in(name: str, message: str) -> BaseException:
    """An exception as a trace tells it: of that name and message, and of its built-in bases.
    `foreign`: it may have others; `made`: it has nothing else of the real one."""
    try:
        base, foreign = named(name), False
    except ValueError:
        base, foreign = Exception, True
    if issubclass(base, StopIteration | GeneratorExit | BaseExceptionGroup):
        base = Exception
    body = {
        "__init__": lambda self: None,
        "__str__": lambda self: message,
        "foreign": foreign,
        "made": True,
    }
    made: type[BaseException] = type(name if name.isidentifier() else "Exception", (base,), body)
    return made()
