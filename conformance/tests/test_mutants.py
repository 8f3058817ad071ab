"""Mutants: defects are made as ordered, and a mutant that is not caught is told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.journal import Answer
from arcrun_conformance.mutants import Mutant, Trial, Trials, altered, load
from arcrun_conformance.registry import registered
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenario import load_all

if TYPE_CHECKING:
    from pathlib import Path

    from mini_engine import MiniEngine

DATA = data_directory()
SCENARIOS = {scenario.id: scenario for scenario in load_all(DATA / "scenarios")}
ANSWER = Answer(
    200,
    [("X-Request-Id", "r"), ("Content-Type", "application/json")],
    json.dumps({"list": [{"a": 1}, {"a": 2}], "deep": {"b": "字"}}).encode(),
)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"set": {"deep.b": 0}}, {"list": [{"a": 1}, {"a": 2}], "deep": {"b": 0}}),
        (
            {"set": {"list.*.c": 3}},
            {"list": [{"a": 1, "c": 3}, {"a": 2, "c": 3}], "deep": {"b": "字"}},
        ),
        ({"remove": ["list.*.a", "gone"]}, {"list": [{}, {}], "deep": {"b": "字"}}),
        ({"body": {"x": 1}, "set": {"y": 2}}, {"x": 1, "y": 2}),
        ({"body": {}, "echo": "received"}, {"received": "sent"}),
    ],
)
def test_bodies_are_altered_as_ordered(order: dict[str, Any], expected: Any) -> None:
    assert json.loads(altered(ANSWER, order, b"sent").body) == expected


def test_status_and_headers_are_altered_as_ordered() -> None:
    made = altered(ANSWER, {"status": 201, "headers": {"x-request-id": None, "x-new": "1"}}, b"")
    assert made.status == 201
    assert dict(made.headers) == {"content-type": "application/json", "x-new": "1"}


def test_every_shipped_mutant_names_a_check_that_there_is() -> None:
    for mutant in load(DATA / "mutants/mutants.yaml", SCENARIOS):
        own = SCENARIOS[mutant.scenario].check_ids()
        automatic = ("secret-", "adapter-", "no-other-requests")
        assert mutant.check in own or mutant.check.startswith(automatic), str(mutant)


def test_shipped_mutants_have_each_their_own_id() -> None:
    named = [str(mutant) for mutant in load(DATA / "mutants/mutants.yaml", SCENARIOS)]
    assert len(named) == len(set(named))
    assert len(named) >= 50


def test_a_mutant_for_no_scenario_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mutants.yaml"
    path.write_text("engines: []\nsdks:\n- {id: x, caught_by: gone/check}\n")
    with pytest.raises(DocumentError, match=r"mutants\.yaml:3: there is no scenario gone"):
        load(path, SCENARIOS)


async def test_caught_and_uncaught_mutants_are_told_apart(engine: MiniEngine) -> None:
    sound = registered(DATA / "adapters/adapters.yaml", sys.executable)["python-sync"].command
    broken = [sys.executable, str(DATA / "mutants/python_mutant.py")]
    ill = {"where": {"path": "/health"}, "set": {"ok": False}}
    mutants = [
        Mutant("is-not-well", "engine", "health", "healthy", ill),
        Mutant("crashes", "sdk", "health", "adapter-crash"),
        Mutant("harmless", "sdk", "health", "healthy"),
    ]
    told: list[Trial] = []
    trials = await Trials(engine.target, SCENARIOS, sound, broken).run(mutants, told.append)

    assert [trial.good for trial in trials] == [True, True, True, False]
    assert trials[0].mutant is None
    assert "health/healthy" in trials[1].failed
    assert told == trials


def test_a_sound_pair_that_fails_is_no_good() -> None:
    assert not Trial(None, ("health/healthy",)).good
