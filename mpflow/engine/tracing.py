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
from typing import Any

from mpflow.engine.alone import THREADS
from mpflow.engine.lanes import Lanes
from mpflow.engine.record import CONSTANTS, IDLE, MOST, Writer
from mpflow.exceptions import told
from mpflow.kinds import Operation

_NEVER, _WITH_LIMIT, _FOR_EVER = range(3)  # how an action may wait
_FALSE, _TRUE = MOST + CONSTANTS.index(False), MOST + CONSTANTS.index(True)
_NOWHERE = 1 << 30  # the position of an argument that there is not


class Shape:
    """What a primitive's file declares of an operation, as far as its calls need it.

    `required` positional arguments are a usual call; `block` and `timeout` are the positions of
    these arguments, which have their names in the real signatures, too.
    """

    def __init__(self, operation: Operation) -> None:
        given = [each for each in operation.arguments if each.name != "into"]
        places = {each.name: place for place, each in enumerate(given)}
        self.verb = operation.verb
        self.method = operation.method or operation.verb
        self.names = frozenset(places)
        self.required = sum(each.required for each in given)
        self.shown = places.get(operation.shows or "", _NOWHERE)
        self.result = len(given) < len(operation.arguments)
        self.block = places.get("block", _NOWHERE)
        self.timeout = places.get("timeout", _NOWHERE)
        self.limit = next((each.default for each in given if each.name == "timeout"), None)
        self.usual = _FOR_EVER if self.limit is None else _NEVER

    def waits(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
        """How a call with these arguments may wait."""
        if not kwargs and len(args) == self.required:
            return self.usual
        block, timeout = self.block, self.timeout
        if not (args[block] if len(args) > block else kwargs.get("block", True)):
            return _NEVER
        limit = args[timeout] if len(args) > timeout else kwargs.get("timeout", self.limit)
        if limit is None:
            return _FOR_EVER
        # A poll, which waits only when it is told to, does not time out when it sees nothing.
        return _WITH_LIMIT if self.limit is None else _NEVER

    def value(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What is handed over: by position, or by a name that only the real method knows."""
        if len(args) > self.shown:
            return args[self.shown]
        return next((each for name, each in kwargs.items() if name not in self.names), None)

    @property
    def shows(self) -> str:
        """What the word of its actions holds (record.Site)."""
        if self.shown != _NOWHERE:
            return "value"
        return "result" if self.result else ""


class Action:
    """One operation of one stand-in: the real method, and where it was last called as usual."""

    __slots__ = ("call", "code", "known", "lanes", "name", "place", "record", "shape", "site")

    def __init__(self, call: Callable[..., Any], name: str, shape: Shape, lanes: Lanes) -> None:
        self.call = call
        self.name = name
        self.shape = shape
        self.lanes = lanes
        self.record: Writer | bool = False  # as no record: not even as none
        self.code: CodeType | None = None
        self.place = self.site = 0
        # By record, code, instruction and way to wait. The code is kept: its id stays its own.
        self.known: dict[tuple[Writer, int, int, int], tuple[int, CodeType]] = {}

    def look(
        self, frame: FrameType, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Writer, int]:
        """The record and the site of a call that is not where the last one was."""
        record, waits = self.lanes.free(), self.shape.waits(args, kwargs)
        if waits == _FOR_EVER and self.lanes.stirring():
            waits = _NEVER
        code, place = frame.f_code, frame.f_lasti
        found = self.known.get((record, id(code), place, waits))
        if found is None:
            return record, self._outside(record, frame, waits)
        if record is self.lanes.quick and not kwargs and len(args) == self.shape.required:
            self.record, self.code, self.place, self.site = record, code, place, found[0]
        return record, found[0]

    def _outside(self, record: Writer, frame: FrameType, waits: int) -> int:
        """The site of a call by the user's code, maybe through Python's own (get_nowait)."""
        frame = _users(frame)
        key = record, id(frame.f_code), frame.f_lasti, waits
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._site(record, frame, waits), frame.f_code
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
        )


def method(shape: Shape, number: int, bare: bool = False) -> Callable[..., Any]:
    """A stand-in's method that takes the `number`th of its actions; `bare`: whatever it is called
    with, the action has no arguments (`__exit__`)."""
    required, shown, value, result = shape.required, shape.shown, shape.value, shape.result
    shows = shown != _NOWHERE
    frame_of, now, threads, true, false = _getframe, perf_counter, THREADS, _TRUE, _FALSE

    def act(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if bare:
            args = ()
        action: Action = self._actions[number]
        record: Any = action.record
        frame = frame_of(1)
        if (
            record is not action.lanes.quick
            or frame.f_code is not action.code
            or frame.f_lasti != action.place
            or kwargs
            or len(args) != required
            or len(threads) != 1
            or record.at > record.limit
            or record.sites[record.at]  # a signal's handler acts within another action
        ):
            record, site = action.look(frame, args, kwargs)
        else:
            site = action.site
        word = record.word(value(args, kwargs)) if shows else 0
        # From here on a handler that acts finds this place taken: nothing is called in between.
        at, sites, stamps = record.at, record.sites, record.stamps
        try:
            sites[at] = IDLE
            stamps[at] = now()
            record.at = at = at + 1
            if shows:
                record.words[at] = word
            sites[at] = site
            found = action.call(*args, **kwargs)
            if result:
                record.words[at] = (
                    true if found is True else false if found is False else record.word(found)
                )
            stamps[at] = now()
            record.at = at + 1
            return found
        except BaseException as error:
            _failed(record, error)
            raise

    return act


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
