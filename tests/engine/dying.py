"""Processes that die at a random instant: a way to die goes in, what the trace has lost comes out.

A process counts up through send, put, mark and let, as fast as it can, while main receives what
it sends. What main has received, and a file written beside each action, are the witnesses.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import cycle
from random import Random

from mpflow import api
from mpflow.scenario import Choice
from mpflow.trace import Event, Trace

WAYS = {"kill": -9, "terminate": -15, "killed from outside": -9, "os._exit": 7}  # exit codes

COUNTS = """
mpflow: 1
primitives: {{link: {{type: pipe, duplex: false, ends: [reads, writes]}}, q: queue}}
processes:
  dies:
    vars: {{n: null}}
    actions:
      {first}
      - repeat:
          times: forever
          as: i
          do:
            - let: {{n: $i}}
            - send: {{value: $n, to: link.writes}}
            - put: {{value: "$([i])", to: q}}
            - mark: turn
            {beside}
main:
  - let: {{got: 0, wrong: false, alive: true, more: true}}
  - start: dies
  - repeat:
      times: {instant}
      do:
        - recv: {{from: link.reads, into: x}}
        - let: {{wrong: $(wrong or x != got), got: $(got + 1)}}
  - {kill}
  - while:
      condition: alive or more
      do:
        - is_alive: {{process: dies, into: alive}}
        - poll: {{from: link.reads, timeout: 0.01, into: more}}
        - if:
            condition: more
            then:
              - recv: {{from: link.reads, into: x}}
              - let: {{wrong: $(wrong or x != got), got: $(got + 1)}}
  - join: dies
expect: {{exitcode: {{dies: {code}}}}}
"""


def lost(way: str, method: str, chance: Random, folder: str) -> str | None:
    """One run; what of it the trace does not tell as it was, in words."""
    written = os.path.join(folder, f"witness {chance.random()}")
    text = _scenario(way, chance, written)
    (scenario,) = api.loads(text, "dying", Choice(start_method=method)).scenarios
    follow = _killer(chance.randrange(2000)) if way == "killed from outside" else None
    trace = api.run(scenario, quiet=True, seed=1, follow=follow)
    if (trace.end, trace.verdict.failures) != ("completed", ()):
        return f"ended as {trace.end}: {trace.verdict.failures}"
    seen = None
    if os.path.exists(written):
        with open(written) as stream:
            seen = [int(line) for line in stream]
        os.unlink(written)
    return fault(trace, seen)


def fault(trace: Trace, written: list[int] | None) -> str | None:
    """What is missing in a trace, or in it twice, or out of order; `written` is what the file
    beside says, if there is one."""
    besides = ("begin", "end", "dying:die_soon")
    mine = [e for e in trace.events if e.process == "dies"]
    done = [e for e in mine if e.action not in besides and e.on not in besides]
    if any(e.status not in ("ok", "blocked") for e in done):
        return "an action has failed"
    if any(e.status == "blocked" for e in done[:-1]):
        return "an action before the last one was not completed"
    kinds = ["send", "put", "mark"] + ["call"] * any(e.action == "call" for e in done)
    for place, (event, kind) in enumerate(zip(done, cycle(kinds), strict=False)):
        turn = place // len(kinds)
        value = {"send": turn, "put": [turn]}.get(event.action)
        if event.action != kind or event.value not in (value, None) or _unsaid(event):
            return f"action {place} is {event.action} {event.value}, not {kind} {value}"
    main = trace.variables["main"]
    received = [e.result for e in trace.events if e.action == "recv" and e.status == "ok"]
    if main["wrong"] or received != list(range(main["got"])):
        return f"main has received {main['got']} messages, of which the trace has {received[-3:]}"
    return (
        _differ("send", done, main["got"])
        or (written is not None and _differ("call", done, len(written)))
        or (written is not None and written != list(range(len(written))) and "a torn file")
        or _variable(trace, sum(e.action == "send" for e in done))
        or None
    )


def _unsaid(event: Event) -> bool:
    """Whether a completed action has no value that it should have."""
    return event.status == "ok" and event.action in ("send", "put") and event.value is None


def _differ(action: str, done: list[Event], witnessed: int) -> str | None:
    """A completed action was witnessed; what is in progress may have been; nothing else was."""
    completed = sum(e.action == action and e.status == "ok" for e in done)
    begun = sum(e.action == action for e in done)
    if completed <= witnessed <= begun:
        return None
    return f"{witnessed} times {action} witnessed, {completed} completed, {begun} begun"


def _variable(trace: Trace, sends: int) -> str | None:
    """What was counted is kept just before the next action begins: the last send has its number,
    or the one that was about to begin has."""
    kept = trace.variables.get("dies", {}).get("n")
    if kept in (sends - 1, sends) or (kept is None and not sends):
        return None
    return f"n is kept as {kept} after {sends} times send"


def _scenario(way: str, chance: Random, written: str) -> str:
    code, by_main = way == "os._exit", way in ("kill", "terminate")
    soon = f'{{function: "dying:die_soon", args: [{0.0001 + chance.random() * 0.05}]}}'
    beside = f'{{function: "dying:witness", args: [$i, "{written}"]}}'
    return COUNTS.format(
        first=f"- call: {soon}" if code else "- pass",
        beside=f"- call: {beside}" if code else "",
        instant=chance.randrange(300) if by_main else 0,
        kill=f"{way}: dies" if by_main else "pass",
        code=WAYS[way],
    )


def _killer(events: int) -> Callable[[Event], None]:
    """Kills the process when so many of its events have been told."""
    pid, told = 0, 0

    def follow(event: Event) -> None:
        nonlocal pid, told
        if event.process != "dies" or event.action == "end":
            return
        told += 1
        pid = event.extra.get("pid", pid)
        if told == events + 1:
            os.kill(pid, signal.SIGKILL)

    return follow


# Called in the process that dies


def die_soon(seconds: float) -> None:
    """Leave by os._exit after that time, whatever goes on then."""
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(7))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def witness(number: int, path: str) -> None:
    """A line in a file, by one system call."""
    if not _files:
        _files.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    os.write(_files[0], f"{number}\n".encode())


_files: list[int] = []
