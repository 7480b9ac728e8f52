"""Ways out of a process's blocks: exceptions, `break`, `return`, and the end of the process.

On the way `with` blocks release and `finally` blocks are done. In: a Body. Out: lines of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mpflow.exceptions import named
from mpflow.promela.body import Body
from mpflow.promela.frames import Finally, Frame, Handlers, Loop, With
from mpflow.promela.lines import Step, both
from mpflow.promela.refusal import Refusal


def attempt(body: Body, step: Step, error: str, note: str = "") -> None:
    """A step, or an exception where it cannot be taken."""
    before = body.flow
    body.lines.line("if" + (f"\t/* {note} */" if note else ""))
    body.lines.line(f":: {step}")
    body.branch(":: else", lambda: raise_(body, error))
    body.lines.line("fi;")
    body.flow = before


def raise_(body: Body, error: str, code: int = 1) -> None:
    """An exception comes here; `code` is the exit code where nothing catches it."""
    frames = body.frames
    while frames:
        *rest, frame = frames
        frames = tuple(rest)
        if isinstance(frame, Handlers):
            for name, label in frame.labels:
                if _catches(name, error):
                    body.lines.goto(label)
                    _leave(body)
                    return
        else:
            _pass(body, frame, frames)
    end(body, code)


def catches(body: Body, error: str) -> bool:
    """Whether anything around here catches an exception."""
    found = (label for f in body.frames if isinstance(f, Handlers) for label in f.labels)
    return any(_catches(name, error) for name, _ in found)


def jump(body: Body, continues: bool) -> None:
    """`break` and `continue`."""
    frames = body.frames
    while frames:
        *rest, frame = frames
        frames = tuple(rest)
        if isinstance(frame, Loop):
            body.lines.goto(frame.again if continues else frame.over)
            break
        _pass(body, frame, frames)
    _leave(body)


def return_(body: Body) -> None:
    """`return`: the process ends, and all around it is left."""
    frames = body.frames
    while frames:
        *rest, frame = frames
        frames = tuple(rest)
        _pass(body, frame, frames)
    end(body, 0)


def die(body: Body, code: int) -> None:
    """The process ends at once, and leaves everything as it is."""
    pairs = (pair for each in body.world.facts.producers.values() for pair in each)
    if any(process == body.name for process, _ in pairs):
        raise Refusal("what it has put may be lost with the process", "end it by `return`")
    if body.children or body.name == "main":
        raise Refusal("nobody waits for its children then", "end it by `return`")
    body.lines.step("", *_ended(body, code))
    body.lines.goto("end")
    _leave(body)


def _pass(body: Body, frame: Frame, outer: tuple[Frame, ...]) -> None:
    """Leave a block on the way out."""
    before, flow = body.frames, body.flow
    body.frames = outer
    if isinstance(frame, With):
        frame.release()
    elif isinstance(frame, Finally):
        body.inside(frame.nodes)
    body.frames, body.flow = before, flow


def _leave(body: Body) -> None:
    body.flow = body.flow._replace(alive=False)


def _ended(body: Body, code: int) -> list[str]:
    effects = [] if body.name == "main" else [f"ended[{body.number}] = 1"]
    return [*effects, f"exitcode[{body.number}] = {code}"] if code else effects


def last(body: Body) -> None:
    """The end behind the last action."""
    end(body, 0, last=True)


def end(body: Body, code: int, last: bool = False) -> None:
    """The process's end: its feeders are done by then, and so are its children. Where nobody
    looks at it without waiting, it comes at once with the last action."""
    guard = both(list(_before_end(body)))
    effects = _ended(body, code)
    if last and not guard and len(effects) == 1 and body.name not in body.world.facts.timed:
        if not body.lines.append(effects[0]):
            body.lines.step("", *effects)
    elif guard or effects:
        body.lines.step(guard and f"({guard})", *effects, note="the process ends")
    if not last:
        body.lines.goto("end")
    _leave(body)


def _before_end(body: Body) -> Iterator[str]:
    for name, pairs in body.world.facts.producers.items():
        for number, (process, _) in enumerate(pairs):
            if process == body.name:
                yield f"len(buffer_{name}[{number}]) == 0"
    if body.name != "main":  # nobody waits for main's end
        yield from (f"ended[{body.world.identities[c].number}]" for c in body.children)


def _catches(handler: str, error: str) -> bool:
    return issubclass(named(error), named(handler))
