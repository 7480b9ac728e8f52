"""The Python source that a process runs says what its actions say."""

from __future__ import annotations

from textwrap import dedent

from mpflow import api
from mpflow.engine.source import body
from mpflow.program import compile_program


def source(actions: str) -> tuple[str, tuple[int, ...]]:
    text = "mpflow: 1\nprimitives: {a: lock, q: queue}\nprocesses:\n  p:\n    vars: {n: 2}\n"
    loaded = api.loads(text + "    actions:\n" + actions)
    assert loaded.problems == []
    plan = compile_program(loaded.scenarios[0], seed=1).plans["p"]
    return body(plan.steps, plan.vars)


def test_actions_blocks_and_ways_out_become_python_s_own():
    text, lines = source(
        """\
      - repeat:
          times: $n
          as: i
          do:
            - if: {condition: i == 1, then: [break], else: [continue]}
      - with: {lock: a, do: [{get: {from: q, into: x}}]}
      - try:
          do: [pass]
          except: {Empty: [return]}
          finally: [{let: {x: 1}}]
"""
    )
    assert text == dedent(
        """\
        def body():
            v['n'] = 2
            for v['i'] in times(v['n']):
                pass
                if (v['i'] == 1):
                    pass
                    break
                else:
                    pass
                    continue
            held_7 = enter(7, lambda: {'lock': 'a'})
            try:
                pass
                v['x'] = do(8, lambda: {'from': 'q', 'block': True, 'timeout': scaled(None)})
            finally:
                leave(7, held_7)
            try:
                pass
                do(11, lambda: {})
            except caught('Empty'):
                pass
                do(13, lambda: {})
                return
            finally:
                pass
                do(15, lambda: {'variables': {'x': bind(v, 'x', 1)}})
            return"""
    )
    assert len(lines) == len(text.split("\n"))
    assert lines[2:4] == (7, 7)  # the repeat and its first line


def test_an_error_in_the_condition_of_a_loop_ends_the_process(run):
    trace = run(
        """
        processes:
          p:
            actions:
              - let: {x: word}
              - while: {condition: x > 1, do: [pass]}
        """
    )
    assert trace.errors["p"] == "TypeError"
    assert trace.exitcodes["p"] == 1
