"""The scenarios that come with mpflow are found by name, in a checkout and in a wheel."""

from __future__ import annotations

import pytest

from mpflow import shipped


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder laid out as a wheel is, with three scenarios and what is none."""
    root = tmp_path / "_shipped" / "scenarios"
    (root / "more").mkdir(parents=True)
    for name in ("b.yaml", "a.yaml", "more/c.yaml", "notes.txt", "tutorial.py"):
        (root / name).write_text("")
    monkeypatch.setattr(shipped, "_FOLDERS", (str(tmp_path / "_shipped"), str(tmp_path)))
    return root


def test_scenarios_are_listed_in_alphabetical_order_with_their_folders(installed):
    assert list(shipped.scenarios()) == [
        ("a", str(installed / "a.yaml")),
        ("b", str(installed / "b.yaml")),
        ("more/c", str(installed / "more" / "c.yaml")),
    ]


def test_a_scenario_is_found_by_its_name_alone(installed):
    assert shipped.find("more/c") == str(installed / "more" / "c.yaml")
    assert shipped.find("a.yaml") is None
    assert shipped.find("") is None


def test_a_wheel_s_own_folder_comes_before_one_that_happens_to_stand_beside_it(installed, tmp_path):
    (tmp_path / "scenarios").mkdir()
    assert shipped.folder("scenarios") == str(installed)


def test_without_any_folder_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_FOLDERS", (str(tmp_path),))
    assert (shipped.folder("scenarios"), list(shipped.scenarios())) == (None, [])
    assert shipped.find("pipe") is None


def test_this_checkout_ships_the_tutorial_and_the_schemas():
    assert {"pipe", "lock", "queue", "workers"} <= {name for name, _ in shipped.scenarios()}
    assert shipped.folder("schema") is not None
