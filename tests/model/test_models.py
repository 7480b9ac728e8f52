"""Each primitive's model gives exactly the outcomes that CPython's code can give."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from mpflow import api
from mpflow.model.check import Options, check
from mpflow.model.explore import Limits
from mpflow.model.values import Uncheckable
from mpflow.scenario import Choice
from mpflow.trace import plain


def outcomes(text: str, method: str = "fork", reduce: bool = True) -> list[str]:
    """All that runs can be summed up as: the values of `o`, or deadlock and timeout."""
    whole = "mpflow: 1\n" + textwrap.dedent(text)
    loaded = api.loads(whole, "scenario.yaml", Choice(start_method=method))
    assert loaded.problems == [], "\n".join(p.render() for p in loaded.problems)
    options = Options(Limits(200_000, 50), reduce=reduce, version=(3, 11))
    report = check(loaded.scenarios[0], options)
    assert report.cut == ""
    told = [each.value for each in report.outcomes]
    return sorted(repr(each["o"]) if not isinstance(each, str) else each for each in told)


def same(text: str, expected: list[Any], method: str = "fork") -> None:
    """The search gives these, with its reductions and without."""
    wanted = sorted(
        each if each in ("deadlock", "timeout") else repr(plain(each)) for each in expected
    )
    assert outcomes(text, method) == wanted
    assert outcomes(text, method, reduce=False) == wanted


def refused(text: str) -> tuple[str, int | None]:
    """Why a scenario cannot be checked, and the line of what cannot."""
    with pytest.raises(Uncheckable) as caught:
        outcomes(text)
    return str(caught.value), caught.value.line


TWO_READERS = """
primitives: {{link: {{type: pipe, duplex: {duplex}, ends: [r, w]}}}}
processes:
  reader:
    count: 2
    vars: {{got: nothing}}
    actions:
      - try:
          do:
            - recv: {{from: link.r, into: got}}
          except:
            Exception:
              - let: {{got: $(error.type)}}
main:
{sends}
  - start: reader
  - join: reader
outcome: {{o: "[reader[0].got, reader[1].got]"}}
expect: {{deadlock: possible}}
"""


@pytest.mark.parametrize("duplex", ["false", "true"])
def test_two_readers_of_one_end_tear_messages(duplex):
    """`a` and `b` are `\\x80\\x04\\x8c\\x01a\\x94.`, 7 bytes behind 4 that say so. Who takes 4 of
    them for a length gets a negative one, and unpickles nothing: EOFError. The other one reads the
    3 bytes left and 4 of the next message: `a` is an opcode that appends, and there is nothing."""
    sends = "  - send: {value: a, to: link.w}\n  - send: {value: b, to: link.w}"
    same(
        TWO_READERS.format(duplex=duplex, sends=sends),
        [
            ["a", "b"],
            ["b", "a"],
            ["EOFError", "UnpicklingError"],
            ["UnpicklingError", "EOFError"],
        ],
    )


def test_a_reader_whose_message_was_torn_may_wait_for_ever():
    """Who has read the only header, when the other one took four bytes of its body, waits for bytes
    that never come; else the other one waits for a header."""
    text = TWO_READERS.format(duplex="false", sends="  - send: {value: a, to: link.w}")
    same(text, ["deadlock"])


def test_a_torn_length_may_be_one_that_no_memory_has():
    """A body that begins with -1 and a 64 bit number, as the second reader takes it."""
    text = """
    primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
    processes:
      reader:
        count: 2
        vars: {got: nothing}
        actions:
          - try:
              do: [{recv_bytes: {from: link.r, into: got}}]
              except: {Exception: [{let: {got: "$(error.type + ': ' + error.message)"}}]}
    main:
      - send_bytes: {value: "$(b'\\\\xff' * 12)", to: link.w}
      - send_bytes: {value: "$(b'0123456789')", to: link.w}
      - start: reader
      - join: reader
    outcome: {o: "[reader[0].got, reader[1].got]"}
    expect: {deadlock: possible}
    """
    whole, other = b"\xff" * 12, b"0123456789"
    large = "OverflowError: Python int too large to convert to C ssize_t"
    torn = b"\0\0\0\x0a01234567"  # what was left for the first, behind 12 bytes of its 12
    halves = b"\xff" * 8 + b"\0\0\0\x0a"  # the second has its -1; then 01234567 is its length
    same(
        text,
        [
            [whole, other],
            [other, whole],
            [torn, large],
            [large, torn],
            [halves, "MemoryError: "],
            ["MemoryError: ", halves],
        ],
    )


TWO_WRITERS = """
primitives: {{link: {{type: pipe, duplex: false, ends: [r, w]}}}}
processes:
  writer:
    count: 2
    actions: [{{send_bytes: {{value: "$(str(index) * {size})", to: link.w}}}}]
main:
  - start: writer
  - try:
      do:
        - recv_bytes: {{from: link.r, into: one}}
        - recv_bytes: {{from: link.r, into: other}}
        - let: {{o: "$([one[:1], len(set(one)), other[:1], len(set(other))])"}}
      except: {{Exception: [{{let: {{o: $(error.type)}}}}]}}
  - kill: writer
outcome: {{o: main.o}}
expect: {{exitcode: {{writer: [0, -9]}}, deadlock: possible}}
"""
WHOLE = [[b"0", 1, b"1", 1], [b"1", 1, b"0", 1]]


def test_messages_of_one_write_of_a_page_do_not_mix():
    same(TWO_WRITERS.format(size=4092), WHOLE)


def test_a_message_of_one_write_that_a_pipe_has_room_for_does_not_mix():
    """pipe_write holds the pipe's mutex until the pipe is full, or all is written."""
    same(TWO_WRITERS.format(size=16384), WHOLE)


def test_header_and_body_of_a_longer_message_are_two_writes():
    """`4 a 4 b a…` or `4 a 4 b b…`: the first message begins with the other one's length."""
    mixed = outcomes(TWO_WRITERS.format(size=16385))
    whole = [repr(plain(each)) for each in WHOLE]
    assert all(each in mixed for each in whole)
    assert any(each not in whole for each in mixed)


FULL = """
primitives: {{link: {{type: pipe, duplex: false, ends: [r, w]}}}}
processes:
  writer:
    vars: {{sent: 0}}
    actions:
      - repeat:
          times: forever
          do:
            - send_bytes: {{value: "$(b'x' * {size})", to: link.w}}
            - let: {{sent: $(sent + 1)}}
            - if: {{condition: sent == {most}, then: [return]}}
outcome: {{o: writer.sent}}
expect: {{deadlock: possible}}
"""


@pytest.mark.parametrize(
    ("size", "most"),
    [
        (4092, 16),  # a page each
        (2045, 16),  # 2049 bytes: two do not go into one page
        (2044, 32),
        (16380, 4),
        (65532, 1),
    ],
)
def test_a_pipe_holds_sixteen_pages(size, most):
    """What goes through pipe_write whole, and what does not any more."""
    same(FULL.format(size=size, most=most), [most])
    same(FULL.format(size=size, most=most + 1), ["deadlock"])


def test_a_slot_is_free_when_all_of_it_has_been_read():
    """3000 bytes a message, 16 slots; one message read frees one slot, and lets one in."""
    text = """
    primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
    processes:
      writer:
        vars: {sent: 0}
        actions:
          - repeat:
              times: %d
              do: [{send_bytes: {value: "$(b'x' * 2996)", to: link.w}}]
    main:
      - start: writer
      - recv_bytes: link.r
      - join: writer
    outcome: {o: main.exitcode}
    expect: {deadlock: possible}
    """
    same(text % 17, [0])
    same(text % 18, ["deadlock"])


def test_who_is_killed_between_header_and_body_leaves_an_end_of_file():
    """remaining == size: EOFError; with a part of the body it is an OSError (connection.py)."""
    text = """
    primitives: {link: {type: pipe, duplex: false, ends: [r, w]}}
    processes:
      writer:
        actions: [{send_bytes: {value: "$(b'x' * 70000)", to: link.w}}]
    main:
      - start: writer
      - close: link.w
      - kill: writer
      - try:
          do: [{recv_bytes: {from: link.r, into: x}}, {let: {o: whole}}]
          except: {Exception: [{let: {o: "$(error.type + ' ' + error.message)"}}]}
    outcome: {o: main.o}
    expect: {exitcode: {writer: [0, -9]}}
    """
    same(text, ["whole", "EOFError ", "OSError got end of file during message"])


def test_who_leaves_something_unread_in_a_socket_resets_the_other_end_once():
    text = """
    primitives: {link: pipe}
    processes:
      lazy:
        actions: [{send: {value: 1, to: link.conn2}}]
    main:
      - send: {value: unread, to: link.conn1}
      - start: lazy
      - close: link.conn2
      - join: lazy
      - recv: {from: link.conn1, into: one}
      - let: {o: []}
      - repeat:
          times: 2
          do:
            - try:
                do: [{recv: link.conn1}]
                except: {Exception: [{let: {o: "$(o + [error.type])"}}]}
    outcome: {o: "[main.one, main.o]"}
    """
    same(text, [[1, ["ConnectionResetError", "EOFError"]]])


def test_wait_any_names_those_that_are_ready_in_the_order_given():
    """One message may come first, or both, or one while the other is looked at; with no time to
    wait there may be none."""
    text = """
    primitives: {links: {type: pipe, count: 2, duplex: false, ends: [r, w]}}
    processes:
      writer:
        count: 2
        actions: [{send: {value: 1, to: "links[$index].w"}}]
    main:
      - start: writer
      - wait_any: {for: ["links[1].r", "links[0].r"], %s into: ready}
      - join: writer
    outcome: {o: main.ready}
    """
    both, none = ["links[1].r", "links[0].r"], []
    same(text % "", [both, both[:1], both[1:]])
    same(text % "timeout: 0,", [none, both, both[:1], both[1:]])


def test_wait_any_of_a_process_waits_under_fork_for_its_children_too():
    """They have the pipe open that tells of its end (popen_fork.py)."""
    text = """
    primitives: {go: event}
    processes:
      parent:
        actions: [{start: child}, {os_exit: 0}]
      child:
        actions: [{wait: go}]
    main:
      - start: parent
      - wait_any: {for: [parent], into: ready}
      - set: go
    outcome: {o: main.ready}
    expect: {deadlock: possible}
    """
    same(text, ["deadlock"])
    same(text, [["parent"]], "spawn")


def test_a_message_that_is_too_long_closes_an_end_that_only_receives():
    """connection.py, _bad_message_length; one that also sends may read no more."""
    text = """
    primitives: {link: {type: pipe, duplex: %s}}
    main:
      - send_bytes: {value: "12345", to: link.conn2}
      - let: {o: []}
      - repeat:
          times: 2
          do:
            - try:
                do: [{recv_bytes: {from: link.conn1, maxlength: 4}}]
                except: {OSError: [{let: {o: "$(o + [error.message])"}}]}
    processes: {}
    outcome: {o: main.o}
    """
    same(text % "false", [["bad message length", "handle is closed"]])
    same(text % "true", [["bad message length", "connection is write-only"]])


def test_the_number_of_a_descriptor_is_not_known():
    text = """
    primitives: {link: pipe}
    main: [{fileno: link.conn1}, {fileno: {of: link.conn1, into: x}}]
    processes: {}
    """
    assert refused(text) == ("which number a descriptor has is not part of the model", 4)


SUSPENDED = """
primitives: {{go: event, q: simple_queue}}
processes:
  child:
    actions: [{{set: go}}, {{get: {{from: q, into: x}}}}]
main:
  - start: child
  - wait: go
  - suspend: child
{rest}
outcome: {{o: "[child.x, child.exitcode]"}}
expect: {{exitcode: {{child: [0, -9, -15]}}, deadlock: possible}}
"""


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        # it may come further before it stops
        ("  - put: {value: 1, to: q}\n  - join: child", [[1, 0], "deadlock"]),
        ("  - put: {value: 1, to: q}\n  - resume: child\n  - join: child", [[1, 0]]),
        ("  - kill: child\n  - join: child", [[None, -9]]),
        # SIGTERM strikes before it has stopped, or waits; a SIGKILL then ends it at once
        ("  - terminate: child\n  - join: child", [[None, -15], "deadlock"]),
        ("  - terminate: child\n  - resume: child\n  - join: child", [[None, -15]]),
        ("  - terminate: child\n  - kill: child\n  - join: child", [[None, -15], [None, -9]]),
    ],
)
def test_a_stopped_process_takes_no_step_and_waits_with_every_signal_but_one(rest, expected):
    same(SUSPENDED.format(rest=rest), expected)


def test_a_stopped_process_has_a_feeder_that_is_stopped_too():
    """The item may lie in the buffer, and comes when it is resumed."""
    text = """
    primitives: {go: event, q: queue}
    processes:
      child:
        actions: [{put: {value: 1, to: q}}, {set: go}]
    main:
      - start: child
      - wait: go
      - suspend: child
      - try:
          do: [{get: {from: q, timeout: 1, into: x}}, {let: {o: seen}}]
          except: {Empty: [{let: {o: none}}]}
      - resume: child
      - join: child
    outcome: {o: main.o}
    """
    same(text, ["seen", "none"])


def test_a_request_to_a_manager_is_one_step_and_to_add_is_two():
    text = """
    primitives: {total: manager_value}
    processes:
      adder:
        count: 2
        actions:
          - load: {from: total, into: x}
          - store: {value: $(x + 1), to: total}
    main: [{start: adder}, {join: adder}, {load: {from: total, into: x}}]
    outcome: {o: main.x}
    """
    same(text, [1, 2])


def test_what_comes_out_of_a_manager_is_a_copy():
    text = """
    primitives: {d: {type: manager_dict, initial: {list: [1]}}, l: {type: manager_list, %s}}
    main:
      - load: {from: d, at: list, into: x}
      - append: {value: $x, to: l}
      - store: {value: "$(x + [2])", to: d, at: list}
      - invoke: {on: l, method: extend, args: [[1, 2]]}
      - invoke: {on: l, method: sort}
    processes: {}
    expect: {exitcode: {main: 1}, error: {main: TypeError}}
    """.replace("%s", "initial: [3]")
    same(text + "outcome: {o: main.error}", ["TypeError"])
    rest = """
      - invoke: {on: l, method: index, args: [2], into: y}
      - invoke: {on: d, method: keys, into: z}
      - pop: {from: l, at: 1, into: p}
      - length: {of: l, into: n}
    processes: {}
    """
    text = text.replace("      - invoke: {on: l, method: sort}\n    processes: {}\n", rest)
    same(
        text.partition("    expect")[0]
        + "outcome: {o: '[main.x, main.y, main.z, main.p, main.n]'}",
        [[[1], 3, ["list"], [1], 3]],
    )


@pytest.mark.parametrize(
    ("first", "errors"),
    [
        ("- load: {from: d, into: x}", "BrokenPipeError ConnectionResetError EOFError RemoteError"),
        (
            "- pass",
            "ConnectionRefusedError ConnectionResetError EOFError FileNotFoundError RemoteError",
        ),
    ],
)
def test_when_main_has_ended_the_manager_is_shut_down_before_children_are_joined(first, errors):
    text = f"""
    primitives: {{d: manager_dict, ready: event, never: event}}
    processes:
      child:
        vars: {{o: none}}
        actions:
          {first}
          - set: ready
          - try:
              do: [{{store: {{value: 1, to: d, at: 1}}}}, {{let: {{o: stored}}}}]
              except: {{Exception: [{{let: {{o: $(error.type)}}}}]}}
    main: [{{start: child}}, {{wait: ready}}]
    outcome: {{o: child.o}}
    """
    same(text, ["stored", *errors.split()])


def test_a_main_that_ends_at_once_leaves_its_manager_alone():
    text = """
    primitives: {d: manager_dict}
    processes:
      child: {actions: [{store: {value: 1, to: d, at: 1}}, {load: {from: d, at: 1, into: x}}]}
    main: [{start: child}, {os_exit: 0}]
    outcome: {o: child.x}
    """
    same(text, [1])


def test_a_method_that_gives_no_plain_value_is_refused():
    text = """
    primitives: {d: manager_dict}
    main: [{invoke: {on: d, method: __iter__}}]
    processes: {}
    """
    assert refused(text) == ("`__iter__` gives a proxy of its own", 4)


def test_a_method_that_a_proxy_does_not_let_through_is_a_remote_error():
    text = """
    primitives: {d: manager_dict}
    main: [{invoke: {on: d, method: __class__}}]
    processes: {}
    outcome: {o: main.error}
    expect: {exitcode: {main: 1}}
    """
    same(text, ["RemoteError"])


def test_what_is_appended_is_there_and_what_is_written_may_be_overwritten():
    text = """
    processes:
      writer:
        count: 2
        actions: [{write: {text: "$('ab'[index] * (index + 1))", file: f.txt, mode: %s}}]
    main:
      - write: {text: "", file: ./f.txt, mode: w}
      - start: writer
      - join: writer
      - read: {file: f.txt, into: text}
    outcome: {o: main.text}
    """
    same(text % "a", ["abb", "bba"])
    same(text % "w", ["a", "bb", "ab"])  # both empty it, and then write at its begin


def test_a_reader_may_see_a_file_that_was_emptied_and_not_yet_written():
    text = """
    processes:
      writer: {actions: [{write: {text: new, file: f.txt, mode: w}}]}
    main:
      - write: {text: old, file: f.txt, mode: w}
      - start: writer
      - read: {file: f.txt, into: text}
    outcome: {o: main.text}
    """
    same(text, ["old", "", "new"])


@pytest.mark.parametrize("before", ["- pass", "- write: {text: more, file: f.txt}"])
def test_what_stood_in_a_file_before_the_run_is_not_known(before):
    text = f"""
    main:
      {before}
      - read: {{file: f.txt, into: x}}
    processes: {{}}
    """
    assert refused(text) == ("what stands in f.txt is not known", 5)


def test_a_piece_of_shared_memory_of_one_word_is_not_torn_and_a_larger_one_may_be():
    text = """
    primitives: {block: {type: shared_memory, size: 16}}
    processes:
      writer: {actions: [{store: {value: "$('x' * %d)", to: block}}]}
    main: [{start: writer}, {load: {from: block, size: %d, into: seen}}]
    outcome: {o: main.seen}
    """
    same(text % (8, 8), [bytes(8), b"x" * 8])
    same(text % (16, 16), [bytes(16), b"x" * 8 + bytes(8), bytes(8) + b"x" * 8, b"x" * 16])


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("store: {value: 1, to: block, at: 16}", "IndexError"),
        ("store: {value: 256, to: block, at: 15}", "ValueError"),
        ("store: {value: abc, to: block, at: 14}", "ValueError"),
        ("store: {value: ab, to: block, at: 14}", None),
        ("close: block", None),
        ("try: {do: [{close: block}], finally: [{load: block}]}", "TypeError"),
        ("repeat: {times: 2, do: [{unlink: block}]}", "FileNotFoundError"),
        ("repeat: {times: 2, do: [{close: block}]}", None),
    ],
)
def test_what_goes_wrong_with_shared_memory_is_what_a_memoryview_says(action, error):
    text = f"""
    primitives: {{block: {{type: shared_memory, size: 16}}}}
    main: [{{{action}}}]
    processes: {{}}
    outcome: {{o: main.error}}
    expect: {{exitcode: {{main: [0, 1]}}}}
    """
    same(text, [error])


def test_a_pool_refuses_what_it_cannot_do_and_its_tasks_are_python_code():
    text = """
    primitives: {p: {type: pool, workers: 1}}
    main:
      - let: {o: []}
      - try: {do: [{join: p}], except: {ValueError: [{let: {o: "$(o + [error.message])"}}]}}
      - close: p
      - try:
          do: [{apply: {pool: p, function: "os:getpid"}}]
          except: {ValueError: [{let: {o: "$(o + [error.message])"}}]}
      - join: p
    processes: {}
    outcome: {o: main.o}
    """
    same(text, [["Pool is still running", "Pool not running"]])
    assert refused(text.replace("- close: p", "- pass")) == (
        "a pool calls os:getpid, which is Python code",
        9,
    )


@pytest.mark.parametrize(
    ("action", "code", "error"),
    [
        ("raise: KeyboardInterrupt", 1, "KeyboardInterrupt"),
        ("raise: GeneratorExit", 1, "GeneratorExit"),
        ("raise: SystemExit", 0, None),
        ("raise: {error: SystemExit, message: 3}", 3, None),
        ("raise: {error: SystemExit, message: bye}", 1, None),
        ("exit: bye", 1, None),
        ("exit: -1", 255, None),
        ("exit: 257", 1, None),
        ("exit: null", 0, None),
        ("exit: true", 1, None),
        ("exit: [1]", 1, None),
        ("exit: 2.5", 1, None),
        ("os_exit: 300", 44, None),
    ],
)
@pytest.mark.parametrize("process", ["main", "child"])
def test_what_a_process_exits_with(process, action, code, error):
    """sys.exit and process.py, _bootstrap: the same as real runs show."""
    own, child = (action, "print: x") if process == "main" else ("join: child", action)
    text = f"""
    processes: {{child: {{actions: [{{{child}}}]}}}}
    main: [{{start: child}}, {{{own}}}]
    outcome: {{o: "[{process}.exitcode, {process}.error]"}}
    expect: {{exitcode: {{{process}: {code}}}}}
    """
    same(text, [[code, error]])


@pytest.mark.parametrize("unwinding", ["with", "finally"])
def test_a_killed_process_may_have_given_a_lock_back_and_not_yet_failed(unwinding):
    """Between the release and the moment at which the error ends it, a signal may come."""
    fails = "is_set: {event: e, into: x}, raise: {error: ValueError, message: no}"
    body = {
        "with": f"with: {{lock: l, do: [{fails}]}}",
        "finally": f"try: {{do: [acquire: l, {fails}], finally: [release: l]}}",
    }[unwinding]
    text = f"""
    primitives: {{l: lock, e: event}}
    processes: {{child: {{vars: {{x: 0}}, actions: [{{{body}}}]}}}}
    main:
      - start: child
      - kill: child
      - join: child
      - acquire: {{lock: l, block: false, into: free}}
    outcome: {{o: "[child.exitcode, child.error, child.x, main.free]"}}
    expect: {{exitcode: {{child: [1, -9]}}, error: {{child: [null, ValueError]}}}}
    """
    same(
        text,
        [
            [1, "ValueError", False, True],
            [-9, "ValueError", False, True],
            [-9, None, False, True],
            [-9, None, False, False],
            [-9, None, None, True],  # before it had set any variable
            [-9, None, 0, True],
            [-9, None, 0, False],
        ],
    )


def test_a_closed_queue_cannot_be_asked_any_more_when_its_feeder_has_ended():
    """queues.py, _feed: the thread closes the reading end of its process behind the sentinel."""
    text = """
    primitives: {q: queue}
    processes:
      child:
        actions:
          - put: {value: 1, to: q}
          - close: q
          - try: {do: [empty: {queue: q, into: x}], except: {OSError: [let: {x: closed}]}}
    outcome: {o: child.x}
    """
    same(text, [True, False, "closed"])


def test_a_semaphore_at_its_maximum_refuses_a_release():
    text = """
    primitives: {s: {type: semaphore, value: 2147483647}}
    processes: {p: {actions: [release: s]}}
    expect: {error: {p: ValueError}}
    outcome: {o: p.error}
    """
    same(text, ["ValueError"])


def test_an_array_of_which_no_state_can_have_a_copy_is_refused():
    told = "`a` has 100,000,000 items, of which each state has a copy"
    text = """
    primitives: {a: {type: array, size: 100000000}}
    processes: {p: {actions: [{store: {value: 1, to: a, at: 0}}]}}
    """
    assert refused(text) == (told, None)
