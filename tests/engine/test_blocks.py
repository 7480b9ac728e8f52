"""Shared memory and managers are gone when a run is over, however it ended."""

from __future__ import annotations

import os

import pytest

# How main goes on when another process has written into the block, and how the run then ends.
ENDS = {
    "completed": ("[{set: go}, {join: p}]", "completed"),
    "unlinked by itself": ("[{set: go}, {join: p}, {unlink: b}]", "completed"),
    "main crashed": ("[crash]", "completed"),
    "main left": ("[{os_exit: 3}]", "completed"),
    "deadlock": ("[{join: p}]", "deadlock"),
    "timeout": ("[{sleep: 60}]", "timeout"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_block_is_unlinked_however_the_run_ends(name, run, method):
    main, end = ENDS[name]
    before = set(os.listdir("/dev/shm"))
    trace = run(
        f"""
        primitives:
          b: {{type: shared_memory, size: 64}}
          l: manager_list
          go: event
          written: {{type: semaphore, value: 0}}
        processes:
          p:
            actions:
              - store: {{value: hello, to: b, at: 3}}
              - append: {{value: 1, to: l}}
              - release: written
              - wait: go
        main: [{{start: p}}, {{acquire: written}}, {{load: {{from: b, at: 3, size: 5}}}}, {main[1:]}
        expect:
          deadlock: possible
          timeout: possible
          exitcode: {{main: [0, 3, -9, null], p: [0, 1, null]}}
        """,
        method,
        timeout=3,
    )
    loaded = [e.result for e in trace.events if e.action == "load"]
    # Of orphans the one that waits for ever is found, and ended.
    ends = (end, "deadlock") if name in ("main crashed", "main left") else (end,)
    assert (trace.end in ends, loaded) == (True, [b"hello"])
    left = {each for each in set(os.listdir("/dev/shm")) - before if each.startswith("psm_")}
    assert left == set()
