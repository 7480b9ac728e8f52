"""The judge against the corpus of real programs, the gallery, and outcomes worked out by hand."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import Ending, Judged, TooBig, Unsupported, canonical, explore
from .language import Namespace, evaluate

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = {str(path.relative_to(SCENARIOS)): path for path in sorted(SCENARIOS.rglob("*.yaml"))}
MOST = 9_000

UNSUPPORTED = {
    "bugs/manager_gone.yaml": "a manager used after main's end",
    "bugs/pool_terminated.yaml": "the verb apply_async",
    "bugs/pool_worker_dies.yaml": "the verb apply_async",
    "bugs/unpicklable_at_exit.yaml": "a call without returns",
    "clock_class.yaml": "a process with target or class",
    "daemon_join.yaml": "in an expression: ctime()",
    "daemon_off.yaml": "in an expression: ctime()",
    "daemon_on.yaml": "in an expression: ctime()",
    "lock.yaml": "the verb read",
    "pipes/closed_end.yaml": "the verb fileno",
    "process.yaml": "in an expression: ctime()",
    "processes/arguments.yaml": "a process with target or class",
    "processes/exception_from_code.yaml": "a call without returns",
    "processes/keep_an_object.yaml": "a call without returns",
    "processes/one_file.yaml": "the verb read",
    "processes/pool_closed.yaml": "the verb apply_async",
    "processes/pool_error.yaml": "the verb map",
    "processes/pool_fresh_workers.yaml": "the verb apply",
    "processes/pool_later.yaml": "the verb apply_async",
    "processes/pool_map.yaml": "the verb map",
    "processes/pool_order.yaml": "the verb imap",
    "processes/pool_timeout.yaml": "the verb apply_async",
    "processes/relatives.yaml": "a call without returns",
    "processes/shared_memory.yaml": "the verb unlink",
    "processes/shared_with_code.yaml": "a process with target or class",
    "processes/start_methods.yaml": "a call without returns",
    "processes/subclass.yaml": "a process with target or class",
    "processes/word_count.yaml": "the verb map",
    "processes/suspend.yaml": "timing",
    "queues/bounded.yaml": "timing",
    "queues/cancel_join_thread.yaml": "timing",
    "queues/object.yaml": "a call without returns",
    "queues/work_by_name.yaml": "a call without returns",
    "workers.yaml": "in an expression: cpu_count()",
}
TOO_BIG = {  # over MOST states
    "bugs/readers_mixed.yaml", "locks/active_pool.yaml", "locks/counter.yaml",
    "locks/notify_one.yaml", "pipe_forever.yaml", "pipe_two_receivers.yaml",
    "pipes/senders_in_turn.yaml", "pipes/wait_any.yaml", "processes/exit_codes.yaml",
    "processes/five.yaml", "processes/manager_writers.yaml", "puzzles/barbershop.yaml",
    "puzzles/building_h2o.yaml", "puzzles/cigarette_smokers.yaml",
    "puzzles/exclusive_queue.yaml", "puzzles/exclusive_queue_wrong.yaml",
    "puzzles/fifo_barbershop.yaml", "puzzles/modus_hall.yaml", "puzzles/river_crossing.yaml",
    "puzzles/river_crossing_wrong.yaml", "puzzles/room_party.yaml", "puzzles/santa_claus.yaml",
    "puzzles/santa_claus_wrong.yaml", "puzzles/search_insert_delete.yaml",
    "puzzles/sushi_bar.yaml", "puzzles/unisex_bathroom.yaml", "queues/first_in_first_out.yaml",
    "queues/tasks_and_results.yaml", "semaphore.yaml",
}  # fmt: skip
# Files that say what a run shows, and not all that can happen: what the judge finds besides.
BESIDES: dict[str, set[str]] = {}
# The judge against the file.
DIFFERENT: dict[str, set[str]] = {}


def load(name: str) -> Any:
    return yaml.safe_load(FILES[name].read_text())


def listed(data: Any) -> set[str] | None:
    expect = data.get("expect") or {}
    if "outcomes" in expect:
        return {o if isinstance(o, str) else canonical(o) for o in expect["outcomes"]}
    return {"deadlock"} if expect.get("deadlock") == "always" else None


CORPUS = [name for name, path in FILES.items() if "# corpus " in path.read_text()]


def test_the_corpus_is_whole() -> None:
    assert len(CORPUS) == 49


@pytest.mark.parametrize("name", [name for name in CORPUS if name not in UNSUPPORTED])
def test_corpus(name: str) -> None:
    data = load(name)
    assert set(explore(data).outcomes) == listed(data)


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_unsupported(name: str) -> None:
    with pytest.raises(Unsupported) as told:
        explore(load(name), most_states=MOST)
    assert str(told.value) == UNSUPPORTED[name]


@pytest.mark.parametrize("name", sorted(TOO_BIG))
def test_too_big(name: str) -> None:
    with pytest.raises(TooBig):
        explore(load(name), most_states=MOST)


@pytest.mark.parametrize("name", sorted(set(FILES) - set(UNSUPPORTED) - TOO_BIG))
def test_gallery(name: str) -> None:
    """What each file expects holds in all endings that the judge finds."""
    data = load(name)
    judged = explore(data, most_states=MOST)
    want = listed(data)
    if want is not None:
        assert want - set(judged.outcomes) == DIFFERENT.get(name, set())
        assert set(judged.outcomes) <= want
    assert broken(data, judged) == BESIDES.get(name, set())


class At(Namespace):
    """The names that an expectation knows, at an ending."""

    def __init__(self, data: Any, ending: Ending) -> None:
        self.data, self.ending = data, ending

    def name(self, name: str) -> Any:
        if name == "output":
            return list(self.ending.output)
        if name in (self.data.get("outcome") or {}):
            return evaluate(self.data["outcome"][name], self)
        return (self.data.get("params") or {})[name]

    def attribute(self, base: str, index: int | None, attribute: str) -> Any:
        p = base if index is None else f"{base}[{index}]"
        if attribute == "exitcode":
            return dict(self.ending.exitcodes)[p]
        if attribute == "error":
            return dict(self.ending.errors)[p]
        found = dict(dict(self.ending.variables)[p]).get(attribute)
        return None if found is None else ast.literal_eval(found)


def broken(data: Any, judged: Judged) -> set[str]:
    """Which parts of `expect` do not hold."""
    expect = data.get("expect") or {}
    wrong = set()
    for word, possible in (("deadlock", judged.deadlock), ("timeout", judged.never)):
        said = expect.get(word)
        if said is None and "outcomes" in expect:
            said = "possible" if word in expect["outcomes"] else "never"
        if possible and (said or "never") == "never":
            wrong.add(word)
        if said == "always" and (judged.endings or not possible):
            wrong.add(word)
    for ending in judged.endings:
        names = At(data, ending)
        for p, code in ending.exitcodes:
            base = p.partition("[")[0]
            error = dict(ending.errors)[p]
            codes, errors = expect.get("exitcode") or {}, expect.get("error") or {}
            if base in codes:
                fit = codes[base] if isinstance(codes[base], list) else [codes[base]]
                if code not in fit:
                    wrong.add("exitcode")
            elif base not in errors and code not in (0, None):
                wrong.add("exitcode")
            if error != errors.get(base, error if base in codes else None):
                wrong.add("error")
        if not all(evaluate(text, names) for text in expect.get("always") or []):
            wrong.add("always")
        if any(evaluate(text, names) for text in expect.get("never") or []):
            wrong.add("never")
        if "output" in expect and list(ending.output) != expect["output"]:
            wrong.add("output")
    for text in expect.get("sometimes") or []:
        if not any(evaluate(text, At(data, ending)) for ending in judged.endings):
            wrong.add("sometimes")
    for section, most in (expect.get("exclusive") or {}).items():
        if judged.most_inside.get(section, 0) > most:
            wrong.add("exclusive")
    for a, b in expect.get("order") or []:
        if (b, a) in judged.orders:
            wrong.add("order")
    return wrong
