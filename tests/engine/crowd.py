"""A crowd: eight processes at work on every primitive at once, in every way there is to fail.

In: how much of it. Out: the text of a scenario, and what it declares, for the judge (legal.py).
"""

from __future__ import annotations

from legal import Declared

DECLARED: Declared = {
    "l": ("lock", 1),
    "spare": ("lock", 1),
    "r": ("rlock", 1),
    "s": ("semaphore", 2),
    "t": ("bounded_semaphore", 2),
    "e": ("event", 0),
    "q": ("queue", 0),
    "b": ("queue", 3),
    "ring": ("pipe", 0),
    "many": ("pipe", 0),
    "posts": ("semaphore", 0),
    "lost": ("queue", 0),
    "last": ("pipe", 0),
}
IN_A_TURN = 5 * 33  # events of the workers, about: some depend on chance


def crowd(turns: int, deaths: int) -> str:
    """Five workers, one that sets and clears, one that looks, one that receives what all send;
    and short-lived ones that are killed or terminated at whatever they are doing."""
    return f"params: {{n: 5, turns: {turns}, deaths: {deaths}}}\n{CROWD}"


CROWD = """
primitives:
  l: lock
  spare: {type: lock, count: $n}
  r: rlock
  s: {type: semaphore, value: 2}
  t: {type: bounded_semaphore, value: 2}
  e: event
  q: queue
  b: {type: queue, maxsize: 3}
  ring: {type: pipe, count: $n}
  many: pipe
  posts: {type: semaphore, value: 0}
  lost: {type: queue, count: $deaths}
  last: {type: pipe, count: $deaths}
processes:
  worker:
    count: $n
    vars: {got: false, late: 0}
    actions:
      - repeat:
          times: $turns
          as: i
          do:
            - with: {lock: l, do: [pass]}
            - acquire: {lock: l, block: false, into: got}
            - if: {condition: got, then: [{release: l}]}
            - acquire: {lock: l, timeout: 0.0001, into: got}
            - if: {condition: got, then: [{release: l}]}
            - try: {do: [{release: "spare[$index]"}], except: {ValueError: [pass]}}
            - with: {lock: r, do: [{with: {lock: r, do: [pass]}}]}
            - try: {do: [{release: r}], except: {AssertionError: [pass]}}
            - acquire: {lock: r, block: false, into: got}
            - if: {condition: got, then: [{release: r}]}
            - acquire: {lock: s, timeout: 20}
            - release: s
            - acquire: {lock: s, block: false, into: got}
            - if: {condition: got, then: [{release: s}]}
            - acquire: {lock: t, timeout: 0.001, into: got}
            - if:
                condition: got
                then: [{try: {do: [{release: t}], except: {ValueError: [pass]}}}]
            - put: {value: "$([index, i])", to: q}
            - put: {value: "$([index, i])", to: b}
            - get: q
            - try:
                do: [{put: {value: "$([index, -1 - i])", to: b, block: false}}, {get: b}]
                except: {Full: [pass]}
            - get: b
            - try:
                do: [{get: {from: q, block: false}}, {let: {late: $(late + 1)}}]
                except: {Empty: [pass]}
            - if: {condition: late, then: [{put: {value: "$([i])", to: q}}, {let: {late: 0}}]}
            - send: {value: $i, to: "ring[$index].conn1"}
            - poll: "ring[$((index + 1) % n)].conn2"
            - recv: "ring[$((index + 1) % n)].conn2"
            - poll: "ring[$((index + 1) % n)].conn2"
            - send: {value: $i, to: "ring[$((index + 1) % n)].conn2"}
            - poll: {from: "ring[$index].conn1", timeout: 0.0001}
            - recv: "ring[$index].conn1"
            - send: {value: $i, to: many.conn1}
            - is_set: e
            - wait: {for: e, timeout: 0.0001}
            - if: {condition: i % 8 == 0, then: [{set: e}]}
  switch:
    actions:
      - repeat: {times: $turns, do: [{set: e}, {is_set: e}, {clear: e}, {is_set: e}]}
      - set: e
  sloppy:
    actions:
      - repeat:
          times: $turns
          do:
            - try: {do: [{release: t}], except: {ValueError: [pass]}}
            - wait: {for: e, timeout: 0.0002}
  sink:
    actions:
      - repeat: {times: $(n * turns), do: [{poll: many.conn2}, {recv: many.conn2}]}
  dying:
    count: $deaths
    actions:
      - repeat:
          times: forever
          as: i
          do:
            - release: posts
            - send: {value: $i, to: "last[$index].conn1"}
            - put: {value: $i, to: "lost[$index]"}
            - acquire: {lock: posts, block: false}
            - release: posts
main:
  - start: [worker, switch, sloppy, sink]
  - repeat:
      times: $deaths
      as: i
      do:
        - is_alive: "dying[$i]"
        - start: "dying[$i]"
        - repeat: {times: $(20 + 10 * i), do: [{recv: "last[$i].conn2"}]}
        - if:
            condition: i % 2
            then: [{kill: "dying[$i]"}]
            else: [{terminate: "dying[$i]"}]
        - is_alive: "dying[$i]"
        - exitcode: "dying[$i]"
        - join: {process: "dying[$i]", timeout: 0}
        - join: "dying[$i]"
        - is_alive: "dying[$i]"
        - exitcode: "dying[$i]"
        - poll: {from: "last[$i].conn2", into: more}
        - while:
            condition: more
            do: [{recv: "last[$i].conn2"}, {poll: {from: "last[$i].conn2", into: more}}]
        - repeat: {times: 5, do: [{acquire: {lock: posts, block: false}}]}
  - join: [worker, switch, sloppy, sink]
expect: {exitcode: {"dying": [-9, -15]}}
"""
