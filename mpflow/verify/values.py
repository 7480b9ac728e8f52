"""Values of a trace against values worked out again; and the values that cannot be known.

A trace is JSON: what was a tuple is a list there, what is long or no JSON stands as its repr. So
values are compared in the form that a trace gives them, and what cannot be known is Unknown: it
goes through expressions, and only where the way depends on it the way is Lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from json import dumps
from typing import Any, NamedTuple, NoReturn

from mpflow.engine.portable import portable, restored
from mpflow.evaluation import NAMESPACE
from mpflow.stepwise import Lost
from mpflow.trace import LONGEST, fit

_SCALARS = (str, int, float, bool, type(None))
_ORDER = ("joined", "list", "mod", "str", "sum", "tuple")  # show the order of a set
_TYPES = ("joined", "mod", "str")  # show whether it is a list or a tuple


class Unknown:
    """A value that cannot be known, and why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def _same(self, *others: object) -> Unknown:
        return self

    def _lost(self, *others: object) -> NoReturn:
        raise Lost(f"it depends on {self.why}")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _same  # type: ignore[assignment]
    __neg__ = __pos__ = __getitem__ = _same
    __bool__ = __iter__ = __len__ = __contains__ = __index__ = _lost
    __int__ = __float__ = __hash__ = __str__ = __repr__ = _lost


class Doubtful(list[Any]):
    """A list of which only the form in a trace is known: it may have been a tuple."""

    def _doubt(self, *others: object) -> Unknown:
        return Unknown("whether something is a list or a tuple")

    def _lost(self, *others: object) -> NoReturn:
        raise Lost("it depends on whether something is a list or a tuple")

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, list | tuple):
            return False
        same = len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return self._doubt() if same else False

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Doubtful(found) if isinstance(at, slice) else found

    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = _doubt  # type: ignore[assignment]
    __add__ = __radd__ = __mul__ = __rmul__ = _doubt  # type: ignore[assignment]
    __hash__ = __repr__ = __str__ = _lost  # type: ignore[assignment]


class Shown:
    """What stands in a trace as its repr. One with an address or of a set may differ each time."""

    foreign_type = "?"  # as far as is known, what could not be written down

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Shown):
            return False
        return self.text == other.text or (_unstable(self.text) and _unstable(other.text))

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return self.text


def _unstable(text: str) -> bool:
    return "0x" in text or "{" in text or "set(" in text


def uncertain(value: object, *, sets: bool = False, types: bool = False) -> bool:
    """Whether something in a value is unknown; `sets`: or the order of its members is; `types`:
    or whether it is a list or a tuple."""
    if isinstance(value, _SCALARS):
        return False
    if isinstance(value, Unknown) or (types and isinstance(value, Doubtful)):
        return True
    inside: Iterable[object] = ()
    if isinstance(value, dict):
        inside = (*value, *value.values())
    elif isinstance(value, set | frozenset):
        if sets and len(value) > 1 and not all(isinstance(each, int | float) for each in value):
            return True
        inside = value
    elif isinstance(value, list | tuple):
        inside = list.__iter__(value) if isinstance(value, list) else value
    return any(uncertain(each, sets=sets, types=types) for each in inside)


def _why(values: tuple[object, ...]) -> Unknown:
    return next((v for v in values if isinstance(v, Unknown)), Unknown("a value not known"))


def _guarded(function: Callable[..., Any], sets: bool, types: bool) -> Callable[..., Any]:
    """A function of expressions: of what cannot be known it gives what cannot be known."""

    def call(*given: Any, **named: Any) -> Any:
        if any(uncertain(each, sets=sets, types=types) for each in (*given, *named.values())):
            return _why(given)
        return function(*given, **named)

    return call


def _clock(*given: object) -> Unknown:
    return Unknown("the clock or the machine")


def _made(value: Any) -> Any:
    return value if uncertain(value) else NAMESPACE["made"](value)  # type: ignore[operator]


def _attribute(value: object, name: str) -> object:
    if isinstance(value, Unknown):
        return value
    return NAMESPACE["attribute"](value, name)  # type: ignore[operator]


def _identical(one: object, other: object) -> bool:
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return bool(_why((one, other)))
    return one is other


def each(items: Any) -> Any:
    """A list that is gone through, if its order is certain."""
    if isinstance(items, set | frozenset) and uncertain(items, sets=True):
        raise Lost("it depends on the order of a set")
    return items


def words() -> dict[str, object]:
    """The functions of expressions, for values that may be unknown."""
    found: dict[str, object] = {
        name: _guarded(function, name in _ORDER, name in _TYPES)
        for name, function in NAMESPACE.items()
        if callable(function)
    }
    found.update(dict.fromkeys(("cpu_count", "ctime", "time"), _clock))
    found.update(made=_made, attribute=_attribute, identical=_identical, each=each)
    return found


# The form in a trace


def told(value: Any) -> tuple[Any, bool]:
    """A value as a trace has it, and whether it is shortened there."""
    if not isinstance(value, _SCALARS):
        value = restored(portable(_plain(value)))
    shortened: list[str] = []
    return fit(value, "", shortened), bool(shortened)


def seen(value: Any) -> tuple[Any, bool]:
    """The same; what is not known is shown as nothing."""
    return (None, False) if uncertain(value) else told(value)


def settled(value: Any) -> Any:
    """A variable's value as it is kept when its process ends."""
    if uncertain(value, sets=True, types=True):
        doubt = uncertain(value) or not uncertain(value, sets=True)
        return value if doubt else Unknown("the order of a set")
    return value if isinstance(value, _SCALARS) else restored(portable(value))


def key(value: Any, cut: bool) -> str:
    """The form in a trace as a text: equal for equal values of equal types."""
    return f"={value}" if type(value) is int and not cut else ("~" if cut else "=") + dumps(value)


def cut(text: str) -> str:
    """A text that stays a text in a trace."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def agrees(expected: Any, found: Any, shortened: bool) -> bool:
    """Whether a value of a trace is the one expected, as far as that can be known."""
    if type(expected) is type(found) and isinstance(expected, _SCALARS) and not shortened:
        return bool(expected == found)
    if uncertain(expected):
        return True
    value, is_cut = told(expected)
    if is_cut != shortened:
        return False
    return Shown(value) == Shown(found) if is_cut else key(value, False) == key(found, False)


def known(found: Any, shortened: bool, why: str) -> Any:
    """A value of which only the form is known."""
    return Unknown(why) if shortened else _doubted(found)


def _doubted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _doubted(each) for name, each in value.items()}
    return Doubtful(map(_doubted, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """A value without doubts: a list may do for a tuple in the form of a trace."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Doubtful):
        return [_plain(each) for each in value]
    if isinstance(value, list | tuple) and uncertain(value, types=True):
        return type(value)(map(_plain, value))
    return value


class Item(NamedTuple):
    """Something under way: whose, and itself."""

    producer: str
    value: Any


def _alike(items: Iterable[Item]) -> bool:
    """Whether all are the same, types and all."""
    try:
        return len({repr(each.value) for each in items}) == 1
    except Lost:
        return False


class Channels:
    """What was put or sent and not yet taken out: so what is taken out is that very object."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, deque[Item]]] = {}

    def put(self, channel: str, item: Item) -> None:
        form = "~" if uncertain(item.value) else key(*told(item.value))
        self.items.setdefault(channel, {}).setdefault(form, deque()).append(item)

    def take(self, channel: str, found: Any, shortened: bool) -> Any:
        """The object that a trace shows so."""
        forms = self.items.get(channel, {})
        form = key(found, shortened)
        if not forms.get(form):
            form = next((each for each in forms if each[0] == "~"), form)
            if not forms.get(form):
                return known(found, shortened, f"what came out of {channel}")
            self._popped(forms, form)
            return known(found, True, f"what came out of {channel}")
        return self._popped(forms, form).value

    def _popped(self, forms: dict[str, deque[Item]], form: str) -> Item:
        """The oldest item of a form; where others look the same and are not, nobody knows."""
        items = forms[form]
        several = form != "~" and len({each.producer for each in items}) > 1
        if several and not isinstance(items[0].value, _SCALARS) and not _alike(items):
            doubt = Unknown("which of several items alike came out")
            forms[form] = items = deque(Item(each.producer, doubt) for each in items)
        item = items.popleft()
        if not items:
            del forms[form]
        return item
