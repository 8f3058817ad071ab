"""With an engine like the hosted one: only safe requests are sent, and deviations are reported."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from deployed_engine import DeployedEngine
from mini_engine import KEY

from arcrun_conformance import deviations
from arcrun_conformance.cli import FAILED, GO, main
from arcrun_conformance.gate import load as load_gate
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.scenario import load_all
from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Journal, Request
from arcrun_conformance.wire.pace import REMOTE_RATE, Pace
from arcrun_conformance.wire.proxy import Proxy
from arcrun_conformance.wire.safety import Operation, Safety

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

DATA = data_directory()
RUN = "arcconf_0a1b2c3d_1"
# The fake is nobody else's: a run need not wait as it does for the hosted engine.
UNPACED = ("--requests-per-second", "1000")


@pytest.fixture
async def deployed() -> AsyncIterator[DeployedEngine]:
    async with DeployedEngine() as engine:
        yield engine


@pytest.fixture
def run(deployed: DeployedEngine, tmp_path: Path) -> Callable:
    async def call(*arguments: str) -> tuple[int, dict]:
        given = ["run", "--target", deployed.origin, "--api-key", KEY, "--remote"]
        given += [*UNPACED, "--sdk", "python-sync", "--report-dir", str(tmp_path), *arguments]
        code = await asyncio.to_thread(main, given)
        return code, json.loads((tmp_path / "conformance.json").read_text("utf-8"))

    return call


async def test_the_live_column_can_pass_and_deviations_are_reported(
    run: Callable,
    deployed: DeployedEngine,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    code, report = await run("--gate", "--jobs", "2")

    assert report["gate"]["reasons"] == []
    assert (code, report["gate"]["verdict"], report["gate"]["column"]) == (GO, "GO", "live")
    listed = {entry.scenario for entry in deviations.load(DATA / "deviations/live.yaml")}
    of_sdks = {scenario.id for scenario in load_all(DATA / "scenarios/sdk")}
    assert {row["scenario"] for row in report["deviations"]} == listed & of_sdks
    assert {row["state"] for row in report["deviations"]} == {"known"}
    assert "deviations from the contract" in capsys.readouterr().out
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert (
        "| known | key-unknown | docs/contract.md\\#transport | Any header value is a tenant"
        in summary
    )
    assert deployed.credentials == {}
    assert deployed.workflows == {}


async def test_deviations_of_transport_and_errors_are_shown_in_the_engine_suite(
    deployed: DeployedEngine, tmp_path: Path
) -> None:
    areas = ["health", "transport", "errors", "requests", "cors", "limits", "validate", "search"]
    given = ["run", "--suite", "engine", "--target", deployed.origin, "--remote", "--api-key", KEY]
    given += ["--second-api-key", f"ak_{'2' * 48}", "--revoked-api-key", f"ak_{'3' * 48}"]
    given += ["--report-dir", str(tmp_path), "--jobs", "2", *UNPACED]
    given += [part for area in areas for part in ("--scenario", f"{area}-*")]
    assert await asyncio.to_thread(main, given) == GO
    report = json.loads((tmp_path / "conformance.json").read_text("utf-8"))

    listed = {entry.scenario for entry in deviations.load(DATA / "deviations/live.yaml")}
    named = {
        one
        for one in listed
        if (DATA / f"scenarios/engine/{one.split('-')[0]}/{one}.yaml").exists()
    }
    rows = report["deviations"]
    assert {row["scenario"]: row["state"] for row in rows} == dict.fromkeys(
        named & set(_of(areas)), "known"
    )
    # Nothing hostile was sent, and no scenario was refused by the list of what is safe.
    checks = [check for cell in report["cells"] for check in cell["checks"]]
    assert [check["id"] for check in checks if check["id"] == "live-safe"] == []


def _of(areas: list[str]) -> list[str]:
    scenarios = load_all(DATA / "scenarios/engine", "engine")
    return [one.id for one in scenarios if one.path.parent.name in areas]


async def test_strict_makes_known_deviations_fail(run: Callable) -> None:
    assert (await run("--scenario", "key-unknown"))[0] == GO
    code, report = await run("--scenario", "key-unknown", "--strict")
    assert code == FAILED
    assert [row["state"] for row in report["deviations"]] == ["new"]


async def test_a_deviation_that_is_not_listed_fails_the_run(run: Callable, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text("deviations: []\n")
    code, report = await run("--scenario", "key-unknown", "--deviations", str(path))
    assert code == FAILED
    assert [row["state"] for row in report["deviations"]] == ["new"]


async def test_an_entry_that_passes_is_reported_as_gone(run: Callable, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    entry = "{scenario: health, spec: docs/contract.md#routes, text: is never ok}"
    path.write_text(f"deviations:\n- {entry}\n", "utf-8")
    code, report = await run("--scenario", "health", "--deviations", str(path))
    assert code == GO
    assert [(row["scenario"], row["state"]) for row in report["deviations"]] == [("health", "gone")]


async def test_an_unsafe_request_never_reaches_the_engine(deployed: DeployedEngine) -> None:
    guard = Safety.load(DATA / "live-safe.yaml").guard(RUN)
    journal = Journal()
    async with (
        Proxy(deployed.origin, journal, FaultInjector(), guard) as proxy,
        httpx.AsyncClient(base_url=proxy.origin) as client,
    ):
        refused = await client.post("/auth-recipes", json={"service": "openai"})
        sent = await client.get("/health")

    assert refused.status_code == 403
    assert refused.json()["code"] == "not_live_safe"
    assert sent.status_code == 200
    assert [exchange.request.path for exchange in deployed.journal.exchanges] == ["/health"]
    assert journal.exchanges[0].refusal == "POST /auth-recipes is not in live-safe.yaml"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/init", b""),
        ("POST", "/auth-recipes", b'{"service": "arcconf_0a1b2c3d_1"}'),
        ("DELETE", "/auth-recipes/openai", b""),
        ("POST", "/recipes", b"{}"),
        ("POST", "/credentials", b'{"name": "openai_api_key"}'),
        ("POST", "/credentials", b'{"name": "arcconf_0a1b2c3d_2_other_cell"}'),
        ("POST", "/credentials", b"no json"),
        ("DELETE", "/credentials/openai_api_key", b""),
        ("DELETE", "/credentials/openai_api_key/arcconf_0a1b2c3d_1", b""),
        ("GET", "/credentials/openai_api_key", b""),
        ("DELETE", "/webhooks/named/production", b""),
        ("POST", "/webhooks/named/production/trigger", b""),
        ("PUT", "/me/api-key/rotate", b""),
        ("DELETE", "/me/api-key", b""),
        ("GET", "/health/../me", b""),
    ],
)
def test_guard_refuses(method: str, path: str, body: bytes) -> None:
    guard = Safety.load(DATA / "live-safe.yaml").guard(RUN)
    assert guard(Request(method, path, [], body))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/", b""),
        ("GET", "/health", b""),
        ("GET", "/auth-recipes/openai", b""),
        ("POST", "/credentials", b'{"name": "arcconf_0a1b2c3d_1_token"}'),
        ("DELETE", "/credentials/ARCCONF_0A1B2C3D_1_TOKEN", b""),
        ("POST", "/webhooks/named", b'{"name": "arcconf_0a1b2c3d_1-flow"}'),
        ("POST", "/webhooks/named/arcconf_0a1b2c3d_1-flow/trigger?async=1", b"{}"),
    ],
)
def test_guard_lets_pass(method: str, path: str, body: bytes) -> None:
    guard = Safety.load(DATA / "live-safe.yaml").guard(RUN)
    assert guard(Request(method, path, [], body)) is None


def test_the_first_operation_that_covers_a_request_decides() -> None:
    own = Operation("POST", re.compile("^/(?P<name>[a-z0-9_]+)$"), "path")
    of_body = Operation("POST", re.compile("^/"), "body.id")
    guard = Safety([own, of_body]).guard("run_1")
    assert guard(Request("POST", "/run_1", [])) is None
    assert guard(Request("POST", "/other", [], b'{"id": "run_1"}')) == (
        "POST /other: the name other does not contain the run's id run_1"
    )
    assert guard(Request("POST", "/a/b", [], b'{"id": "my_RUN_1"}')) is None
    for body in (b'{"id": 1}', b'["run_1"]', b'"run_1"', b""):
        assert guard(Request("POST", "/a/b", [], body))


def test_no_scenario_of_the_live_column_is_a_known_deviation() -> None:
    scenarios = {scenario.id for scenario in load_all(DATA / "scenarios/sdk")}
    scenarios |= {scenario.id for scenario in load_all(DATA / "scenarios/engine", "engine")}
    listed = {entry.scenario for entry in deviations.load(DATA / "deviations/live.yaml")}
    columns = load_gate(DATA / "gate.yaml", list(scenarios)).columns
    assert listed <= scenarios
    assert not listed & {*columns["live"], *columns.get("engine-live", ())}


def test_every_pattern_of_live_safe_covers_a_whole_path() -> None:
    text = (DATA / "live-safe.yaml").read_text("utf-8")
    patterns = re.findall(r'path: "(.+?)"', text)
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)


def test_both_sdks_are_tested_with_the_recipes_that_were_observed() -> None:
    packages = DATA.parent / "packages"
    python = (packages / "python-sdk/tests/served_recipes.json").read_text("utf-8")
    javascript = (packages / "js-sdk/tests/recipes/deployed.json").read_text("utf-8")

    assert json.loads(python) == json.loads(javascript)


async def test_a_dry_run_lists_what_would_be_created_and_asks_the_target_only_what_it_is(
    deployed: DeployedEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["run", "--target", deployed.origin, "--dry-run", "--sdk", "python-sync"]
    given += ["--scenario", "workflows-list"]

    code = await asyncio.to_thread(main, given)

    assert code == GO
    asked = {(e.request.method, e.request.path) for e in deployed.journal.exchanges}
    assert asked == {("GET", "/health"), ("GET", "/openapi.json")}
    output = capsys.readouterr().out
    assert re.search(r"python-sync  \S+  workflow \S*arcconf_[0-9a-f]{8}_0001", output), output
    assert "got GET /health and GET /openapi.json, and nothing else" in output


async def test_every_request_of_a_run_waits_for_its_turn(
    deployed: DeployedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, turns = [], []
    original = Pace.__init__

    def begun(self: Pace, per_second: float | None = None) -> None:
        rates.append(per_second)
        original(self, per_second)

    async def turn(self: Pace) -> None:
        turns.append(self)

    monkeypatch.setattr(Pace, "__init__", begun)
    monkeypatch.setattr(Pace, "turn", turn)
    given = ["run", "--target", deployed.origin, "--remote", "--api-key", KEY, "--sdk"]
    given += ["python-sync", "--scenario", "list-services"]

    assert await asyncio.to_thread(main, given) == GO
    assert await asyncio.to_thread(main, [*given, "--requests-per-second", "4"]) == GO

    assert [rate for rate in rates if rate] == [REMOTE_RATE, 4]
    # What describes the target comes before: health, contract, and whether it accepts the key.
    assert len(turns) == len(deployed.journal.exchanges) - 2 * 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--dry-run"], "is for a target that others use"),
        (["--dry-run", "--target", "live", "--suite", "engine"], "leave out --suite engine"),
    ],
)
def test_a_dry_run_that_would_say_nothing_is_refused(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments]) == 2

    assert problem in capsys.readouterr().err
