"""Mutants: responses are altered as defined, and a mutant that is not caught is reported."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.adapters.registry import read_registry
from arcrun_conformance.cli.mutants import chosen_of
from arcrun_conformance.cli.options import UsageError
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.mutants import (
    Mutant,
    MutantEngine,
    Programs,
    Trial,
    Trials,
    alter,
    load,
    load_all,
)
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.scenario import load_all as load_scenarios
from arcrun_conformance.wire.journal import Response

if TYPE_CHECKING:
    from pathlib import Path

    from mini_engine import MiniEngine

    from arcrun_conformance.wire.journal import Exchange

DATA = data_directory()
SCENARIOS = {scenario.id: scenario for scenario in load_scenarios(DATA / "scenarios/sdk")}
ENGINE_SCENARIOS = {
    scenario.id: scenario for scenario in load_scenarios(DATA / "scenarios/engine", "engine")
}
ALL_SCENARIOS = SCENARIOS | ENGINE_SCENARIOS
SHIPPED = load_all(DATA / "mutants", ALL_SCENARIOS)
RESPONSE = Response(
    200,
    [("X-Request-Id", "r"), ("Content-Type", "application/json")],
    json.dumps({"list": [{"a": 1}, {"a": 2}], "deep": {"b": "字"}}).encode(),
)


@pytest.mark.parametrize(
    ("alteration", "expected"),
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
def test_bodies_are_altered(alteration: dict[str, Any], expected: Any) -> None:
    assert json.loads(alter(RESPONSE, alteration, b"sent").body) == expected


def test_status_and_headers_are_altered() -> None:
    made = alter(RESPONSE, {"status": 201, "headers": {"x-request-id": None, "x-new": "1"}}, b"")
    assert made.status == 201
    assert dict(made.headers) == {"content-type": "application/json", "x-new": "1"}


def test_every_shipped_mutant_names_an_existing_check() -> None:
    for mutant in SHIPPED:
        own = ALL_SCENARIOS[mutant.scenario].check_ids()
        automatic = ("secret-", "no-secret-", "adapter-", "no-other-requests")
        assert mutant.check in own or mutant.check.startswith(automatic), str(mutant)


def test_the_ids_of_shipped_mutants_are_unique() -> None:
    named = Counter(map(str, SHIPPED))
    assert [name for name, times in named.items() if times > 1] == []
    assert len(named) >= 800


def test_a_mutant_for_an_unknown_scenario_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mutants.yaml"
    path.write_text("engines: []\nsdks:\n- {id: x, caught_by: gone/check}\n")
    with pytest.raises(DocumentError, match=r"mutants\.yaml:3: the scenario gone does not exist"):
        load(path, SCENARIOS)


async def test_caught_and_uncaught_mutants_are_distinguished(engine: MiniEngine) -> None:
    correct = read_registry(DATA / "adapters/adapters.yaml", sys.executable)["python-sync"].command
    defective = [sys.executable, str(DATA / "mutants/python_mutant.py")]
    not_ok = {"where": {"path": "/health"}, "set": {"ok": False}}
    mutants = [
        Mutant("health-is-not-ok", "engine", "health", "returns-ok", not_ok),
        Mutant("crashes", "sdk", "health", "adapter-crash"),
        Mutant("harmless", "sdk", "health", "returns-ok"),
    ]
    reported: list[Trial] = []
    run = Trials(engine.target, SCENARIOS, Programs(correct, defective, (), ())).run
    trials = await run(mutants, reported.append)

    assert [trial.good for trial in trials] == [True, True, True, False]
    assert trials[0].mutant is None
    assert "health/returns-ok" in trials[1].failed
    assert reported == trials


async def test_several_mutants_are_tried_at_once(
    engine: MiniEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct = read_registry(DATA / "adapters/adapters.yaml", sys.executable)["python-sync"].command
    respond, arrived, both = MutantEngine.respond, set[str](), asyncio.Event()

    async def respond_when_both_are_asked(self: MutantEngine, exchange: Exchange) -> Response:
        arrived.add(self.origin)
        if len(arrived) == 2:
            both.set()
        await both.wait()
        return await respond(self, exchange)

    monkeypatch.setattr(MutantEngine, "respond", respond_when_both_are_asked)
    mutants = [
        Mutant(
            name, "engine", "health", "returns-ok", {"where": {"path": "/health"}, "set": change}
        )
        for name, change in {"is-not-ok": {"ok": False}, "harmless": {}}.items()
    ]
    trials = Trials(engine.target, SCENARIOS, Programs(correct, (), (), ()), jobs=2)
    assert [trial.good for trial in await trials.run(mutants)] == [True, True, False]


NAMED = [Mutant(name, "sdk", "health", "returns-ok") for name in ("a-one", "a-two", "b-one")]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ([], ["a-one", "a-two", "b-one"]),
        (["a-two"], ["a-two"]),
        (["a-*"], ["a-one", "a-two"]),
        (["b-one,*-two"], ["a-two", "b-one"]),
        (["b-one", "a-one"], ["a-one", "b-one"]),
    ],
)
def test_mutants_are_chosen_by_ids_and_patterns(only: list[str], names: list[str]) -> None:
    assert [mutant.id for mutant in chosen_of(NAMED, only)] == names


def test_a_pattern_that_names_no_mutant_is_refused() -> None:
    with pytest.raises(UsageError, match=r"c-\*"):
        chosen_of(NAMED, ["a-one,c-*"])


def test_a_failure_without_a_defect_is_not_good() -> None:
    assert not Trial(None, ("health/returns-ok",)).good
