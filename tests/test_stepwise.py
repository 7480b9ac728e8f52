"""A process as a generator: it asks for what it does, and goes on with what it is told."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Any

import pytest

from mpflow import api
from mpflow.program import compile_program
from mpflow.stepwise import Ask, Lost, Walk


def walk(actions: str) -> Walk:
    text = "mpflow: 1\nprimitives: {a: lock, q: queue}\nprocesses:\n  p:\n    vars: {n: 2}\n"
    loaded = api.loads(text + "    actions:\n" + indent(dedent(actions), " " * 6))
    assert loaded.problems == [], [p.render() for p in loaded.problems]
    program = compile_program(loaded.scenarios[0], seed=1)
    return Walk(program.plans["p"], program, {}, {})


def told(ask: Ask) -> tuple[Any, ...]:
    return ask.verb, ask.line, ask.on, ask.value


def test_it_asks_for_each_action_and_goes_on_with_the_answer():
    found = walk(
        """\
        - repeat: {times: $n, as: i, do: [{get: {from: q, into: x}}, {print: "$(x + i)"}]}
        - with: {lock: a, do: [{let: {y: "$(x * 2)"}}, {section: {name: s, do: [pass]}}]}
        """
    )
    assert told(found.asks.send(None)) == ("get", 7, "q", None)
    assert told(found.asks.send(5)) == ("print", 7, None, "5")
    assert told(found.asks.send(None)) == ("get", 7, "q", None)
    assert told(found.asks.send(7)) == ("print", 7, None, "8")
    assert told(found.asks.send(None)) == ("acquire", 8, "a", None)
    assert found.asks.send(True).phase == "enter"
    assert found.asks.send(None).phase == "leave"
    assert told(found.asks.send(None)) == ("release", 8, "a", None)
    with pytest.raises(StopIteration):
        found.asks.send(None)
    assert found.variables() == {"n": 2, "i": 1, "x": 7, "y": 14}


def test_an_exception_thrown_in_takes_the_way_that_it_takes_in_a_run():
    found = walk(
        """\
        - try:
            do: [{get: {from: q, block: false}}]
            except: {ValueError: [{print: "$(error.type): $(error.message)"}]}
            finally: [{mark: over}]
        """
    )
    found.asks.send(None)
    assert told(found.asks.throw(ValueError("no"))) == ("print", 9, None, "ValueError: no")
    assert told(found.asks.send(None)) == ("mark", 10, "over", None)


def test_what_cannot_be_worked_out_says_so_before_it_comes():
    found = walk("- print: $(1 // 0)\n")
    ask = found.asks.send(None)
    assert isinstance(ask.raises, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        found.asks.send(None)
    assert found.asks.gi_frame is None


def test_nothing_is_asked_for_and_nothing_held_up_on_the_way_out():
    found = walk(
        """\
        - repeat:
            times: forever
            do:
              - try:
                  do: [{with: {lock: a, do: [{sleep: 1}]}}]
                  except: {BaseException: [{print: caught}]}
                  finally: [{print: over}, continue]
        """
    )
    found.asks.send(None)
    found.asks.send(True)
    with pytest.raises(Lost):
        found.asks.throw(Lost())
    assert found.variables() == {} or found.asks.gi_frame is None
