"""The contracts that a primitive's and an action's file fill in; no behaviour of its own.

NamedTuples, not dataclasses: every worker imports this, and `dataclasses` costs 20 ms there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from mpflow.rule import Member, Rule

    Form = Literal[
        "subject",  # the name of a primitive, an end or a process
        "subjects",  # a list of names of pipe ends and processes
        "processes",  # a process's name, a list of names, or all
        "value",  # anything; strings in it are templates
        "values",  # a list of values
        "table",  # a mapping of values
        "assignments",  # variable: value, in order
        "text",  # a string template
        "line",  # anything, made into text by str()
        "number",
        "seconds",  # a number, scaled by --time-scale
        "integer",
        "boolean",
        "condition",  # a whole expression
        "variable",  # the name of a variable to set
        "function",  # package.module:function, or ./file.py:function
        "primitive",  # an option only: the name of a declared primitive of one of `choices`
        "exception",  # the name of an exception
        "times",  # an integer or `forever`
        "list",  # a list, or a string that gives one
        "block",  # a list of actions
        "handlers",  # exception name: list of actions
    ]


class Argument(NamedTuple):
    """One argument of a verb, or one option of a primitive. `wrong` says why a value makes no
    sense, where it does not."""

    name: str
    form: Form
    description: str
    required: bool = False
    default: object = None
    choices: tuple[str, ...] = ()
    wrong: Callable[[Any], str] | None = None


INTO = Argument("into", "variable", "the variable that keeps the result")
TIMEOUT = Argument("timeout", "seconds", "seconds to wait at most; without it, for ever")
BLOCK = Argument("block", "boolean", "false: do not wait at all", default=True)
TO = Argument("to", "subject", "where to", required=True)
FROM = Argument("from", "subject", "where from", required=True)
WHAT = Argument("what", "subject", "what to close", required=True)
VALUE = Argument("value", "value", "what: anything that can be pickled", required=True)
PROCESS = Argument("process", "processes", "a process, a list of them, or `all`", required=True)
FOR = Argument("for", "subject", "what to wait for", required=True)
QUEUE = Argument("queue", "subject", "the queue", required=True)
LOCK = Argument("lock", "subject", "what to acquire or release", required=True)
AT = Argument("at", "value", "which item of it")


class Operation(NamedTuple):
    """A verb on a primitive, and what it does to the real object.

    `real(object, *arguments)` gets the arguments in their declared order, without the subject
    and without `into`. `shows` names the argument that the trace shows as its value. `method` is
    the real object's method that does it, where all arguments besides the shown one are at their
    defaults: the worker calls it directly. `code` is what Python code does instead: a method with
    the arguments in its order, `__setitem__(at, value)`, or an attribute that it reads, `.value`,
    or sets, `.value =`; with neither, what it does is not traced. `boolean` says that the result
    is true or false and nothing else. `needs` are arguments that other types take for the same
    verb and may lack, and this one may not. `outside`: what it waits for is not done by the
    scenario's processes. `outgoing`: others may see its effect before it is over. With an argument
    `at` the trace shows that, too.

    `model(on, me, *arguments)` is a generator: CPython's own code for it over the bases of
    model/steps.py, one step for each yield; `on` is the primitive as the model has it
    (model/parts.py), `me` the process (model/me.py). `merged` does the same in fewer steps,
    where no process that uses it can be killed; a test holds both equal. `accesses(on, process,
    waits)`: what it may do to what (model/accesses.py), all it does if it is told to wait without a
    limit; None: anything to any component of its primitive.
    """

    verb: str
    summary: str
    subject: Argument
    arguments: tuple[Argument, ...]
    real: Callable[..., Any]
    shows: str | None = None
    boolean: bool = False
    method: str = ""
    code: str = ""
    needs: tuple[str, ...] = ()
    outside: bool = False
    outgoing: bool = False
    model: Callable[..., Any] | None = None
    merged: Callable[..., Any] | None = None
    accesses: Callable[[Any, str, bool], tuple[str, ...]] | None = None

    @property
    def keyed(self) -> bool:
        """Whether it is done to one item of its object."""
        return any(each.name == "at" for each in self.arguments)

    @property
    def records(self) -> str:
        """What the record's word holds: the value shown, the result, both, or nothing."""
        result = any(each.name == "into" for each in self.arguments)
        if self.shows:
            return "both" if result else "value"
        return "result" if result else ""

    @property
    def names(self) -> frozenset[str]:
        """The names of all arguments, the subject's included."""
        return frozenset([self.subject.name, *(each.name for each in self.arguments)])

    @property
    def signature(self) -> tuple[Argument, ...]:
        """All arguments in the order in which people write them."""
        if self.shows == "value":
            return (self.arguments[0], self.subject, *self.arguments[1:])
        return (self.subject, *self.arguments)


class Primitive(NamedTuple):
    """A type of primitive: its options, how the real object is made, what can be done to it.

    `make(options, made)` returns the real objects by suffix: `{"": lock}`, or for a pipe
    `{".conn1": a, ".conn2": b}`; `parts(options)` gives the same suffixes without making any.
    `made` has what was made before, by name: they are made in the order of their `stage`s, and
    in that of their declaration. `rule(options)` says which order of its events can be; `member`
    is its part in that of a lock that it shares with others. `bases(options, merged)` gives the
    components of its model by part, each with its first value. `check` says which options make no
    sense, as (option, reason); `refuses(verb, part, options)` why a verb can never be done on a
    part.
    """

    type: str
    summary: str
    options: tuple[Argument, ...]
    operations: tuple[Operation, ...]
    make: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]
    rule: Callable[[Mapping[str, Any]], Rule]
    parts: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda options: ("",)
    declared: bool = True
    check: Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]] = lambda options: ()
    refuses: Callable[[str, str, Mapping[str, Any]], str | None] = lambda verb, part, options: None
    member: Callable[[Mapping[str, Any]], Member] | None = None
    stage: int = 1  # 0: starts processes, which must not inherit the others; 2: made of others
    only_main: bool = False  # cannot be handed to another process
    bases: Callable[[Mapping[str, Any], bool], Mapping[str, Any]] | None = None  # of the model
    thread: Callable[..., Any] | None = None  # the model of one it has in each putting process
    ends: bool = False  # its parts are descriptors, which each process holds or has closed
    served: bool = False  # its object lives in the manager; its base is that object
    seen: bool = True  # whatever Python code does to it is recorded
    tracked: bool = False  # under fork, too, Python's resource tracker looks after it

    def operation(self, verb: str) -> Operation | None:
        """The operation that a verb names here, if there is one."""
        return next((each for each in self.operations if each.verb == verb), None)


class Structure(NamedTuple):
    """How an action with blocks becomes Python: the lines before its first block, before each
    further part, and behind them all.

    `opening` gets the arguments' sources by name, a variable's as what is assigned to, and the
    step's number. `enter` and `leave` are what is done before and, on every way out, behind the
    blocks: an operation, or a phase of the action itself. `weight` is how many of CPython's 20
    nested blocks it takes.
    """

    opening: Callable[[Mapping[str, str], int], Sequence[str]]
    parts: Mapping[str, str] = {}
    enter: str = ""
    leave: str = ""
    weight: int = 1
    loop: bool = False


class Action(NamedTuple):
    """A verb that is no primitive's: `real(process, *arguments)`, or how it becomes Python.

    `code` marks what runs the user's Python code or touches files: --no-code refuses it. `shows`
    names the argument that the trace shows as the value, `names` the one that it shows as what the
    action is on. `then` is a statement put behind the action. `types` are those that its subjects
    may have; with those alone it may wait. `model(me, *arguments)` is a generator like an
    operation's, or a function where it is one step of the process alone.
    """

    verb: str
    summary: str
    arguments: tuple[Argument, ...]
    real: Callable[..., Any] | None = None
    structure: Structure | None = None
    then: str = ""
    shows: str | None = None
    names: str | None = None
    code: bool = False
    types: tuple[str, ...] = ()
    model: Callable[..., Any] | None = None

    @property
    def records(self) -> str:
        """What the record's word holds: the value shown, the result, or both."""
        if not self.shows:
            return "result"
        return "both" if any(each.name == "into" for each in self.arguments) else "value"


class Verb(NamedTuple):
    """A verb as the language has it: its arguments, and who answers to it."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    subject: str | None
    types: tuple[str, ...]
    action: Action | None

    @property
    def short(self) -> Argument | None:
        """The argument that the short form gives, where it alone is enough."""
        first = self.arguments[0] if self.arguments else None
        if first is None or any(each.required for each in self.arguments[1:]):
            return None
        return first

    @property
    def function(self) -> bool:
        """Whether it calls a Python function that the scenario names."""
        return any(each.form == "function" for each in self.arguments)

    @property
    def code(self) -> bool:
        """Whether it runs the user's Python code or touches files."""
        return self.function or (self.action is not None and self.action.code)

    @property
    def bare(self) -> bool:
        """Whether the verb alone, as a word, is an action."""
        return not any(each.required for each in self.arguments)
