"""Small scenarios whose outcomes were worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from . import Judged, TooBig, Unsupported, explore
from .bases import Leave, Table, World
from .language import Names, evaluate, fill
from .pipes import PAGES, pipe_read, pipe_write


def judge(text: str, **options: Any) -> Judged:
    return explore(yaml.safe_load("mpflow: 1\n" + text), **options)


def told(judged: Judged, key: str = "o") -> list[Any]:
    """The values that one key of the outcome can have, and the words besides, in a fixed order."""
    found = [json.loads(o)[key] if o.startswith("{") else o for o in judged.outcomes]
    return sorted(found, key=repr)


def outcomes(text: str, **options: Any) -> list[Any]:
    return told(judge(text, **options))


# name: (scenario, options, what `o` may be)
CASES: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    "killed between its lets": (
        """
processes: {child: {vars: {x: 0}, actions: [{let: {x: 1}}, {let: {x: 2}}]}}
main: [{start: child}, {kill: child}, {join: child}]
outcome: {o: "[child.x, child.exitcode]"}
""",
        {},
        [[0, -9], [1, -9], [2, -9], [2, 0], [None, -9]],
    ),
    "killed on its way out": (
        """
processes: {child: {actions: [{raise: KeyError}]}}
main: [{start: child}, {kill: child}, {join: child}]
outcome: {o: "[child.error, child.exitcode]"}
""",
        {},
        [["KeyError", -9], ["KeyError", 1], [None, -9]],
    ),
    "the first deadly signal decides": (
        """
primitives: {never: event}
processes: {child: {actions: [{wait: never}]}}
main: [{start: child}, {terminate: child}, {kill: child}, {join: child}]
outcome: {o: child.exitcode}
""",
        {},
        [-15],
    ),
    "terminated before it is stopped, or not": (
        """
processes: {child: {actions: [pass]}}
main: [{start: child}, {suspend: child}, {terminate: child}, {join: child}]
outcome: {o: child.exitcode}
""",
        {},
        ["deadlock", -15, 0],
    ),
    "SIGTERM waits for SIGCONT": (
        """
primitives: {never: event}
processes: {child: {actions: [{wait: never}]}}
main: [{start: child}, {suspend: child}, {terminate: child}, {resume: child}, {join: child}]
outcome: {o: child.exitcode}
""",
        {},
        [-15],
    ),
    "SIGKILL does not": (
        """
primitives: {never: event}
processes: {child: {actions: [{wait: never}]}}
main: [{start: child}, {suspend: child}, {terminate: child}, {kill: child}, {join: child}]
outcome: {o: child.exitcode}
""",
        {},
        [-15, -9],
    ),
    "suspended for ever": (
        """
processes: {child: {actions: [{print: hello}]}}
main: [{start: child}, {suspend: child}, {join: child}]
outcome: {o: output}
""",
        {},
        ["deadlock", ["hello"]],
    ),
    "suspended and resumed": (
        """
processes: {child: {actions: [{print: hello}]}}
main: [{start: child}, {suspend: child}, {resume: child}, {join: child}]
outcome: {o: output}
""",
        {},
        [["hello"]],
    ),
    "fork gives the reader the writing end": (
        """
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
processes:
  reader: {actions: [{try: {do: [{recv: link.r}], except: {EOFError: [{let: {x: eof}}]}}}]}
main: [{start: reader}, {close: link.w}, {join: reader}]
outcome: {o: reader.x}
""",
        {},
        ["deadlock"],
    ),
    "spawn does not": (
        """
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
processes:
  reader: {actions: [{try: {do: [{recv: link.r}], except: {EOFError: [{let: {x: eof}}]}}}]}
main: [{start: reader}, {close: link.w}, {join: reader}]
outcome: {o: reader.x}
""",
        {"start_method": "spawn"},
        ["eof"],
    ),
    "spawn gives what a grandchild names": (
        """
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
processes:
  reader: {actions: [{start: other}, {recv: link.r}]}
  other: {actions: [{if: {condition: "False", then: [{close: link.w}]}}]}
main: [{start: reader}, {close: link.w}, {join: reader}]
outcome: {o: reader.error}
""",
        {"start_method": "spawn"},
        ["deadlock"],
    ),
    "a sibling keeps the end open": (
        """
primitives: {link: {type: pipe, duplex: false, ends: [r, w]}, go: event}
processes:
  reader:
    actions:
      - close: link.w
      - try: {do: [{recv: link.r}], except: {EOFError: [{let: {x: eof}}]}}
  sibling: {actions: [{wait: go}]}
main: [{start: [reader, sibling]}, {close: link.w}, {join: reader}, {set: go}]
outcome: {o: reader.x}
""",
        {},
        ["deadlock"],
    ),
    "only the parent may join": (
        """
processes:
  child: {actions: [{start: grandchild}, {join: grandchild}]}
  grandchild: {actions: [pass]}
main:
  - start: child
  - join: child
  - try:
      do: [{join: grandchild}]
      except: {AssertionError: [{let: {x: $(error.message)}}]}
outcome: {o: main.x}
""",
        {},
        ["can only join a started process"],
    ),
    "nor ask for it": (
        """
primitives: {go: event, up: event}
processes:
  first: {actions: [{start: third}, {set: up}, {wait: go}]}
  second:
    actions:
      - wait: up
      - try: {do: [{join: first}], except: {Exception: [{let: {a: $(error.message)}}]}}
      - try: {do: [{is_alive: first}], except: {Exception: [{let: {b: $(error.message)}}]}}
  third: {actions: [pass]}
main:
  - start: [first, second]
  - join: second
  - is_alive: {process: third, into: a}
  - exitcode: {process: third, into: b}
  - set: go
outcome: {o: "[second.a, second.b, main.a, main.b]"}
""",
        {},
        [["can only join a child process", "can only test a child process", False, None]],
    ),
    "a daemon has no children": (
        """
processes:
  child: {daemon: true, actions: [{start: grandchild}]}
  grandchild: {actions: [pass]}
main: [{start: child}, {join: child}]
outcome: {o: "[child.error, grandchild.exitcode]"}
""",
        {},
        [["AssertionError", None]],
    ),
    "started twice, joined before it was started": (
        """
processes: {child: {actions: [pass]}}
main:
  - try: {do: [{join: child}], except: {Exception: [{let: {a: $(error.message)}}]}}
  - start: child
  - try: {do: [{start: child}], except: {Exception: [{let: {b: $(error.message)}}]}}
outcome: {o: "[main.a, main.b]"}
""",
        {},
        [["can only join a started process", "cannot start a process twice"]],
    ),
    "terminated before it was started": (
        """
processes: {child: {actions: [pass]}}
main: [{terminate: child}]
outcome: {o: main.error}
""",
        {},
        ["AttributeError"],
    ),
    "notify without the lock, wait without it": (
        """
primitives: {c: condition}
processes:
  a: {actions: [{notify: c}]}
  b: {actions: [{wait: c}]}
outcome: {o: "[a.error, b.error, a.exitcode]"}
""",
        {},
        [["AssertionError", "AssertionError", 1]],
    ),
    "wait gives up a recursive lock altogether": (
        """
primitives: {c: condition}
processes:
  a: {actions: [{acquire: c}, {acquire: c}, {wait: c}, {release: c}, {release: c}]}
  b: {actions: [{with: {lock: c, do: [{notify: c}]}}]}
outcome: {o: "[a.exitcode, b.exitcode]"}
""",
        {},
        ["deadlock", [0, 0]],
    ),
    "a condition on a declared lock": (
        """
primitives: {l: lock, c: {type: condition, lock: l}}
processes:
  a: {actions: [{acquire: l}, {wait: {for: c, timeout: 1, into: x}}, {release: l}]}
  b: {actions: [{acquire: l}, {notify: c}, {release: c}]}
outcome: {o: a.x}
""",
        {},
        [False, True],
    ),
    "who did not acquire it does not own it": (
        """
primitives: {l: rlock}
processes: {a: {actions: [{release: l}]}}
main: [{acquire: l}, {start: a}, {join: a}, {release: l}]
outcome: {o: "[a.error, main.exitcode]"}
""",
        {},
        [["AssertionError", 0]],
    ),
    "a fork of the owner is no owner": (
        """
primitives: {l: rlock}
processes: {a: {actions: [{acquire: {lock: l, block: false, into: x}}]}}
main: [{acquire: l}, {start: a}, {join: a}]
outcome: {o: a.x}
""",
        {},
        [False],
    ),
    "a barrier of one": (
        """
primitives: {b: {type: barrier, parties: 1}}
processes: {a: {actions: [{wait: {for: b, into: x}}, {wait: {for: b, into: y}}]}}
outcome: {o: "[a.x, a.y]"}
""",
        {},
        [[0, 0]],
    ),
    "a barrier's timeout of nothing": (
        """
primitives: {b: {type: barrier, parties: 2}}
processes: {a: {actions: [{wait: {for: b, timeout: 0}}]}}
outcome: {o: a.error}
""",
        {},
        ["BrokenBarrierError"],
    ),
    "abort, and it stays broken until reset": (
        """
primitives: {b: {type: barrier, parties: 2}}
processes: {a: {count: 2, actions: [{wait: b}]}}
main: [{start: "a[0]"}, {abort: b}, {start: "a[1]"}, {join: a}]
outcome: {o: "[a[0].error, a[1].error]"}
""",
        {},
        [["BrokenBarrierError", "BrokenBarrierError"]],
    ),
    "two producers in any order": (
        """
primitives: {q: queue}
processes: {p: {count: 2, actions: [{put: {value: $index, to: q}}]}}
main: [{start: p}, {get: {from: q, into: a}}, {get: {from: q, into: b}}]
outcome: {o: "[main.a, main.b]"}
""",
        {},
        [[0, 1], [1, 0]],
    ),
    "full at once, or not": (
        """
primitives: {q: {type: queue, maxsize: 1}}
processes: {p: {actions: [{get: q}]}}
main:
  - start: p
  - put: {value: 1, to: q}
  - try:
      do: [{put: {value: 2, to: q, block: false}}, {let: {x: in}}]
      except: {Full: [{let: {x: full}}]}
outcome: {o: main.x}
""",
        {},
        ["full", "in"],
    ),
    "a loop that nobody can leave": (
        """
primitives: {l: lock}
processes: {a: {actions: [{acquire: l}, {os_exit: 1}]}}
main:
  - start: a
  - join: a
  - let: {got: false}
  - while: {condition: not got, do: [{acquire: {lock: l, timeout: 1, into: got}}]}
outcome: {o: main.got}
""",
        {},
        ["timeout"],
    ),
    "a loop of nothing": (
        "processes: {a: {actions: [{while: {condition: true, do: [pass]}}]}}",
        {},
        ["timeout"],
    ),
    "a loop that can be left": (
        """
primitives: {e: event}
processes: {a: {actions: [{set: e}]}}
main:
  - start: a
  - let: {x: false}
  - while: {condition: not x, do: [{is_set: {event: e, into: x}}]}
outcome: {o: main.x}
""",
        {},
        [True],
    ),
    "exit codes": (
        """
processes:
  a: {actions: [{exit: 256}]}
  b: {actions: [{exit: -1}]}
  c: {actions: [{exit: text}]}
  d: {actions: [exit, {print: never}]}
  e: {actions: [return, {print: never}]}
  f: {actions: [{os_exit: 7}]}
  g: {actions: [{raise: {error: KeyError, message: k}}]}
main: [{start: a}, {join: a}, {start: b}, {join: b}, {start: c}, {join: c}, {start: d}, {join: d},
  {start: e}, {join: e}, {start: f}, {join: f}, {start: g}, {join: g}]
outcome:
  o: "[a.exitcode, b.exitcode, c.exitcode, d.exitcode, e.exitcode, f.exitcode, g.exitcode, output]"
""",
        {},
        [[0, 255, 1, 0, 0, 7, 1, []]],
    ),
    "on the way out": (
        """
processes:
  a:
    vars: {l: []}
    actions:
      - repeat:
          times: 3
          as: i
          do:
            - try:
                do:
                  - if: {condition: i == 0, then: [continue]}
                  - if: {condition: i == 1, then: [{raise: {error: IndexError, message: m}}]}
                  - return
                except:
                  KeyError: [{let: {l: "$(l + ['key'])"}}]
                  LookupError: [{let: {l: "$(l + [error.type, error.message])"}}]
                else: [{let: {l: "$(l + ['else'])"}}]
                finally: [{let: {l: "$(l + [i])"}}]
outcome: {o: a.l}
""",
        {},
        [[0, "IndexError", "m", 1, 2]],
    ),
    "every choice, every answer": (
        """
processes:
  a:
    actions:
      - choose: {from: [1, true], into: x}
      - call: {function: "a:b", returns: [null, two], into: y}
outcome: {o: "[a.x, a.y]"}
""",
        {},
        [[1, "two"], [1, None], [True, "two"], [True, None]],
    ),
    "main leaves its child behind": (
        """
primitives: {e: event}
processes: {a: {actions: [{print: here}]}}
main: [{start: a}, {os_exit: 3}]
outcome: {o: "[output, a.exitcode, main.exitcode]"}
""",
        {},
        [[["here"], 0, 3]],
    ),
    "a manager's dict": (
        """
primitives: {d: {type: manager_dict, initial: {n: 0}}}
processes:
  a:
    count: 2
    actions:
      - load: {from: d, at: n, into: x}
      - store: {value: $(x + 1), to: d, at: n}
main: [{start: a}, {join: a}, {load: {from: d, at: n, into: x}}]
outcome: {o: main.x}
""",
        {},
        [1, 2],
    ),
    "who is ready": (
        """
primitives: {link: pipe}
processes:
  a: {actions: [{send: {value: 1, to: link.conn2}}]}
main: [{start: a}, {wait_any: {for: [link.conn1, a], into: x}}]
outcome: {o: main.x}
""",
        {},
        [["link.conn1", "a"], ["link.conn1"]],
    ),
    "a reset connection": (
        """
primitives: {link: pipe}
processes:
  a: {actions: [{close: link.conn1}, {send: {value: 1, to: link.conn2}}]}
main:
  - start: a
  - send: {value: 1, to: link.conn1}
  - close: link.conn2
  - recv: {from: link.conn1, into: x}
  - join: a
  - try: {do: [{recv: link.conn1}], except: {OSError: [{let: {y: $(error.type)}}]}}
  - try: {do: [{recv: link.conn1}], except: {EOFError: [{let: {z: $(error.type)}}]}}
outcome: {o: "[main.x, main.y, main.z]"}
""",
        {},
        [[1, "ConnectionResetError", "EOFError"]],
    ),
    "a closed queue": (
        """
primitives: {q: queue}
processes: {}
main:
  - put: {value: 1, to: q}
  - close: q
  - join_thread: q
  - try: {do: [{get: q}], except: {ValueError: [{let: {x: 1}}]}}
  - try: {do: [{empty: q}], except: {OSError: [{let: {y: $(error.message)}}]}}
outcome: {o: "[main.x, main.y]"}
""",
        {},
        [[1, "handle is closed"]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    text, options, want = CASES[name]
    assert outcomes(text, **options) == want


@pytest.mark.parametrize(("size", "word"), [(65514, [0]), (65515, ["deadlock"])])
def test_a_simplex_pipe_is_full_at_its_real_size(size: int, word: list[Any]) -> None:
    text = """
primitives: {link: {type: pipe, duplex: false}}
processes: {}
main: [{send: {value: "$('x' * size)", to: link.conn2}}]
outcome: {o: main.exitcode}
"""
    assert outcomes(text, params={"size": size}) == word


@pytest.mark.parametrize(("size", "word"), [(65514, [0]), (65515, ["deadlock"])])
def test_exit_waits_for_what_does_not_fit(size: int, word: list[Any]) -> None:
    text = """
primitives: {q: queue}
processes: {child: {actions: [{put: {value: "$('x' * size)", to: q}}]}}
main: [{start: child}, {join: child}]
outcome: {o: child.exitcode}
"""
    assert outcomes(text, params={"size": size}) == word


@pytest.mark.parametrize(
    ("duplex", "length", "many"),
    [(False, 5, 13104), (True, 5, 278), (True, 192, 278), (True, 193, 167), (True, 16388, 13)],
)
def test_how_many_small_messages_fit(duplex: bool, length: int, many: int) -> None:
    w = World(Table())
    w.set(("processes",), ("a",))
    w.set(("status", "a"), "run")
    w.set(("duplex", "p"), duplex)
    for k in (0, 1):
        w.set(("end", "a", "p", k), "open")
    if not duplex:  # as if all but the last page were full
        w.set(("bytes", "p", 0), ((b"x" * 4096, 4096),) * (PAGES - 1))
        many = 819
    count = 0
    while (made := pipe_write(w, ("a", ""), ("p", 1), b"x" * length)) and made[0][0]:
        count += 1
    assert count == many
    if not duplex:
        w.set(("bytes", "p", 0), w.get(("bytes", "p", 0))[PAGES - 1 :])
    assert pipe_read(w, ("a", ""), ("p", 0), 10)[0][0] == b"x" * 10


FULL = """
primitives: {link: pipe, full: event, went_on: event}
processes:
  a:
    vars: {o: ok}
    actions:
      - close: link.conn1
      - repeat: {times: $fit, do: [{send_bytes: {value: "$('x' * size)", to: link.conn2}}]}
      - set: full
      - try:
          do: [{send_bytes: {value: "$('x' * size)", to: link.conn2}}]
          except: {OSError: [{let: {o: $(error.type)}}]}
      - set: went_on
main:
  - start: a
  - close: link.conn2
  - wait: full
  - repeat: {times: $taken, do: [{recv_bytes: {from: link.conn1, into: x}}]}
  - THEN
  - wait: went_on
  - join: a
outcome: {o: a.o}
"""


@pytest.mark.parametrize(
    ("fit", "size", "taken", "then", "word"),
    [
        (278, 1, 1, "pass", ["deadlock", "ok"]),
        (278, 1, 208, "pass", ["deadlock", "ok"]),
        (278, 1, 209, "pass", ["ok"]),
        (12, 16385, 9, "pass", ["deadlock", "ok"]),
        (12, 16385, 10, "pass", ["ok"]),
        (10, 20000, 7, "pass", ["deadlock", "ok"]),
        (10, 20000, 8, "pass", ["ok"]),
        (1, 219264, 0, "pass", ["deadlock"]),
        (1, 219264, 1, "pass", ["ok"]),
        (13, 16384, 1, "send: {value: 1, to: link.conn1}", ["ok"]),
        (13, 16384, 0, "send: {value: 1, to: link.conn1}", ["deadlock"]),
        (13, 16384, 1, "{suspend: a}\n  - {resume: a}", ["ok"]),
        (13, 16384, 1, "close: link.conn1", ["BrokenPipeError", "ConnectionResetError", "ok"]),
        (0, 300_000, 0, "close: link.conn1", ["BrokenPipeError"]),
    ],
)
def test_when_a_sender_who_found_no_room_goes_on(
    fit: int, size: int, taken: int, then: str, word: list[Any]
) -> None:
    text = FULL.replace("THEN", then)
    params = {"fit": fit, "size": size, "taken": taken}
    assert outcomes(text, params=params) == word


def test_sections_marks_and_lines() -> None:
    judged = judge("""
primitives: {s: {type: semaphore, value: 2}}
processes:
  a:
    count: 3
    actions:
      - with: {lock: s, do: [{section: {name: in, do: [{print: "$index\\n"}]}}]}
      - section: {name: alone, do: [pass]}
      - mark: done$index
main: [{start: a}, {join: a}, {mark: end}, {section: {name: last, do: [pass]}}]
""")
    assert judged.most_inside == {"in": 2, "alone": 3, "last": 1}
    marks = ["done0", "done1", "done2"]
    assert judged.orders == {(a, b) for a in marks for b in [*marks, "end"] if a != b}
    assert {sorted(ending.output)[:3] == [""] * 3 for ending in judged.endings} == {True}
    assert len({ending.output for ending in judged.endings}) == 6


def test_an_ending() -> None:
    judged = judge("""
processes: {a: {vars: {x: [1]}, actions: [{print: hello}, {raise: Empty}]}, b: {actions: [pass]}}
main: [{start: a}]
""")
    (ending,) = judged.endings
    assert ending.exitcodes == (("a", 1), ("b", None), ("main", 0))
    assert ending.errors == (("a", "Empty"), ("b", None), ("main", None))
    assert ending.variables == (("a", (("x", "[1]"),)), ("b", ()), ("main", ()))
    assert ending.output == ("hello",)
    assert (judged.deadlock, judged.never, judged.outcomes) == (False, False, {"{}"})


def test_too_big_and_unsupported() -> None:
    with pytest.raises(TooBig):
        judge("processes: {a: {actions: [{repeat: {times: forever, do: [{print: x}]}}]}}",
              most_states=100)  # fmt: skip
    with pytest.raises(TooBig):
        judge("processes: {a: {actions: [{repeat: {times: forever, as: i, do: [pass]}}]}}")
    with pytest.raises(Unsupported, match="main ends before a spawned process has begun"):
        judge("primitives: {l: lock}\nprocesses: {a: {actions: [{acquire: l}]}}\n"
              "main: [{start: a}]", start_method="spawn")  # fmt: skip
    with pytest.raises(Unsupported, match="timing"):
        judge("timing: exact\nprocesses: {}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$(a + 1)", 2),
        ("$a", 1),
        ("x$a$$b$(']' + ')')$", "x1$b])$"),
        ("$(m['k'][-1])", 3),
        ("$(max([a, 5] if a else [0]))", 5),
        ("$(1 < a + 1 < 3 and not None)", True),
        ("$('abc'[::2])", "ac"),
        ("$(a or 1 // 0)", 1),
        ("$(b'x' * 2)", b"xx"),
        ("$({1, 2} >= {1})", True),
        ("plain", "plain"),
        (["$a", {"k": "$a$a"}], [1, {"k": "11"}]),
    ],
)
def test_values(text: Any, value: Any) -> None:
    found = fill(text, Names({"a": 1, "m": {"k": [2, 3]}}))
    assert found == value
    assert type(found) is type(value)


def test_errors_of_expressions() -> None:
    for text, kind in {
        "1 / 0": "ZeroDivisionError",
        "x": "NameError",
        "1 + 'a'": "TypeError",
        "[][0]": "IndexError",
        "{}['a']": "KeyError",
        "int('x')": "ValueError",
    }.items():
        with pytest.raises(Leave) as left:
            evaluate(text, Names({}))
        assert left.value.what[:2] == ("error", kind)
