"""A change of the text does to the data what it says, whatever the layout, and nothing besides."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mpflow import api, document
from mpflow.repair.clues import Clues
from mpflow.repair.kinds import Case, Spot
from mpflow.repair.source import Change, Changes, Source, applied, together, yaml

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    path
    for folder in ("bugs", "puzzles", "queues")
    for path in (ROOT / "scenarios" / folder).glob("*.yaml")
    if not re.search(r"[\s\[]\*[a-z]", path.read_text(encoding="utf-8"))  # an alias is many places
)

Done = Callable[[list[Any], int], None]


def delete(items: list[Any], at: int) -> None:
    del items[at]


def insert(items: list[Any], at: int) -> None:
    items[at + 1 : at + 1] = [{"mark": "a"}, {"let": {"x": "forks[$(min(1, 2))]"}}]


def insert_before(items: list[Any], at: int) -> None:
    items[at:at] = [{"acquire": "forks[1]"}]


def move(items: list[Any], at: int) -> None:
    items.insert(0, items.pop(at))


def move_behind(items: list[Any], at: int) -> None:
    items.append(items.pop(at))


def wrap(items: list[Any], at: int) -> None:
    items[at:] = [{"with": {"lock": "guard", "do": items[at:]}}]


def unwrap(items: list[Any], at: int) -> None:
    items[at : at + 1] = items[at]["with"]["do"]


def changes(source: Source, spot: Spot, what: Done) -> Changes | None:
    """The same in the text."""
    path = spot.path
    ends = [(*path[:-1], at) for at in (0, len(spot.nodes) - 1)]
    new: tuple[tuple[str, Any], ...] = (("mark", "a"), ("let", {"x": "forks[$(min(1, 2))]"}))
    if what is delete:
        return source.delete(path)
    if what is insert:
        return source.insert(path, True, *new)
    if what is insert_before:
        return source.insert(path, False, ("acquire", "forks[1]"))
    if what is move:
        return source.move(path, ends[0], after=False) if path != ends[0] else ()
    if what is move_behind:
        return source.move(path, ends[1], after=True) if path != ends[1] else ()
    if what is unwrap:
        block = (*path, "with", "do")
        return source.unwrap(path, block, len(spot.node.blocks[0].nodes))
    return source.wrap(path, ends[1], "with", "lock", "guard", "do")


def edited(data: Any, spot: Spot, what: Done) -> Any:
    """The same done to the data."""
    data = items = copy.deepcopy(data)
    *outer, at = spot.path
    for part in outer:
        items = items[part]
    what(items, at)
    return data


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("what", [delete, insert, insert_before, move, move_behind, wrap, unwrap])
def test_a_change_of_the_text_is_that_of_the_data(what: Done, ending: str) -> None:
    made = refused = 0
    for file in FILES[:: 1 if ending == "\n" else 5]:
        text = file.read_text(encoding="utf-8").replace("\n", ending)
        (scenario, *_) = api.loads(text, str(file)).scenarios
        case = Case(scenario, Clues())
        spots = case.of("with") if what is unwrap else case.spots[::3]
        for spot in spots:
            if spot.process == "main" and "main" not in scenario.document.data:
                continue  # nobody has written it
            found = changes(case.source, spot, what)
            if found is None:
                refused += 1
            elif found:
                new, problems = document.parse(applied(text, found))
                assert new is not None, (file, spot.path, problems)
                assert problems == []
                assert new.data == edited(scenario.document.data, spot, what), (file, spot.path)
                assert ending == "\n" or "\n" not in new.text.replace("\r\n", "")
                made += 1
    assert made > 10 * refused or what is delete  # what is alone in its list is kept


def source(text: str) -> Source:
    found, problems = document.parse(text)
    assert found is not None
    assert problems == []
    return Source(found)


def test_comments_stay_where_they_are() -> None:
    text = "a:\n  # of all\n  - b: 1   # of b\n\n  # of c\n  - c:\n      d: 2   # of d\n  - e\n"
    found = source(text)
    moved = found.move(("a", 0), ("a", 2), after=True)
    assert moved is not None
    new = "a:\n  # of all\n\n  # of c\n  - c:\n      d: 2   # of d\n  - e\n  - b: 1   # of b\n"
    assert applied(text, moved) == new


def test_the_last_line_of_a_file_may_lack_its_end() -> None:
    found = source("a:\n  - b: 1\n  - c: 2")
    inserted = found.insert(("a", 1), True, ("d", 3))
    assert inserted is not None
    assert applied(found.text, inserted) == "a:\n  - b: 1\n  - c: 2\n  - d: 3"
    moved = found.move(("a", 1), ("a", 0), after=False)
    assert moved is not None
    assert applied(found.text, moved) == "a:\n  - c: 2\n  - b: 1\n"


REFUSED = {
    "a list in a list's line": "a:\n  - - b: 1\n    - c: 2\n",
    "a comment between brackets": "a: [\n  {b: 1}, # one\n  {c: 2}\n]\n",
    "an item that goes on behind": "a:\n  - b: 1\n    ? c\n    : d\n  - ? e\n    : f\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_edited_safely_stays_whole_or_is_refused(text: str) -> None:
    found = source(text)
    items = found.document.data["a"]
    for at in range(len(items)):
        gone = found.delete(("a", at))
        if gone is not None:
            new, problems = document.parse(applied(text, gone))
            assert new is not None
            assert problems == []
            assert new.data["a"] == items[:at] + items[at + 1 :]


def test_a_list_keeps_its_only_item() -> None:
    assert source("a:\n  - b: 1\n").delete(("a", 0)) is None
    assert source("a: [{b: 1}]\n").delete(("a", 0)) is None


def test_changes_that_meet_are_refused() -> None:
    assert together((Change(0, 5, "a"),), (Change(3, 8, "b"),)) is None
    assert together((Change(5, 5, "a"),), (Change(5, 5, "b"),)) is None
    assert together((Change(5, 5, "a"),), None) is None
    assert together((Change(5, 5, "a"),), (Change(5, 5, "a"),)) == (Change(5, 5, "a"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [("block", None), ("false", 0.5), ("timeout", None), ("from", None)],
)
def test_an_argument_is_dropped_with_its_comma(name: str, value: object) -> None:
    text = "a:\n  - get: {from: q, block: false, timeout: 1, into: x}\n  - get:\n      from: q\n"
    text += "      block: false   # at once\n      timeout: 1\n"
    found = source(text)
    for at in range(2):
        data = copy.deepcopy(found.document.data)
        if name in data["a"][at]["get"]:
            del data["a"][at]["get"][name]
            dropped = found.drop(("a", at, "get", name))
            assert dropped is not None
            new, _ = document.parse(applied(text, dropped))
            assert new is not None
            assert new.data == data


@pytest.mark.parametrize(
    "primitives",
    [
        "primitives:\n  a: lock   # one\n  b: {type: queue,\n    maxsize: 1}\n  # no more\n",
        "primitives: {a: lock, b: {type: queue}}\n",
        "",
    ],
)
def test_a_primitive_is_declared(primitives: str) -> None:
    text = f"mpflow: 1\n{primitives}processes: {{}}\nmain:\n  - pass\n"
    found = source(text)
    declared = found.declare("guard", {"type": "value", "lock": False})
    assert declared is not None
    new, problems = document.parse(applied(text, declared))
    assert new is not None
    assert problems == []
    known = found.document.data.get("primitives") or {}
    wanted = {**known, "guard": {"type": "value", "lock": False}}
    assert new.data == {**found.document.data, "primitives": wanted}


TEXTS = """a|forks[1]|$(min(1, 2))|true|null|1|a: b|a #b|| a|a |ä\n\t|- a|'|"|*a|&a|!a|%|😀|a]|x{|~
yes|a,b|\x7f|?|:|a%|a:|$x|$(a[0])|@|`|> x|# x|=|<<|0x1|1:30|.5|...|---"""


@pytest.mark.parametrize("data", re.split(r"\||\n(?=yes)", TEXTS))
def test_data_are_written_as_what_they_are(data: str) -> None:
    for flow in (False, True):
        text = f"a: [{yaml(data, True)}, 1]\n" if flow else f"a:\n  - {yaml(data)}\n  - 1\n"
        found, problems = document.parse(text)
        assert found is not None, (json.dumps(data), problems)
        assert found.data == {"a": [data, 1]}
