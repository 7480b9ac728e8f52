"""One action that Python code takes on a primitive: called as the real method, and recorded.

An action is an IDLE record, which says when it began, then its site and value before the call,
its result and stamp behind it. Where it is taken again from the same place with the usual
arguments, by the main thread alone, its site is known and all of it costs less than a microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sys import _getframe
from time import perf_counter
from types import CodeType, FrameType
from typing import Any, NamedTuple

from mpflow.engine.alone import THREADS
from mpflow.engine.lanes import Lanes
from mpflow.engine.record import CONSTANTS, IDLE, MOST, Writer
from mpflow.exceptions import told
from mpflow.kinds import Operation

_NEVER, _WITH_LIMIT, _FOR_EVER = range(3)  # how an action may wait

# A method of a stand-in. Between the look at whether its place is free and the moment at which
# it is taken nothing is called: only in a call can a signal's handler come, and act itself.
_METHOD = """\
def {name}(self, /{parameters}):
    action = self._actions[{number}]
    last = action.last
    record = last.record
    frame = frame_of(1)
    if (
        record is not action.lanes.quick
        or frame.f_code is not last.code
        or frame.f_lasti != last.instruction
        or (len(threads) != 1 and action.lanes.unsettled()){other}
        or (at := record.at) > record.limit
        or (sites := record.sites)[at]
    ):
        record, site = action.look(frame, ({options}))
        at, sites = record.at, record.sites
    else:
        site = last.site
    stamps = record.stamps
    try:
        sites[at] = IDLE
        {word}
        stamps[at] = now()
        record.at = at = at + 1
        {before}
        sites[at] = site
        found = action.real({arguments})
        {after}
        stamps[at] = now()
        record.at = at + 1
        return found
    except BaseException as error:
        failed(record, error)
        raise
"""


class Shape:
    """What a primitive's file declares of an operation, as far as its calls need it.

    The file gives the arguments in the real method's order and with its defaults; those that need
    not be given, the options, have its names, too.
    """

    def __init__(self, operation: Operation) -> None:
        given = [each for each in operation.arguments if each.name != "into"]
        self.verb = operation.verb
        self.method = operation.method
        self.keyed = operation.keyed
        self.outside = operation.outside
        self.code = operation.code
        self.required = [each.name for each in given if each.required]
        self.options = {each.name: each.default for each in given if not each.required}
        self.value = operation.shows
        self.shows = operation.records
        self.result = self.shows == "result"
        places = {name: place for place, name in enumerate(self.options)}
        self._block, self._timeout = places.get("block"), places.get("timeout")

    def waits(self, options: tuple[Any, ...]) -> int:
        """How a call with these options may wait."""
        if self.outside or (self._block is not None and not options[self._block]):
            return _NEVER
        if self.code:
            return _FOR_EVER
        if self._timeout is None or options[self._timeout] is None:
            return _FOR_EVER
        # A poll, which waits only when it is told to, does not time out when it sees nothing.
        return _WITH_LIMIT if self.options["timeout"] is None else _NEVER


class Call(NamedTuple):
    """A call that may be made again so: by which code and instruction and with which options; and
    in which record it then stands as which site."""

    record: Writer | bool
    code: CodeType | None
    instruction: int
    options: tuple[Any, ...]
    site: int


class Action:
    """One operation of one stand-in: the real method, and the calls of it that were made."""

    __slots__ = ("calls", "lanes", "last", "name", "real", "shape", "sites")

    def __init__(self, real: Callable[..., Any], name: str, shape: Shape, lanes: Lanes) -> None:
        self.real = real
        self.name = name
        self.shape = shape
        self.lanes = lanes
        # At first one that no call is like: its record is none, not even a missing one.
        self.last = Call(False, None, 0, (), 0)
        self.calls: dict[tuple[int, int], Call] = {}  # by code and instruction
        # By record, code, instruction and way to wait. The code is kept: its id stays its own.
        self.sites: dict[tuple[Writer, int, int, int], tuple[int, CodeType]] = {}

    def look(self, frame: FrameType, options: tuple[Any, ...]) -> tuple[Writer, int]:
        """The record and the site of a call that is not like the last one."""
        place = id(frame.f_code), frame.f_lasti
        known = self.calls.get(place)
        record = self.lanes.alone()
        if known is not None and record is known.record and options == known.options:
            self.last = known
            return record, known.site
        waits = self.shape.waits(options)
        if record is None:
            record = self.lanes.free()
            if waits == _FOR_EVER and self.lanes.stirring():
                waits = _NEVER
        found = self.sites.get((record, *place, waits))
        if found is None:
            return record, self._outside(record, frame, waits)
        if record is self.lanes.quick and (known is None or known.record is not record):
            self.calls[place] = Call(record, frame.f_code, frame.f_lasti, options, found[0])
        return record, found[0]

    def _outside(self, record: Writer, frame: FrameType, waits: int) -> int:
        """The site of a call by the user's code, maybe through Python's own (get_nowait)."""
        frame = _users(frame)
        key = record, id(frame.f_code), frame.f_lasti, waits
        found = self.sites.get(key)
        if found is None:
            found = self.sites[key] = self._site(record, frame, waits), frame.f_code
        return found[0]

    def _site(self, record: Writer, frame: FrameType, waits: int) -> int:
        return record.new_site(
            waits == _FOR_EVER,
            action=self.shape.verb,
            on=self.name,
            line=None,
            shows=self.shape.shows,
            timed=waits == _WITH_LIMIT,
            code=f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}",
            keyed=self.shape.keyed,
        )

    def take(
        self,
        frame: FrameType,
        at: Any,
        value: Any,
        call: Callable[[], Any],
        received: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Take it by a call that is made elsewhere, and record it: what methods of any other form
        do. `at` and `value` are what the trace shows of it; `received` says what it shows as the
        result, where that is not what the call returns."""
        record, site = self.look(frame, ())
        shows, keyed = self.shape.shows, self.shape.keyed
        place = record.at
        try:
            record.sites[place] = IDLE
            word = record.given(shows, keyed, at, value)
            record.stamps[place] = perf_counter()
            record.at = place = place + 1
            record.words[place] = word
            record.sites[place] = site
            found = call()
            shown = found if received is None else received(found)
            over = record.gave(shows, keyed, at, value, shown)
            if over is not None:
                record.words[place] = over
            record.stamps[place] = perf_counter()
            record.at = place + 1
            return found
        except BaseException as error:
            _failed(record, error)
            raise


def method(shape: Shape, number: int, real: type, name: str = "") -> Callable[..., Any]:
    """A stand-in's method that takes the `number`th of its actions, in place of one of a real
    class. With a name it is that method instead, whatever its arguments are (`__exit__`)."""
    own = getattr(real, name or shape.method, None)
    required = [_own_name(own) or each if each == shape.value else each for each in shape.required]
    options = [f"default_{each}" if name else each for each in shape.options]
    parameters = ["*_"] if name else [*required, *(f"{each}=default_{each}" for each in options)]
    source = _METHOD.format(
        name=name or shape.method,
        number=number,
        parameters="".join(f", {each}" for each in parameters),
        arguments=", ".join([*required, *options]),
        other="".join(f" or {o} is not last.options[{n}]" for n, o in enumerate(options)),
        options="".join(f"{each}, " for each in options),
        word=f"word = record.word({_shown(shape, required, name)})" if shape.value else "pass",
        before="record.words[at] = word" if shape.value else "pass",
        after=f"record.words[at] = {_RESULT}" if shape.result else "pass",
    )
    space = {**_NAMES, **{f"default_{each}": value for each, value in shape.options.items()}}
    exec(compile(source, __file__, "exec"), space)
    return named_like(space[name or shape.method], real, own)


def _shown(shape: Shape, required: list[str], name: str) -> str:
    """What the parameter is called whose value the trace shows."""
    if shape.value in shape.options:
        return f"default_{shape.value}" if name else str(shape.value)
    return required[0]


def _own_name(real: object) -> str | None:
    """What a method written in Python calls its first argument."""
    code = getattr(real, "__code__", None)
    return code.co_varnames[1] if code is not None else None


def named_like(made: Any, real: type, own: object) -> Callable[..., Any]:
    """A method that goes by the names of the one in whose place it is: by them it is pickled."""
    made.__qualname__, made.__module__ = f"{real.__qualname__}.{made.__name__}", real.__module__
    if own is not None:
        made.__doc__, made.__wrapped__ = getattr(own, "__doc__", None), own
    return made  # type: ignore[no-any-return]


def _failed(record: Writer, error: BaseException) -> None:
    """The action has raised an exception; or a signal's handler has, before it began."""
    if record.sites[record.at] == IDLE:
        record.sites[record.at] = 0
    else:
        record.fail(told(error))


def _users(frame: FrameType) -> FrameType:
    """The innermost frame that is neither Python's multiprocessing nor ours; if there is none,
    the innermost."""
    outer: FrameType | None = frame
    while outer is not None:
        name = outer.f_globals.get("__name__") or "mpflow"  # a scenario's steps have none
        if name.partition(".")[0] not in ("multiprocessing", "mpflow"):
            return outer
        outer = outer.f_back
    return frame


_RESULT = "true if found is True else false if found is False else record.word(found)"
_NAMES: Mapping[str, Any] = {
    "__name__": __name__,
    "IDLE": IDLE,
    "failed": _failed,
    "false": MOST + CONSTANTS.index(False),
    "frame_of": _getframe,
    "now": perf_counter,
    "threads": THREADS,
    "true": MOST + CONSTANTS.index(True),
}
