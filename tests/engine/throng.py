"""A throng: four processes at work on every primitive that is made of others, in every way.

In: how much of it. Out: the text of a scenario, and what it declares, for the judge (legal.py).
"""

from __future__ import annotations

from legal import Declared

DECLARED: Declared = {
    "c": ("condition", 0),
    "first": ("condition", 0),
    "second": ("condition", 0),
    "guard": ("condition", 0),
    "door": ("barrier", 4),
    "j": ("joinable_queue", 0),
    "s": ("simple_queue", 0),
    "v": ("value", 0),
    "bare": ("bare value", 0),
    "a": ("array", 3),
    "ml": ("manager_list", 0),
    "md": ("manager_dict", 0),
    "mv": ("manager_value", 0),
}
TOGETHER = {"first": "guard", "second": "guard"}  # conditions on one lock


def throng(turns: int) -> str:
    """Four workers that do the same, and one that waits for the tasks."""
    return f"params: {{n: 4, turns: {turns}}}\n{THRONG}"


THRONG = """
primitives:
  c: condition
  guard: lock
  first: {type: condition, lock: guard}
  second: {type: condition, lock: guard}
  door: {type: barrier, parties: $n}
  j: {type: joinable_queue, maxsize: 3}
  s: simple_queue
  v: {type: value, typecode: b}
  bare: {type: value, lock: false}
  a: {type: array, size: 3}
  ml: manager_list
  md: {type: manager_dict, initial: {x: 0}}
  mv: manager_value
processes:
  worker:
    count: $n
    actions:
      - repeat:
          times: $turns
          as: i
          do:
            - with: {lock: c, do: [{wait: {for: c, timeout: 0.0003}}]}
            - with: {lock: c, do: [{with: {lock: c, do: [{wait: {for: c, timeout: 0.0001}}]}}]}
            - with: {lock: c, do: [{notify: {condition: c, n: 2}}]}
            - try: {do: [{notify_all: c}], except: {AssertionError: [pass]}}
            - acquire: {lock: c, block: false, into: got}
            - if: {condition: got, then: [{notify_all: c}, {release: c}]}
            - with: {lock: first, do: [{wait: {for: first, timeout: 0.0002}}, {notify: second}]}
            - with: {lock: second, do: [{wait: {for: second, timeout: 0.0002}}, {notify: first}]}
            - with: {lock: guard, do: [{notify_all: first}]}
            - wait: {for: door, into: place}
            - put: {value: "$([index, i])", to: j}
            - get: j
            - task_done: j
            - put: {value: "$([index, i])", to: s}
            - empty: s
            - get: s
            - store: {value: $(index * 60 + i), to: v}
            - load: v
            - with: {lock: v, do: [{load: {from: v, into: x}}, {store: {value: $(x + 1), to: v}}]}
            - acquire: {lock: v, block: false, into: got}
            - if: {condition: got, then: [{load: v}, {release: v}]}
            - store: {value: "$(i * 4 + index)", to: bare}
            - load: bare
            - store: {value: $i, to: a, at: $(i % 3)}
            - load: {from: a, at: $((i + index) % 3 - 3)}
            - append: {value: $i, to: ml}
            - load: {from: ml}
            - pop: {from: ml, at: $(-(i % 2)), into: x}
            - store: {value: $(index + i), to: md, at: x}
            - load: {from: md, at: x}
            - length: {of: md}
            - try: {do: [{pop: {from: md, at: "none"}}], except: {KeyError: [pass]}}
            - store: {value: $i, to: mv}
            - load: mv
            - with: {lock: c, do: [{notify_all: c}]}
  waiter:
    actions:
      - repeat:
          times: $turns
          do:
            - join: j
            - empty: s
            - load: v
            - load: bare
            - with: {lock: guard, do: [{notify_all: second}]}
            - with: {lock: c, do: [{notify: c}]}
"""
