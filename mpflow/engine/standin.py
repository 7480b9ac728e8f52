"""Traced stand-ins: a real primitive goes in, what Python code is handed in its place comes out.

A stand-in is an instance of a class made from the real object's own. It has the real object's
attributes; the methods that are operations (kinds.py) record what they do and call the real
object's, so that what these do inside is not recorded again. All others are inherited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from mpflow import registry
from mpflow.engine.lanes import Lanes, lanes
from mpflow.engine.passing import otherwise
from mpflow.engine.tracing import Action, Shape, method


class Origin(NamedTuple):
    """What a stand-in was made from; enough to make it again in another process."""

    real: Any
    name: str
    type: str
    folder: str


def standin(real: Any, name: str, type_name: str, own: Lanes) -> Any:
    """What behaves as `real` does, and records what is done to it as done to `name`."""
    class_, shapes = _class(real.__class__, type_name)
    memory = hasattr(real, "_type_")  # plain memory: the stand-in is the same memory
    made = class_.from_buffer(real) if memory else class_.__new__(class_)
    made._origin = Origin(real, name, type_name, own.folder)
    made._actions = tuple(Action(_real(real, s), name, s, own) for s in shapes)
    if not hasattr(real, "__dict__"):
        return made
    methods = {shape.method for shape in shapes}
    if methods & real.__dict__.keys():
        # SemLock binds its methods on the instance, where they would hide the class's. What else
        # it has there never changes: a copy will do.
        made.__dict__.update((n, each) for n, each in real.__dict__.items() if n not in methods)
    else:
        made.__dict__ = real.__dict__
    return made


def standins(objects: Mapping[str, Any], types: Mapping[str, str], folder: str) -> dict[str, Any]:
    """A stand-in for each object; `types` are those of the primitives, by their names."""
    own = lanes(folder)
    return {
        name: standin(real, name, types[name.partition(".")[0]], own)
        for name, real in objects.items()
    }


def _real(real: Any, shape: Shape) -> Any:
    """The real object's method that an action calls, where it calls one."""
    return getattr(real, shape.method or shape.code.partition("(")[0], None)


def _lock(self: Any) -> Any:
    """In place of get_lock: the lock, and what is done to it is done to the value or array."""
    real, name, _, folder = self._origin
    lock = real.get_lock()
    kind = "rlock" if type(lock).__name__ == "RLock" else "lock"
    return standin(lock, name, kind, lanes(folder))


def _object(self: Any) -> Any:
    """In place of get_obj: the memory itself, without its lock."""
    real, name, type_name, folder = self._origin
    return standin(real.get_obj(), name, type_name, lanes(folder))


def _again(*origin: Any) -> Any:
    """A stand-in that has come from another process."""
    real, name, type_name, folder = origin
    return standin(real, name, type_name, lanes(folder))


@cache
def _class(real: Any, type_name: str) -> tuple[Any, tuple[Shape, ...]]:
    """The class of stand-ins for a type's objects of that class, and its actions in order."""
    operations = registry.primitive(type_name).operations
    memory = hasattr(real, "_type_")  # plain memory has no lock
    traced = (o for o in operations if o.code or (o.method and not memory))
    shapes = tuple(Shape(each) for each in traced)
    members = {
        "__slots__": ("_actions", "_origin"),
        "__module__": real.__module__,
        "__qualname__": real.__qualname__,
        "__doc__": real.__doc__,
        "__class__": property(lambda self: real),
        "__reduce_ex__": lambda self, protocol: (_again, tuple(self._origin)),
        **dict(_methods(real, shapes)),
    }
    if hasattr(real, "__del__"):
        members["__del__"] = lambda self: None  # the real object closes what it has itself
    return type(real.__name__, (real,), members), shapes


def _methods(real: type, shapes: Iterable[Shape]) -> Iterable[tuple[str, Any]]:
    """The traced methods by name; what can be acquired is so by `with`, too."""
    traced = [(shape, number) for number, shape in enumerate(shapes)]
    found = {shape.method: (shape, number) for shape, number in traced if shape.method}
    for name, (shape, number) in found.items():
        yield name, method(shape, number, real)
    yield from otherwise(real, [each for each in traced if each[0].code])
    if hasattr(real, "get_lock"):
        yield "get_lock", _lock
        yield "get_obj", _object
    if hasattr(real, "_type_"):
        yield "__repr__", lambda self: repr(self._origin.real)
    if hasattr(real, "__enter__") and found.keys() >= {"acquire", "release"}:
        yield "__enter__", method(*found["acquire"], real, "__enter__")
        yield "__exit__", method(*found["release"], real, "__exit__")
