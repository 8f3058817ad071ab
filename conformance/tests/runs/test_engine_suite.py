"""Runs of the engine suite, against a small engine whose defects are switched on one by one."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.runs import engine_cell
from arcrun_conformance.runs.engine_steps import value_at
from arcrun_conformance.runs.engine_suite import (
    EngineRunConfig,
    execute_engine_suite,
    secrets_on_disk,
)
from arcrun_conformance.runs.values import free_port
from arcrun_conformance.scenarios.scenario import Scenario, load

if TYPE_CHECKING:
    from pathlib import Path

    from mini_engine import MiniEngine

    from arcrun_conformance.runs.results import Cell, Run
    from arcrun_conformance.target import Keys

HEAD = """
id: example
title: an example
spec: [docs/contract.md#routes]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Any:
    def write(text: str) -> Scenario:
        path = tmp_path / "example.yaml"
        path.write_text(HEAD + text, "utf-8")
        return load(path, "engine")

    return write


async def run(
    engine: MiniEngine, *scenarios: Scenario, keys: Keys | None = None, fail_fast: bool = False
) -> Run:
    target = engine.target
    if keys:
        target.keys.second, target.keys.revoked = keys.second, keys.revoked
    config = EngineRunConfig(target, scenarios, ("unused",), fail_fast=fail_fast)
    return await execute_engine_suite(config)


def outcomes(cell: Cell) -> dict[str, str]:
    return {check.id: check.outcome for check in cell.checks}


def messages(cell: Cell) -> str:
    return "\n".join(check.message for check in cell.checks)


async def test_a_scenario_passes_saves_values_and_removes_what_it_made(
    engine: MiniEngine, scenario: Any
) -> None:
    given = scenario("""
variables: {name: "${run}_a"}
steps:
  - id: pushed
    send: /credentials
    method: POST
    json: {name: "${name}", value: not-a-secret}
    expect: {status: 201, body: {$equals: {success: true, name: "${name}"}}}
    save: {stored: body.name}
  - id: listed
    list: /credentials
    entries: body.credentials
    expect: {status: 200, entries: [{name: "${stored}"}], pages: 1}
""")
    result = await run(engine, given)
    (cell,) = result.cells
    assert cell.outcome == "passed", messages(cell)
    assert set(outcomes(cell)) == {"pushed", "listed", "names-carry-the-run"} | {
        f"secret-{name}"
        for name in ("api_key", "unknown_api_key", "near_api_key", "capital_api_key")
    }
    assert engine.credentials == {}
    assert (result.suite, result.leftovers.left) == ("engine", [])


async def test_after_a_step_that_fails_the_others_are_not_reached(
    engine: MiniEngine, scenario: Any
) -> None:
    given = scenario("""
steps:
  - {id: wrong, send: /credentials, key: null, expect: {status: 200}}
  - {id: later, send: /health, expect: {status: 200}}
""")
    (cell,) = (await run(engine, given)).cells
    assert cell.outcome == "failed"
    assert outcomes(cell)["wrong"] == "failed"
    assert outcomes(cell)["later"] == "not-reached"
    assert "reply.status: expected 200, got 401" in messages(cell)


async def test_with_fail_fast_no_scenario_is_begun_after_one_that_failed(
    engine: MiniEngine, scenario: Any
) -> None:
    right = scenario("steps: [{id: right, send: /health, expect: {status: 200}}]")
    wrong = scenario("steps: [{id: wrong, send: /health, expect: {status: 201}}]")
    given = (right, wrong, right)
    to_the_end, stopped = [
        [cell.outcome for cell in (await run(engine, *given, fail_fast=fail_fast)).cells]
        for fail_fast in (False, True)
    ]
    assert to_the_end == ["passed", "failed", "passed"]
    assert stopped == ["passed", "failed"]


@pytest.mark.parametrize(
    ("key", "near", "capital"),
    [("ak_ab0", "ak_ab1", "ak_AB0"), ("ak_0bc", "ak_0b0", "ak_0BC")],
)
def test_keys_that_are_nearly_the_right_one(
    engine: MiniEngine, scenario: Any, key: str, near: str, capital: str
) -> None:
    target = replace(engine.target, api_key=key)
    keys = engine_cell._keys(
        scenario("steps: [{id: a, send: /health, expect: {status: 200}}]"), target
    )
    assert (keys["api_key"], keys["near_api_key"], keys["capital_api_key"]) == (key, near, capital)
    assert keys["unknown_api_key"] not in {key, near, capital}


async def test_several_replies_are_compared_with_each_other(
    engine: MiniEngine, scenario: Any
) -> None:
    given = scenario("""
steps:
  - id: all-alike
    send: /health
    repeat: 3
    concurrent: true
    same: body.capabilities
    expect: {status: 200}
    among: [{match: {body: {ok: true}}, count: 3}]
  - id: not-different
    send: /health
    repeat: 2
    distinct: body.ok
    expect: {status: 200}
    among: [{match: {status: 500}, count: {$min: 1}}]
""")
    (cell,) = (await run(engine, given)).cells
    assert outcomes(cell)["all-alike"] == "passed", messages(cell)
    assert "body.ok: expected the distinct value in all replies, got" in messages(cell)
    assert 'replies that match {"status": 500}: expected at least 1, got 0' in messages(cell)


async def test_a_list_whose_pages_never_end_fails(engine: MiniEngine, scenario: Any) -> None:
    engine.page_size, engine.repeats_cursors = 1, True
    given = scenario("""
steps:
  - id: pushed
    send: /credentials
    method: POST
    json: {name: "${run}_${n}", value: not-a-secret}
    repeat: 3
    expect: {status: 201}
  - {id: listed, list: /credentials, entries: body.credentials, expect: {entries: {$type: array}}}
""")
    result = await run(engine, given)
    assert "the pages of the list never end" in messages(result.cells[0])


async def test_a_list_whose_last_page_has_a_cursor_that_is_null_fails(
    engine: MiniEngine, scenario: Any
) -> None:
    engine.ends_lists_with_null = True
    given = scenario("""
steps:
  - {id: listed, list: /credentials, entries: body.credentials, expect: {entries: {$type: array}}}
""")
    result = await run(engine, given)
    assert "the next_cursor of page 1 is null, and no text" in messages(result.cells[0])


async def test_a_response_that_is_no_list_lacks_nothing(engine: MiniEngine, scenario: Any) -> None:
    given = scenario("""
steps:
  - {id: listed, list: /health, entries: body.credentials, expect: {entries: {$lacks: {name: x}}}}
""")
    result = await run(engine, given)
    assert "no list at body.credentials: " in messages(result.cells[0])


async def test_a_list_that_is_refused_is_compared_by_its_status(
    engine: MiniEngine, scenario: Any
) -> None:
    given = scenario("""
steps:
  - {id: refused, list: /nothing, entries: body.credentials, expect: {status: 404}}
  - {id: listed, list: /nothing, entries: body.credentials, expect: {status: 200, entries: []}}
""")
    result = await run(engine, given)
    assert outcomes(result.cells[0])["refused"] == "passed"
    assert "reply.status: expected 200, got 404" in messages(result.cells[0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("needs: [time_travel]", "the engine lacks time_travel"),
        ("engine: {clock: true}", "it needs an engine of its own (--target local)"),
        (
            'variables: {k: "${second_api_key}"}',
            "it needs a key of another account (--second-api-key)",
        ),
        ('variables: {k: "${revoked_api_key}"}', "it needs a revoked key (--revoked-api-key)"),
    ],
)
async def test_a_scenario_that_the_target_can_not_run_is_skipped_with_the_reason(
    engine: MiniEngine, scenario: Any, text: str, reason: str
) -> None:
    given = scenario(f"{text}\nsteps: [{{id: x, send: /health, expect: {{status: 200}}}}]\n")
    (cell,) = (await run(engine, given)).cells
    assert (cell.outcome, cell.reason) == ("skipped", reason)


ASKS_THE_STANDIN = """
engine: {settings: {ARCRUN_SERVER_LLM_BASE_URL: "${standin}"}}
steps: [{id: a, send: /health, expect: {status: 200}}]
"""


async def test_what_needs_the_stand_in_as_a_model_is_skipped_unless_its_port_is_known(
    engine: MiniEngine, scenario: Any
) -> None:
    (cell,) = (await run(engine, scenario(ASKS_THE_STANDIN))).cells
    assert (cell.outcome, cell.exchanges) == ("skipped", [])
    assert "--standin-port" in cell.reason


async def test_the_stand_in_is_where_the_target_looks_for_its_model(
    engine: MiniEngine, scenario: Any
) -> None:
    port = free_port()
    target = replace(engine.target, standin_port=port)
    # Two at once: one after the other has the port.
    config = EngineRunConfig(target, [scenario(ASKS_THE_STANDIN)] * 2, ("unused",), jobs=2)
    for cell in (await execute_engine_suite(config)).cells:
        assert cell.outcome == "passed", messages(cell)
        assert cell.values["standin"] == f"http://127.0.0.1:{port}"


async def test_a_port_that_is_in_use_is_an_error(engine: MiniEngine, scenario: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        target = replace(engine.target, standin_port=port)
        config = EngineRunConfig(target, [scenario(ASKS_THE_STANDIN)], ("unused",))
        (cell,) = (await execute_engine_suite(config)).cells
    assert cell.outcome == "error"
    assert f"the port {port}" in cell.reason


async def test_a_secret_in_a_response_fails_the_scenario(engine: MiniEngine, scenario: Any) -> None:
    given = scenario("""
secrets: {token: {value: "canary-${run}"}}
steps:
  - id: pushed
    send: /credentials
    method: POST
    json: {name: "${run}-${secret.token}", value: x}
    expect: {status: 201}
""")
    (cell,) = (await run(engine, given)).cells
    assert outcomes(cell)["secret-token"] == "failed"
    assert "the secret token appears in the response to request 1" in messages(cell)


async def test_an_engine_that_others_use_gets_live_safe_requests_only(
    engine: MiniEngine, scenario: Any
) -> None:
    engine.remote = True
    given = scenario("steps: [{id: x, send: /init, method: POST, expect: {status: 200}}]\n")
    (cell,) = (await run(engine, given)).cells
    assert outcomes(cell)["live-safe"] == "failed"
    assert [
        exchange.request.path
        for exchange in engine.journal.exchanges
        if "init" in exchange.request.path
    ] == []


def test_secrets_are_found_on_disk_in_any_encoding() -> None:
    files = {"log": b"token=c2stY2FuYXJ5LTEyMzQ1Njc4OTA=", "data/db": b"nothing"}
    assert secrets_on_disk(files, {"token of x": "sk-canary-1234567890"}) == [
        "the engine has written the secret token of x to its log"
    ]
    assert secrets_on_disk(files, {"token of x": "another-canary"}) == []


@pytest.mark.parametrize("path", ["body.1", "body.a.b", "body.items.0.id", "x"])
def test_a_path_that_leads_nowhere_is_an_error(path: str) -> None:
    with pytest.raises(LookupError):
        value_at({"body": {"items": [], "a": 1}}, path)


async def test_a_crash_of_the_runner_in_one_scenario_leaves_the_others(
    engine: MiniEngine, scenario: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "steps: [{id: up, send: /health, expect: {status: 200}}]"
    broken, fine = scenario(steps), replace(scenario(steps), id="fine")
    check_wire = engine_cell.names_carry_the_run
    crashes = iter([RuntimeError("\x1b[2J broken")])

    def crash(*given: Any) -> Any:
        for error in crashes:
            raise error
        return check_wire(*given)

    monkeypatch.setattr(engine_cell, "names_carry_the_run", crash)
    cells = (await run(engine, broken, fine)).cells
    assert [cell.outcome for cell in cells] == ["error", "passed"]
    assert cells[0].reason == r"the runner crashed: RuntimeError: \x1b[2J broken"
    assert outcomes(cells[0])["runner-crash"] == "failed"


async def test_a_crash_between_the_scenarios_is_one_of_the_run(
    engine: MiniEngine, scenario: Any
) -> None:
    def crash(cell: Cell) -> None:
        raise KeyError(cell.scenario)

    given = scenario("steps: [{id: up, send: /health, expect: {status: 200}}]")
    ended = await execute_engine_suite(
        EngineRunConfig(engine.target, [given], ("unused",), on_cell=crash)
    )
    assert ended.crash == "the runner crashed: KeyError: 'example'"
    assert [cell.outcome for cell in ended.cells] == ["passed"], "what was found is kept"
