"""Scenarios in Promela, explored by the real Spin: its verdicts and its numbers of states.

Spin and a C compiler are asked for everything but what is refused; without them that is skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
from test_scenarios import FILES, FOLDER

from mpflow import api
from mpflow.cli import main
from mpflow.scenario import Scenario

MISSING = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
needs_spin = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


class Explored(NamedTuple):
    """What Spin found: invalid end states, assertions that can fail, and how many states."""

    deadlock: bool
    violated: bool
    states: int


def explore(text: str, folder: Path, *, all_states: bool = False) -> Explored:
    """Have Spin explore a model, without its reductions or with them, past every error."""
    (folder / "model.pml").write_text(text, encoding="ascii")
    options = ["-O1", "-DSAFETY", "-DVECTORSZ=65536", *(["-DNOREDUCE"] if all_states else [])]
    assert _said(folder, "spin", "-a", "model.pml") == ""
    _said(folder, "gcc", *options, "-o", "pan", "pan.c")
    said = _said(folder, "./pan", "-c0", "-m1000000", "-w20")
    for file in folder.glob("pan*"):
        file.unlink()
    assert "max search depth too small" not in said
    kinds = re.findall(r"^pan:\d+: (.*) \(at depth", said, re.MULTILINE)
    states = re.search(r"(\d+) states, stored", said)
    assert states is not None, said
    deadlock = any(kind == "invalid end state" for kind in kinds)
    assert all(kind.startswith(("invalid end", "assertion violated")) for kind in kinds), kinds
    return Explored(deadlock, any("assertion" in kind for kind in kinds), int(states[1]))


def _said(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def scenario(text: str) -> Scenario:
    """The scenario of a text without its first line."""
    loaded = api.loads("mpflow: 1\n" + textwrap.dedent(text), "scenario.yaml")
    assert loaded.problems == []
    return loaded.scenarios[0]


def exported(text: str) -> str:
    """The model of a text without its first line."""
    model = api.promela(scenario(text))
    assert [problem.render() for problem in model.problems] == []
    return model.text


# Numbers of states

# Philosophers and locks: each acquires the left one, then the right one, and releases both. How
# many states there are is known: where all begin on the left, and where the last one does not.
STATES = {4: (391, 320), 6: (7_759, 6_336), 8: (153_631, 125_440)}
# Besides the philosophers' there are two states of main: before it has started them, all at once,
# since nobody can see them one by one; and behind its join.
OF_MAIN = 2


def philosophers(number: int, ordered: bool) -> str:
    """N philosophers; `ordered`: the last one takes the right lock first."""
    turned = f"index == {number - 1}" if ordered else "False"
    return f"""
        primitives: {{forks: {{type: lock, count: {number}}}}}
        processes:
          philosopher:
            count: {number}
            vars:
              first: $((index + 1) % {number} if {turned} else index)
              second: $(index if {turned} else (index + 1) % {number})
            actions:
              - with:
                  lock: forks[$first]
                  do: [{{with: {{lock: "forks[$second]", do: [pass]}}}}]
        """


@needs_spin
@pytest.mark.parametrize("ordered", [False, True], ids=["deadlock", "ordered"])
@pytest.mark.parametrize("number", STATES)
def test_philosophers_have_as_many_states_as_are_known(
    number: int, ordered: bool, tmp_path: Path
) -> None:
    found = explore(exported(philosophers(number, ordered)), tmp_path, all_states=True)
    assert found == (not ordered, False, STATES[number][ordered] + OF_MAIN)


# The scenarios that come with mpflow

REFUSED = {
    name: reason
    for reason, names in {
        "Python code cannot be exported": """bugs/unpicklable_at_exit bugs/unreferenced_lock
            clock_class processes/arguments processes/exception_from_code processes/keep_an_object
            processes/relatives processes/shared_with_code processes/start_methods
            processes/subclass processes/word_count queues/object queues/work_by_name""",
        "Promela has no files": "lock processes/one_file",
        "a barrier cannot be exported": """bugs/barrier_dead_waiter bugs/barrier_index
            bugs/barrier_timeout locks/barrier_abort locks/barrier_leader locks/barrier_rounds
            puzzles/building_h2o puzzles/exclusive_queue_wrong puzzles/mutex_wrong
            puzzles/readers_writers puzzles/readers_writers_wrong puzzles/river_crossing
            puzzles/river_crossing_wrong puzzles/unisex_bathroom_wrong""",
        "a condition cannot be exported": """bugs/condition_timeout bugs/lost_wakeup
            bugs/lost_wakeup_fixed bugs/notify_one_of_two locks/condition_stages locks/notify_one
            locks/two_conditions""",
        "a daemon may be killed at any step": """bugs/daemon_cut daemon_join daemon_on
            puzzles/barbershop""",
        "a list of names is no value": "processes/children workers",
        "a manager_": """bugs/manager_gone locks/active_pool processes/manager_copies
            processes/manager_dict processes/manager_list processes/manager_writers
            processes/namespace""",
        "a shared_memory cannot be exported": "processes/shared_memory",
        "a signal may strike at any step": """bugs/consumer_terminated bugs/event_dead_waiter
            bugs/pool_terminated bugs/terminate_holder bugs/terminate_race bugs/writers_mixed
            pipe_two_receivers processes/exit_codes processes/pool_timeout processes/signal
            processes/suspend processes/terminate""",
        "`apply": """bugs/pool_worker_dies processes/pool_closed processes/pool_error
            processes/pool_fresh_workers processes/pool_later""",
        "`cancel_join_thread`": "bugs/cancel_join_thread",
        "`close` of a simple_queue": "queues/simple_queue",
        "`imap`": "processes/pool_order",
        "`join_thread`": "queues/close",
        "`map`": "processes/pool_map",
        "`send_bytes`": "pipes/bytes pipes/too_long",
        "`wait_any`": "pipes/wait_for_the_first",
        "may be lost with the process": "bugs/os_exit_after_put",
        "may fill a pipe": """bugs/big_puts_cross bugs/full_pipe_asleep bugs/join_after_get
            bugs/join_before_get bugs/unread_at_exit pipes/senders_in_turn
            queues/cancel_join_thread""",
        "only the run can tell": "puzzles/fifo_barbershop puzzles/room_party puzzles/santa_claus",
        "only the run puts together": """locks/value_and_array locks/value_wraps
            queues/one_message""",
        "there is no bound": "pipe_forever queues/tasks_and_results",
        "two processes receive from this end": "bugs/poll_then_recv bugs/readers_mixed",
        "when an end is closed": """bugs/eof_never_comes bugs/eof_never_comes_fixed
            pipes/closed_end pipes/end_of_file pipes/greeting pipes/nobody_listens
            pipes/wait_any""",
    }.items()
    for name in names.split()
}
# A timeout may strike whenever its action cannot go on; these files trust that theirs are long.
TIMED = {
    "queues/bounded": "the last put, for 30 seconds, may be refused, and its item is waited for"
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_spin_finds_a_deadlock_where_the_file_expects_one(path: Path, tmp_path: Path) -> None:
    name = path.relative_to(FOLDER).with_suffix("").as_posix()
    found = api.load(str(path)).scenarios[0]
    model = api.promela(found)
    if name in REFUSED:
        assert any(REFUSED[name] in problem.message for problem in model.problems)
        return
    assert [problem.render() for problem in model.problems] == []
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    expected = found.expectation
    possible = expected.deadlock != "never" or "deadlock" in (expected.outcomes or ())
    assert explore(model.text, tmp_path)[:2] == (possible or name in TIMED, False)


# What the model allows, case by case

HOLDS, FAILS = False, True
GOES_ON, DEADLOCK = False, True
CASES = {
    "a lock has no owner: another process releases it": (
        """
        primitives: {guard: lock}
        processes: {helper: {actions: [release: guard]}}
        main: [{acquire: guard}, {start: helper}, {acquire: guard}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a lock held once and released by two at the same time may let two in": (
        """
        primitives: {guard: lock}
        processes: {helper: {count: 2, actions: [release: guard]}}
        main:
          - acquire: guard
          - start: helper
          - join: helper
          - acquire: {lock: guard, block: false, into: one}
          - acquire: {lock: guard, block: false, into: other}
          - assert: not (one and other)
        """,
        GOES_ON,
        FAILS,
    ),
    "a lock released by its holders alone never does": (
        """
        primitives: {guard: lock, inside: value}
        processes:
          worker:
            count: 3
            actions:
              - with:
                  lock: guard
                  do:
                    - load: {from: inside, into: n}
                    - assert: n == 0
                    - store: {value: 1, to: inside}
                    - store: {value: 0, to: inside}
        """,
        GOES_ON,
        HOLDS,
    ),
    "a bounded semaphore that is released too often is a ValueError, a semaphore grows": (
        """
        primitives: {bounded: {type: bounded_semaphore, value: 2}, grows: semaphore}
        processes: {}
        main:
          - release: grows
          - repeat: {times: 2, do: [acquire: grows]}
          - try:
              do: [{release: bounded}, {let: {said: no}}]
              except: {ValueError: [let: {said: yes}]}
          - assert: said == 'yes'
        """,
        GOES_ON,
        HOLDS,
    ),
    "an rlock may be acquired again, by its owner alone": (
        """
        primitives: {desk: rlock}
        processes:
          other: {actions: [{acquire: {lock: desk, block: false, into: got}}, {assert: not got}]}
        main:
          - repeat: {times: 3, do: [acquire: desk]}
          - repeat: {times: 2, do: [release: desk]}
          - start: other
          - join: other
          - release: desk
          - release: desk
        expect: {exitcode: {main: 1}}
        """,
        GOES_ON,
        HOLDS,
    ),
    "an rlock of another is not released": (
        """
        primitives: {desk: rlock, never: {type: semaphore, value: 0}}
        processes: {other: {vars: {n: 0}, actions: [
          {if: {condition: n == 1, then: [acquire: desk]}},
          {try: {do: [{release: desk}, {print: released}, {acquire: desk}, {acquire: never}],
            except: {AssertionError: [pass]}}}]}}
        main: [{acquire: desk}, {start: other}, {join: other}, {release: desk}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a timeout strikes whenever the lock is held": (
        """
        primitives: {guard: lock}
        processes: {holder: {actions: [{acquire: guard}, {sleep: 1}, {release: guard}]}}
        main: [{start: holder}, {acquire: {lock: guard, timeout: 9, into: got}},
          {if: {condition: got, then: [release: guard]}}, {assert: got}]
        """,
        GOES_ON,
        FAILS,
    ),
    "and never when it is free": (
        """
        primitives: {guard: lock}
        processes: {holder: {actions: [with: {lock: guard, do: [sleep: 1]}]}}
        main: [{start: holder}, {join: holder}, {acquire: {lock: guard, timeout: 9, into: got}},
          {assert: got}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "what leaves a `with` releases its lock, by an exception, break, return and exit": (
        """
        primitives: {guard: lock}
        processes:
          one: {actions: [with: {lock: guard, do: [raise: {error: OSError}]}]}
          two: {actions: [repeat: {times: 2, do: [{with: {lock: guard, do: [break]}}]}]}
          three: {actions: [with: {lock: guard, do: [return]}]}
          four: {actions: [repeat: {times: 2, do: [{with: {lock: guard, do: [exit: 3]}}]}]}
        main: [{start: all}, {join: all}, {acquire: {lock: guard, block: false, into: got}},
          {assert: got}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "what dies keeps its lock": (
        """
        primitives: {guard: lock}
        processes: {one: {actions: [with: {lock: guard, do: [os_exit: 1]}]}}
        main: [{start: all}, {join: all}, {acquire: guard}]
        """,
        DEADLOCK,
        HOLDS,
    ),
    "finally is done on every way out, once": (
        """
        primitives: {count: semaphore}
        processes: {}
        main:
          - acquire: count
          - for:
              each: way
              in: [0, 1, 2]
              do:
                - try:
                    do:
                      - if: {condition: way == 0, then: [continue]}
                      - if: {condition: way == 1, then: [{raise: {error: KeyError}}]}
                    except: {LookupError: [{let: {caught: $way}}]}
                    finally: [release: count]
          - repeat: {times: 3, do: [acquire: count]}
          - acquire: {lock: count, block: false, into: more}
          - assert: not more
        """,
        GOES_ON,
        HOLDS,
    ),
    "who waits for an event that is set and cleared may be told false": (
        """
        primitives: {go: event}
        processes: {waiter: {actions: [{wait: {for: go, into: told}}, {assert: told}]}}
        main: [{start: waiter}, {set: go}, {clear: go}]
        """,
        DEADLOCK,
        FAILS,
    ),
    "an event that nobody clears": (
        """
        primitives: {go: event}
        processes: {waiter: {count: 2, actions: [{wait: {for: go, into: told}}, {assert: told}]}}
        main: [{start: waiter}, {set: go}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a wait with a timeout may end before the event, and before a second one": (
        """
        primitives: {go: event}
        processes:
          waiter:
            actions:
              - wait: {for: go, timeout: 1, into: told}
              - assert: told
        main: [{start: waiter}, {clear: go}, {set: go}]
        """,
        GOES_ON,
        FAILS,
    ),
    "items of one producer come in their order": (
        """
        primitives: {q: queue}
        processes: {one: {actions: [{put: {value: 1, to: q}}, {put: {value: 2, to: q}}]}}
        main: [{start: one}, {get: {from: q, into: a}}, {get: {from: q, into: b}},
          {assert: a == 1 and b == 2}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "those of two in any, even if one was put after the other": (
        """
        primitives: {q: queue, done: event}
        processes: {one: {actions: [{put: {value: 1, to: q}}, {set: done}]}}
        main: [{start: one}, {wait: done}, {put: {value: 2, to: q}}, {get: {from: q, into: a}},
          {assert: a == 1}]
        """,
        GOES_ON,
        FAILS,
    ),
    "but what a joined process has put is in the pipe": (
        """
        primitives: {q: queue}
        processes: {one: {actions: [{put: {value: 1, to: q}}]}}
        main: [{start: one}, {join: one}, {put: {value: 2, to: q}}, {get: {from: q, into: a}},
          {assert: a == 1}, {get: {from: q, block: false, into: a}}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "what was just put may not be there yet": (
        """
        primitives: {q: queue}
        processes: {}
        main: [{put: {value: 1, to: q}}, {empty: {queue: q, into: nothing}},
          {try: {do: [{get: {from: q, block: false}}, {let: {got: true}}],
            except: {Empty: [{let: {got: false}}]}}}, {assert: got}]
        """,
        GOES_ON,
        FAILS,
    ),
    "a get that does not wait fails while another one waits, even if an item is there": (
        """
        primitives: {q: queue}
        processes:
          putter: {actions: [repeat: {times: 2, do: [{put: {value: 1, to: q}}]}]}
          one: {actions: [get: q]}
          two: {actions: [try: {do: [get: {from: q, block: false}], except: {Empty: [{let: {a: 1}},
            {assert: a == 2}]}}]}
        main: [{start: putter}, {join: putter}, {start: [one, two]}, {join: [one, two]}]
        """,
        GOES_ON,
        FAILS,
    ),
    "a put waits for a slot": (
        """
        primitives: {q: {type: queue, maxsize: 1}}
        processes: {}
        main: [{put: {value: 1, to: q}}, {put: {value: 2, to: q}}]
        """,
        DEADLOCK,
        HOLDS,
    ),
    "or is refused": (
        """
        primitives: {q: {type: queue, maxsize: 1}}
        processes: {}
        main: [{put: {value: 1, to: q}}, {full: {queue: q, into: full}},
          {qsize: {queue: q, into: n}}, {assert: full and n == 1},
          {try: {do: [{put: {value: 2, to: q, timeout: 1}}, {assert: n == 2}],
            except: {Full: [pass]}}}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "who joins a queue goes on when as many are done as were put": (
        """
        primitives: {q: {type: joinable_queue, maxsize: 2}, n: value}
        processes:
          worker:
            actions:
              - repeat: {times: 2, do: [{get: q}, {load: {from: n, into: i}},
                  {store: {value: $(i + 1), to: n}}, {task_done: q}]}
        main: [{put: {value: 1, to: q}}, {put: {value: 1, to: q}}, {start: worker}, {join: q},
          {load: {from: n, into: i}}, {assert: i == 2}, {join: worker}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a simple queue has what was put at once, in its order": (
        """
        primitives: {q: simple_queue, done: event}
        processes: {one: {actions: [{put: {value: 1, to: q}}, {set: done}]}}
        main: [{start: one}, {wait: done}, {put: {value: 2, to: q}}, {get: {from: q, into: a}},
          {empty: {queue: q, into: nothing}}, {assert: a == 1 and not nothing}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a pipe has two ways": (
        """
        primitives: {link: pipe}
        processes: {echo: {actions: [repeat: {times: 2, do: [{recv: {from: link.conn2, into: x}},
          {send: {value: "$(x * 2)", to: link.conn2}}]}]}}
        main: [{start: echo}, {poll: {from: link.conn1, into: there}}, {assert: not there},
          {send: {value: 3, to: link.conn1}}, {send: {value: 4, to: link.conn1}},
          {recv: {from: link.conn1, into: a}}, {recv: {from: link.conn1, into: b}},
          {assert: a == 6 and b == 8}, {recv: link.conn1}]
        """,
        DEADLOCK,
        HOLDS,
    ),
    "a join with a timeout may be too early even behind the last action": (
        """
        primitives: {last: event}
        processes: {one: {actions: [set: last]}}
        main: [{start: one}, {wait: last}, {join: {process: one, timeout: 1, into: ended}},
          {assert: ended}]
        """,
        GOES_ON,
        FAILS,
    ),
    "and not behind a join": (
        """
        processes: {one: {actions: [exit: 3]}}
        main: [{start: one}, {join: one}, {join: {process: one, timeout: 1, into: ended}},
          {is_alive: {process: one, into: alive}}, {exitcode: {process: one, into: code}},
          {assert: ended and not alive and code == 3}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "a process ends behind its children": (
        """
        primitives: {go: event}
        processes: {parent: {actions: [start: child]}, child: {actions: [wait: go]}}
        main: [{start: all}, {join: all}, {set: go}]
        """,
        DEADLOCK,
        HOLDS,
    ),
    "two who add may lose one": (
        """
        primitives: {total: value}
        processes: {adder: {count: 2, actions: [{load: {from: total, into: n}},
          {store: {value: $(n + 1), to: total}}]}}
        main: [{start: adder}, {join: adder}, {load: {from: total, into: n}}, {assert: n == 2}]
        """,
        GOES_ON,
        FAILS,
    ),
    "not with the value's own lock around both": (
        """
        primitives: {total: {type: array, initial: [5, 7]}}
        processes: {adder: {count: 2, actions: [with: {lock: total, do: [
          {load: {from: total, at: 1, into: n}}, {store: {value: $(n + 1), to: total, at: 1}}]}]}}
        main: [{start: adder}, {join: adder}, {load: {from: total, at: 1, into: n}},
          {assert: n == 9}]
        """,
        GOES_ON,
        HOLDS,
    ),
    "any value may be chosen": (
        """
        processes: {}
        main: [{choose: {from: [1, two, null], into: x}}, {assert: x == 1 or x is None}]
        """,
        GOES_ON,
        FAILS,
    ),
    "numbers are Python's, and no text or None is one": (
        """
        processes: {}
        main:
          - choose: {from: [7, -7], into: x}
          - let: {q: $(x // 2), r: $(x % 2), big: "$(max(x, 3, -x))", odd: $(x and 5)}
          - assert: (q == 3 or x < 0) and (q == -4 or x > 0) and r == 1 and big == 7 and odd == 5
          - choose: {from: [stop, null, 1, ''], into: y}
          - assert: (y == 'stop') + (y is None) + (y == 1) + (y == '') == 1
          - if: {condition: y, then: [{assert: "y in ['stop', True]"}], else: [{assert: y != 1}]}
          - let: {z: "$(['a', 3][r] if y != 'stop' else -x)"}
          - assert: z == 3 or z in (7, -7)
        """,
        GOES_ON,
        HOLDS,
    ),
    "a number that grows too large, and a text that should be one, are told": (
        """
        primitives: {q: queue}
        processes: {}
        main: [{let: {x: 1}}, {repeat: {times: 40, do: [{let: {x: $(x + x)}}]}}]
        """,
        GOES_ON,
        FAILS,
    ),
    "a name that is worked out in a loop": (
        """
        primitives: {gate: {type: semaphore, count: 3, value: 0}, red: lock, blue: lock}
        processes: {one: {count: 3, actions: [{acquire: "gate[$index]"}]}}
        main: [{start: one}, {repeat: {times: 3, as: i, do: [{release: "gate[$((i + 1) % 3)]"}]}},
          {join: one}, {for: {each: it, in: [red, blue, red], do: [{acquire: $it}]}}]
        """,
        DEADLOCK,
        HOLDS,
    ),
    "a loop goes on until its condition fails, or it is left": (
        """
        primitives: {q: queue}
        processes:
          one:
            vars: {total: 0}
            actions:
              - get: {from: q, into: item}
              - while:
                  condition: item != 'stop'
                  do:
                    - let: {total: $(total + item)}
                    - get: {from: q, into: item}
              - assert: total == 3
              - let: {n: 0}
              - repeat: {times: forever, do: [{let: {n: $(n + 1)}},
                  {if: {condition: n < 3, then: [continue]}}, break]}
              - assert: n == 3
        main: [{put: {value: 1, to: q}}, {put: {value: 2, to: q}}, {put: {value: stop, to: q}},
          {start: one}]
        """,
        GOES_ON,
        HOLDS,
    ),
}


@needs_spin
@pytest.mark.parametrize("name", CASES)
def test_the_model_allows_what_real_processes_can_show_and_no_more(
    name: str, tmp_path: Path
) -> None:
    text, deadlock, violated = CASES[name]
    assert explore(exported(text), tmp_path)[:2] == (deadlock, violated)


# What is written, and what is refused


SMALL = """
processes: {waiter: {actions: [{acquire: {lock: guard, timeout: 1, into: got}}, {print: $got}]}}
primitives: {guard: lock}
"""
MODEL = """\
/* scenario: made by mpflow export --to promela
 *
 * spin -a FILE && gcc -O2 -o pan pan.c && ./pan
 * An invalid end state is a deadlock. Time is not said: a timeout strikes whenever its
 * action cannot go on. -DNOREDUCE: all states; -DVECTORSZ=65536: for a large model.
 * Who has ended stays at `end: false`: in Spin he could die only after all later ones.
 */

#define NONE 100000
#define NOBODY 255

/* 0: main */
/* 1: waiter */
bool ended[2];
short exitcode[2];
byte lock_guard = 1;

proctype p_waiter() {
	int v_got = 0;
	if	/* line 3: acquire guard */
	:: atomic { lock_guard > 0 -> lock_guard--; v_got = 1 };
	:: atomic { !(lock_guard > 0) -> v_got = 0 };
	fi;
	ended[1] = 1;
end:	false;
}

init {
	atomic { run p_waiter(); };
	(ended[1]);	/* line 3: join waiter */
end:	false;
}
"""


def test_a_model_is_this_text() -> None:
    assert exported(SMALL) == MODEL


REASONS = {
    "acquire: $(['guard', 'other'][int(n > 1)])": "only the run can tell what this is done to",
    "let: {n: $(n / 2)}": "`n / 2` gives a fraction: Promela has whole numbers",
    "let: {n: $(n // n)}": "Promela divides by a known number above 0 alone",
    "let: {n: $(n * n * n)}": "this may be more than an int of Promela holds",
    "put: {value: [$n], to: q}": "what only the run puts together",
    "put: {to: q, value: $('x' * 50)}": "a text of 50 characters may fill a pipe",
    "while: {condition: n < 3, do: [put: {value: 1, to: q}]}": "there is no bound for what is in",
    "print: $later": "`later` may not be set here, and then this fails",
    "if: {condition: n > 2, then: [start: other]}": "a process that is started inside of a block",
    "write: {text: a, file: b}": "Promela has no files",
    "sleep: $(n * 0.1)": "what only the run puts together",
}


@pytest.mark.parametrize("action", REASONS)
def test_what_cannot_be_said_exactly_is_refused(action: str) -> None:
    found = api.promela(
        scenario(
            f"""
            primitives: {{guard: lock, other_guard: lock, q: queue}}
            processes: {{other: {{actions: [pass]}}}}
            main:
              - choose: {{from: [1, 2], into: n}}
              - if: {{condition: n > 1, then: [let: {{later: 1}}]}}
              - {action}
            """
        )
    )
    assert found.text == ""
    assert [problem.message[: len(REASONS[action])] for problem in found.problems] == [
        REASONS[action]
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario that can be exported and one that cannot."""
    (tmp_path / "scenario.yaml").write_text(f"mpflow: 1\n{SMALL}")
    refused = f"mpflow: 1\n{SMALL}".replace("{print: $got}", "{abort: meeting}, {call: 'a:b'}")
    refused = refused.replace("guard: lock}", "guard: lock, meeting: {type: barrier, parties: 2}}")
    (tmp_path / "refused.yaml").write_text(refused)
    (tmp_path / "a.py").write_text("def b(): pass")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_export_writes_the_model(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "scenario.yaml", "--to", "promela"]) == 0
    assert capsys.readouterr() == (MODEL, "")
    assert main(["export", "scenario.yaml", "--to", "promela", "-o", "model.pml"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (here / "model.pml").read_text() == MODEL


def test_export_says_all_that_it_refuses(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "refused.yaml", "--to", "promela", "-o", "model.pml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.findall(r"error\[not-exportable\]: (.*)\n +--> (.*)\n", err) == [
        ("`abort` cannot be exported", "refused.yaml:3:82"),
        ("Python code cannot be exported", "refused.yaml:3:100"),
    ]
    assert err.endswith("^^^^ write it as actions\n\n")
    assert not (here / "model.pml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.yaml"], "there is no such file"),
        (["scenario.yaml", "-p", "n=3"], "has no param `n`"),
        (["scenario.yaml", "-o", "no/model.pml"], "cannot write to no/model.pml: No such file"),
        (["scenario.yaml", "-o", "./scenario.yaml"], "would overwrite the scenario"),
    ],
)
def test_what_cannot_be_exported_is_said_and_the_exit_code_is_2(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["export", "--to", "promela", *arguments]) == 2
    assert said in capsys.readouterr().err
