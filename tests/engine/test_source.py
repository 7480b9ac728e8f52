"""The Python source that a process runs says what its actions say."""

from __future__ import annotations

import os
from textwrap import dedent

from mpflow import api
from mpflow.engine import record
from mpflow.engine.launch import Records
from mpflow.engine.merge import Merge
from mpflow.engine.reading import lanes
from mpflow.engine.source import Source, body
from mpflow.program import compile_program


def source(actions: str) -> Source:
    text = "mpflow: 1\nparams: {where: x}\nprimitives: {a: lock, q: queue}\nprocesses:\n  p:\n"
    loaded = api.loads(text + "    vars: {n: 2}\n    actions:\n" + actions)
    assert loaded.problems == []
    program = compile_program(loaded.scenarios[0], seed=1)
    return body(program.plans["p"], program)


def test_what_the_text_settles_is_done_in_place_and_saves_what_has_changed():
    found = source(
        """\
      - repeat:
          times: $n
          as: i
          do:
            - put: {value: $i, to: q}
            - let: {n: $(n + 1)}
            - get: {from: q, into: x}
"""
    )
    assert found.text == dedent(
        """\
        def body():
            sites, words, stamps, at, limit = views()
            v_n = 2
            for v_i in times(v_n):
                if at > limit: sites, words, stamps, at, limit = more(at)
                try:
                    x = v_i
                    words[at] = x if type(x) is integer and LEAST < x < MOST else word(x)
                    slots[0] = v_n if type(v_n) is integer and LEAST < v_n < MOST else kept(0, v_n)
                    slots[1] = v_i if type(v_i) is integer and LEAST < v_i < MOST else kept(1, v_i)
                    sites[at] = 33
                    put_q(x)
                    stamps[at] = now()
                    at += 1
                    v_n = (v_n + 1)
                    slots[0] = v_n if type(v_n) is integer and LEAST < v_n < MOST else kept(0, v_n)
                    sites[at] = 37
                    v_x = get_q()
                    slots[2] = words[at] = v_x if type(v_x) is integer and LEAST < v_x < MOST \
else word(v_x)
                    stamps[at] = now()
                    at += 1
                except BaseException as error:
                    at = failed(at, error)
                    raise
            leaving(at, locals())"""
    )
    assert found.methods == {"put_q": ("q", "put"), "get_q": ("q", "get")}
    assert [(s.number, s.action, s.on, s.line, s.shows) for s in found.sites] == [
        (33, "put", "q", 12, "value"),
        (37, "get", "q", 14, "result"),
    ]
    assert found.lines[3] == 8  # the repeat
    assert len(found.lines) == len(found.steps) == len(found.text.split("\n"))


def test_blocks_and_ways_out_become_python_s_own_and_the_rest_is_worked_out():
    found = source(
        """\
      - if: {condition: n == 1, then: [return], else: [pass]}
      - with: {lock: a, do: [{get: {from: q, timeout: 1, into: $where}}]}
"""
    )
    assert found.text == dedent(
        """\
        def body():
            global v_n
            sites, words, stamps, at, limit = views()
            v_n = 2
            if (v_n == 1):
                slots[0] = v_n if type(v_n) is integer and LEAST < v_n < MOST else kept(0, v_n)
                begin(at, 32)
                try:
                    do(1, {})
                except BaseException as error:
                    failed(None, error)
                    raise
                finally:
                    sites, words, stamps, at, limit = views()
                leaving(at, locals())
                return
            else:
                try:
                    pass
                except BaseException as error:
                    at = failed(at, error)
                    raise
            if at > limit: sites, words, stamps, at, limit = more(at)
            try:
                slots[0] = v_n if type(v_n) is integer and LEAST < v_n < MOST else kept(0, v_n)
                sites[at] = 37
                words[at] = acquire_a()
                stamps[at] = now()
                at += 1
            except BaseException as error:
                at = failed(at, error)
                raise
            try:
                begin(at, 40)
                try:
                    assign(v_where, do(6, {'from': 'q', 'block': True, 'timeout': scaled(1)}))
                except BaseException as error:
                    failed(None, error)
                    raise
                finally:
                    sites, words, stamps, at, limit = views()
            finally:
                if at > limit: sites, words, stamps, at, limit = more(at)
                try:
                    sites[at] = 45
                    release_a()
                    stamps[at] = now()
                    at += 1
                except BaseException as error:
                    at = failed(at, error)
                    raise
            leaving(at, locals())"""
    )


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


def test_let_leaves_no_event_unless_it_fails(run):
    trace = run(
        """
        processes:
          p:
            actions:
              - let: {x: 1, y: $(x + 1)}
              - try:
                  do: [{let: {z: $(y / 0)}}]
                  except: {ZeroDivisionError: [{print: "$(error.message)"}]}
              - pass
        outcome: {y: p.y, z: p.z}
        """
    )
    own = [(e.action, e.line, e.status, e.error) for e in trace.events if e.process == "p"]
    error = ("ZeroDivisionError", "division by zero")
    assert own[1:-1] == [("let", 8, "error", error), ("print", 9, "ok", None)]
    assert trace.outcome == {"y": 2, "z": None}


def test_a_variable_that_is_not_set_yet_is_a_name_error_or_what_it_hides(run):
    trace = run(
        """
        params: {k: 5, never: false}
        processes:
          p:
            actions:
              - try:
                  do:
                    - if: {condition: never, then: [{let: {x: 1}}]}
                    - print: $x
                  except: {NameError: [{print: "$(error.type): $(error.message)"}]}
              - print: $k
              - let: {k: 6}
              - print: $k
        """
    )
    assert trace.output == ["NameError: name 'x' is not defined", "5", "6"]


def test_the_run_may_decide_the_name_of_a_variable(run):
    trace = run(
        """
        params: {names: [a, b]}
        processes:
          p:
            vars: {c: 1}
            actions:
              - for:
                  each: name
                  in: $names
                  do: [{choose: {from: [7], into: $name}}]
              - let: {c: $(c + a + b)}
              - repeat: {times: 2, as: "$(names[0])", do: [{print: $a}]}
        outcome: {a: p.a, b: p.b, c: p.c}
        """
    )
    assert (trace.outcome, trace.output) == ({"a": 1, "b": 7, "c": 15}, ["0", "1"])


def test_variables_of_a_killed_process_are_those_of_its_last_action(run):
    trace = run(
        """
        primitives: {ready: event}
        processes:
          p:
            vars: {n: 0, items: []}
            actions:
              - repeat:
                  times: 5
                  as: i
                  do: [{let: {n: $(n + i), items: "$(items + [i])"}}]
              - set: ready
              - sleep: 60
        main: [{start: p}, {wait: ready}, {kill: p}, {join: p}]
        expect: {exitcode: {p: -9}}
        outcome: {n: p.n, items: p.items, i: p.i}
        """
    )
    assert trace.outcome == {"n": 10, "items": [0, 1, 2, 3, 4], "i": 4}


def test_who_is_killed_while_its_first_variables_are_saved_has_none(tmp_path):
    text = "mpflow: 1\nprocesses: {p: {vars: {n: 5, text: hello}, actions: [pass]}}"
    program = compile_program(api.loads(text).scenarios[0], seed=1)
    writer = record.Writer(str(tmp_path), variables=2)
    writer.note(record.BEGIN, ("p", os.getpid(), ("n", "text")))
    found = []
    for slot, value in enumerate((5, "hello")):
        writer.slots[slot] = writer.kept(slot, value)
        records = Records("completed", 0.0, 1.0, {}, frozenset(), lanes(str(tmp_path)))
        found.append(Merge(records, program).variables)
    assert found == [{"p": {}}, {"p": {"n": 5, "text": "hello"}}]


def test_an_action_does_not_begin_before_a_loop_that_leaves_no_record_has_ended(run):
    trace = run(
        """
        primitives: {l: lock}
        processes:
          p:
            vars: {n: 0}
            actions:
              - mark: before
              - repeat: {times: 300000, do: [{let: {n: $(n + 1)}}]}
              - acquire: l
        """
    )
    mark = next(e for e in trace.events if e.action == "mark")
    acquire = next(e for e in trace.events if e.action == "acquire")
    assert acquire.t - acquire.began < (acquire.t - mark.t) / 2
