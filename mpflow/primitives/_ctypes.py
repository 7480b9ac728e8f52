"""What a value and an array share: type codes, what they take, and the lock they may have.

CPython: multiprocessing.sharedctypes. A value that does not fit is cut as C does it: 200 in a
signed byte is -56.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mpflow.kinds import Argument
from mpflow.primitives._locking import acquire, acquiring, release, releasing
from mpflow.primitives._monitor import Held

if TYPE_CHECKING:
    from mpflow.rule import Observation

CODES = "cubBhHiIlLqQfd"
TYPECODE = Argument("typecode", "text", "as in ctypes: i, d, b, …", default="i")
LOCK = Argument(
    "lock",
    "primitive",
    "true: one of its own; false: none; or the name of a lock or rlock",
    default=True,
    choices=("lock", "rlock"),
)


def check_typecode(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whether there is such a type."""
    code = options["typecode"]
    if code is None or (len(code) == 1 and code in CODES):
        return []
    return [("typecode", f"there is no type code {code!r:.20}; one of {', '.join(CODES)}")]


def fits(code: str | None, value: object) -> str:
    """Why a type does not take a value; nothing if it does."""
    if code is None or len(code) != 1 or code not in CODES:
        return ""
    try:
        ctype(code)(value)
    except (TypeError, ValueError, OverflowError) as error:
        return f"{value!r:.40} is no value for {code!r}: {error}"
    return ""


def ctype(code: str) -> Any:
    """The ctypes class of a code."""
    from multiprocessing import sharedctypes

    types: Any = sharedctypes.typecode_to_type  # type: ignore[attr-defined]
    return types[code]


def lock_of(options: Mapping[str, Any], made: Mapping[str, Any]) -> Any:
    """What Value and Array get as `lock`."""
    lock = options["lock"]
    return made[lock] if isinstance(lock, str) else lock


def refuses(verb: str, part: str, options: Mapping[str, Any]) -> str | None:
    """What has no lock cannot be acquired."""
    if verb in ("acquire", "release", "with") and options["lock"] is False:
        return "with `lock: false` it has no lock"
    return None


def kind(options: Mapping[str, Any]) -> str | None:
    """The kind of lock that it has of its own."""
    return None if options["lock"] is False else "rlock"


# The model: memory that a lock guards (sharedctypes.py)


def locked(on: Any, me: Any, step: Any) -> Any:
    """One step on the memory, with the lock held around it if there is one; `step` is an
    exception, where there is no such step."""
    if _goes_by(on) and not isinstance(step, Exception):
        return (yield step if me.count(on.key("lock")) else _while_free(on.key("lock"), on, step))
    if on.options["lock"] is not False:
        yield from acquire(on, me)
    found = None if isinstance(step, Exception) else (yield step)
    if on.options["lock"] is not False:
        yield from release(on, me)
    if isinstance(step, Exception):
        raise step
    return found


def _goes_by(on: Any) -> bool:
    """Whether an access need only find the lock free: nobody tries to take it in the meantime, nor
    dies with it."""
    return on.merged and on.options["lock"] is True and not on.uses.tried


def _while_free(lock: str, on: Any, step: Any) -> Any:
    """The step, as soon as nobody else has the lock."""

    def change(free: int, *values: Any) -> Any:
        return [(r, (free, *new)) for r, new in step.change(*values)] if free > 0 else []

    return on.step((lock, *step.touches), (f"{lock}:G", *step.kinds), change)


def accessing(on: Any, kind: str) -> tuple[str, ...]:
    """What a load or a store does to what."""
    own = f"{on.key('memory')}:{kind}"
    if on.options["lock"] is False:
        return (own,)
    by = (f"{on.key('lock')}:G",) if _goes_by(on) else ()
    return (*acquiring(on, "", True), *releasing(on, "", True), *by, own)


def bases(options: Mapping[str, Any], memory: Any) -> dict[str, object]:
    """The components: what it holds at first, and the lock, if it has one of its own."""
    return {"memory": memory, **({"lock": 1} if options["lock"] is True else {})}


class Guarded(ABC):
    """A value or an array in the order of events: whoever reads or writes takes the lock for that
    moment, if there is one, and then `accessed` tells what becomes of what it holds."""

    waits = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.locked = options["lock"] is not False
        self.type = ctype(options["typecode"])

    def after(self, held: Held, own: Any, event: Observation) -> tuple[Held, Any] | None:
        """The lock's state and its own behind an event; None: it cannot come."""
        if event.status == "error":
            return held, own
        found = held.let_in(event.process) if self.locked else held
        new = None if found is None else self.accessed(own, event)
        return None if found is None or new is None else (found, new)

    @abstractmethod
    def accessed(self, own: Any, event: Observation) -> Any:
        """What it holds behind a load or a store; None: it cannot come."""

    def cut(self, value: object) -> object:
        """A value as it is there once it was stored; one that was only shown, itself."""
        try:
            return self.type(value).value
        except (TypeError, ValueError, OverflowError):
            return value


def same(one: object, other: object) -> bool:
    """Whether two values can be the same; a NaN is one, and of what was only shown nobody knows."""
    if hasattr(one, "foreign_type") or hasattr(other, "foreign_type"):
        return True
    return one == other or (one != one and other != other)
