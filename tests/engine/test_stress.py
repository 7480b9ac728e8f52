"""Many processes at once on every primitive: the trace is legal, judged by other code."""

from __future__ import annotations

from itertools import pairwise

from legal import first_fault

STRESS = """
params: {n: 4, rounds: 60}
primitives:
  l: lock
  r: rlock
  s: {type: semaphore, value: 2}
  q: {type: queue, maxsize: 3}
  e: event
  link: {type: pipe, count: $n}
processes:
  w:
    count: $n
    actions:
      - repeat:
          times: $rounds
          as: i
          do:
            - with: {lock: l, do: [pass]}
            - with: {lock: r, do: [{with: {lock: r, do: [pass]}}]}
            - acquire: {lock: s, timeout: 20}
            - put: {value: "$([index, i])", to: q}
            - get: {from: q, into: x}
            - release: s
            - acquire: {lock: l, block: false, into: got}
            - if: {condition: got, then: [{release: l}]}
            - send: {value: $i, to: "link[$index].conn1"}
            - recv: "link[$((index + 1) % n)].conn2"
  flag: {actions: [{repeat: {times: $rounds, do: [{set: e}, {clear: e}]}}]}
  look: {actions: [{repeat: {times: $rounds, do: [{is_set: e}]}}]}
"""


def test_the_order_of_a_crowd_is_legal(run, method):
    trace = run(STRESS, method)
    assert (trace.end, trace.verdict.failures) == ("completed", ())
    assert first_fault(trace, {"l": 1, "r": 1000, "s": 2}) is None
    assert len(trace.events) > 4 * 60 * 12


def test_the_judge_finds_a_damaged_trace(run):
    """The other code can fail: any two neighbours on one lock, swapped, are an impossible order."""
    trace = run(
        "{primitives}\n{processes}".format(
            primitives="primitives: {l: lock}",
            processes="processes: {w: {count: 2, actions: [{with: {lock: l, do: [pass]}}]}}",
        )
    )
    on_lock = [i for i, e in enumerate(trace.events) if e.on == "l"]
    assert first_fault(trace, {"l": 1}) is None
    for one, other in pairwise(on_lock):
        events = list(trace.events)
        events[one], events[other] = events[other], events[one]
        damaged = [e._replace(seq=i, t=0.0, began=0.0) for i, e in enumerate(events, 1)]
        assert first_fault(trace._replace(events=tuple(damaged)), {"l": 1}) is not None
