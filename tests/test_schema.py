"""The schema that editors use, and the quick evaluator that stands for jsonschema."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mpflow import document, schema
from mpflow.problems import Problem
from mpflow.scenario import Choice
from mpflow.understanding import understand

ROOT = Path(__file__).resolve().parent.parent
GOOD = sorted((ROOT / "scenarios").rglob("*.yaml"))
BAD = sorted((ROOT / "tests" / "bad").glob("*.yaml"))
VALIDATOR = Draft202012Validator(schema.whole())
JUNK: list[Any] = [
    None, True, False, 0, -1, 2.5, "", "x", "$x", "$(", "all", "jobs[9].x", [], {}, [1], ["x"],
    {"a": 1}, {1: 2}, "forever", "a:b", "yes", "x" * 300, [[]], {"do": [{}]}, [None], "deadlock",
]  # fmt: skip


def data(path: Path) -> Any:
    found, _ = document.read(str(path))
    return found.data if found is not None else None


DATA = [each for each in map(data, [*GOOD, *BAD]) if isinstance(each, dict)]


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = (ROOT / "schema" / "scenario.schema.json").read_text(encoding="utf-8")
    wanted = json.dumps(schema.scenario_schema(), indent=2, ensure_ascii=False) + "\n"
    assert committed == wanted


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema.whole())


def properties(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, each in part.items():
            if name == "properties":
                yield from ((f"{path}/{key}", inner) for key, inner in each.items())
            if name != "if":
                yield from properties(each, f"{path}/{name}")
    elif isinstance(part, list):
        for place, each in enumerate(part):
            yield from properties(each, f"{path}/{place}")


def test_every_property_is_described() -> None:
    assert [path for path, each in properties(schema.whole()) if not each.get("description")] == []


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_an_editor_accepts_a_good_file(path: Path) -> None:
    assert list(VALIDATOR.iter_errors(data(path))) == []


def paths(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(found, list):
        found = dict(enumerate(found))
    for key, each in found.items() if isinstance(found, dict) else ():
        yield from paths(each, (*path, key))


def json_has(found: Any) -> bool:
    """Whether it could stand in JSON, where every key is a text; jsonschema expects that."""
    if isinstance(found, dict):
        return all(isinstance(k, str) and json_has(each) for k, each in found.items())
    return not isinstance(found, list) or all(map(json_has, found))


def agree(found: Any) -> None:
    if json_has(found):
        assert schema.fits(found) == VALIDATOR.is_valid(found)


@pytest.mark.parametrize("found", DATA, ids=lambda found: str(found.get("name")))
def test_the_quick_evaluator_agrees_with_jsonschema(found: Any) -> None:
    agree(found)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A file of ours in which one to three things were replaced, removed or renamed."""
    found = copy.deepcopy(draw(st.sampled_from(DATA)))
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in paths(found) if path]
        assume(places)
        *way, last = draw(st.sampled_from(places))
        parent = found
        for key in way:
            parent = parent[key]
        change = draw(st.sampled_from(["replace", "remove", "rename", "swap"]))
        if change == "replace":
            parent[last] = copy.deepcopy(draw(st.sampled_from(JUNK)))
        elif change == "swap":
            other = draw(st.sampled_from(DATA))
            for key in draw(st.sampled_from(list(paths(other)))):
                other = other[key]
            parent[last] = copy.deepcopy(other)
        elif change == "remove" or not isinstance(parent, dict):
            parent.pop(last)
        else:
            parent[f"{last}x"] = parent.pop(last)
    return found


MANY = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@MANY
@given(mutated())
def test_it_agrees_on_mutations(found: Any) -> None:
    agree(found)


@MANY
@given(mutated())
def test_a_mutation_is_understood_or_has_problems(found: Any) -> None:
    """No file crashes the checks, and none is refused without a word."""
    changed = document.Document("changed.yaml", "")
    changed.data = found
    scenarios, problems = understand(changed, [], Choice())
    assert scenarios or problems
    assert all(isinstance(each, Problem) and each.render() for each in problems)
    assert "wrong-shape" not in {each.code for each in problems}
