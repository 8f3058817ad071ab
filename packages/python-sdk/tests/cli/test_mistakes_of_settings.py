"""Mistakes in the config file, and engines that can't do what is asked."""

from __future__ import annotations

import json
import os

import pytest

KEY = "ak_" + "0123456789abcdef" * 3
CAPABLE = ["components", "durable_runs", "knowledge_base", "prompt_recipes", "recipe_versions"]


@pytest.fixture
def config(home):
    """Write the config file."""

    def write(text: str, mode: int = 0o600) -> None:
        path = home / ".arcrun" / "config.yaml"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    return write


@pytest.fixture
def canned_engine(server, monkeypatch):
    """An engine with canned responses, and settings in the environment for it."""
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    return server


def test_a_config_file_that_is_no_yaml_is_named_with_the_place_but_not_shown(acr, config) -> None:
    config(f"api_key: {KEY}\n\tbase_url: x\n")
    ended = acr("workflows", "list", "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["code"]) == (1, "invalid_configuration")
    assert "config.yaml is not a YAML mapping (line 2, column 1)" in error["message"]
    assert "api_key: ak_…" in error["message"]
    assert KEY not in ended.err


def test_a_profile_of_another_shape_is_named(acr, config) -> None:
    config("profiles:\n  prod: https://engine.example\n")
    ended = acr("--profile", "prod", "workflows", "list")
    assert ended.code == 1
    assert "profiles.prod" in ended.err
    assert "mapping of api_key, base_url" in ended.err


def test_an_unknown_profile_names_those_that_there_are(acr, config, monkeypatch) -> None:
    config("profiles:\n  staging: {base_url: 'https://engine.example'}\n")
    monkeypatch.setenv("ARCRUN_PROFILE", "stagging")
    ended = acr("workflows", "list")
    assert ended.code == 1
    assert "no profile 'stagging'" in ended.err
    assert "staging" in ended.err.partition("stagging")[2]


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_a_key_that_others_can_read_is_a_warning_with_the_cure(
    acr, config, canned_engine, monkeypatch
) -> None:
    monkeypatch.delenv("ARCRUN_API_KEY")
    config(f"api_key: {KEY}\n", 0o644)
    canned_engine.on("GET", "/webhooks/named", {"workflows": [], "total": 0})
    ended = acr("workflows", "list")
    assert ended.code == 0
    assert "warning: " in ended.err
    assert "chmod 600" in ended.err
    assert KEY not in ended.err


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_in_json_a_warning_before_a_failure_is_part_of_the_error(
    acr, config, server, monkeypatch
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    config(f"api_key: {KEY}\n", 0o644)
    error = json.loads(acr("workflows", "list", "--json").err)
    assert error["code"] == "not_found"
    assert "chmod 600" in error["warnings"][0]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(acr, tmp_path) -> None:
    path = tmp_path / "w.yaml"
    path.touch(0o000)
    ended = acr("push", path)
    assert (ended.code, f"{path} can't be read: Permission denied" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("typed", "capability"),
    [
        (("runs", "list"), "durable_runs"),
        (("kb", "search", "x"), "knowledge_base"),
        (("components", "list"), "components"),
        (("recipe", "render", "greet"), "prompt_recipes"),
        (("recipe", "versions", "greet"), "recipe_versions"),
    ],
)
def test_what_an_engine_lacks_is_said_before_the_call(
    acr, canned_engine, typed, capability
) -> None:
    listed = [each for each in CAPABLE if each != capability]
    canned_engine.on("GET", "/health", {"ok": True, "capabilities": listed})
    ended = acr(*typed, "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["code"]) == (1, "unsupported")
    assert f"lists no {capability}" in error["message"]
    assert "use a newer engine" in error["message"]
    assert {request.target for request in canned_engine.requests} == {"/health"}


def test_an_engine_that_lists_no_capabilities_at_all_is_asked(acr, canned_engine) -> None:
    canned_engine.on("GET", "/health", {"ok": True})
    canned_engine.on("GET", "/runs", {"runs": [], "total": 0})
    ended = acr("runs", "list", "--json")
    assert (ended.code, ended.json) == (0, {"runs": [], "total": 0})


def test_an_engine_that_takes_no_encrypted_credentials_says_how_to_send_them(
    acr, canned_engine, canned
) -> None:
    canned_engine.on("GET", "/health", {"ok": True})  # lists nothing, so it has to be tried
    canned_engine.on("POST", "/credentials", canned(400, {"error": "value 必填"}))
    ended = acr("creds", "push", "token", stdin="hunter22\n")
    assert ended.code == 1
    assert "error[sealed_unsupported]" in ended.err
    assert "ARCRUN_CREDENTIAL_FORMAT=plain" in ended.err
    assert "Arcrun(" not in ended.err
    assert "hunter22" not in ended.err


def test_a_page_of_html_is_no_engine(acr, canned_engine, canned) -> None:
    canned_engine.on("GET", "/webhooks/named", canned(200, b"<html>Sign in</html>"))
    ended = acr("workflows", "list")
    assert ended.code == 1
    assert "error[unexpected_response]" in ended.err
    assert f"GET {canned_engine.url}/webhooks/named" in ended.err
    assert "is the base URL an arcrun engine?" in ended.err


def test_a_paused_run_is_a_result_that_names_its_task(acr, canned_engine, canned) -> None:
    canned_engine.on("GET", "/health", {"ok": True})
    pause = {"success": False, "error": "workflow paused at node ask waiting for task t-1"}
    canned_engine.on("POST", "/webhooks/named/greet/trigger", canned(500, pause))
    ended = acr("run", "greet", "--json")
    assert ended.code == 0
    assert ended.json == {
        "workflow": "greet",
        "status": "paused",
        "task_id": "t-1",
        "paused_node": "ask",
    }


def test_a_cancelled_run_is_a_failure_of_the_run(acr, canned_engine, canned) -> None:
    run = {"run_id": "a" * 32, "workflow": "greet", "status": "cancelled"}
    canned_engine.on("GET", "/health", {"ok": True, "capabilities": CAPABLE})
    canned_engine.on(
        "POST",
        "/webhooks/named/greet/trigger",
        canned(202, {"accepted": True, "run_id": run["run_id"]}),
    )
    stream = b'id: 1\nevent: status\ndata: {"status": "cancelled"}\n\n'
    canned_engine.on(
        "GET",
        f"/runs/{run['run_id']}/events",
        canned(200, stream, {"Content-Type": "text/event-stream"}),
    )
    canned_engine.on("GET", f"/runs/{run['run_id']}", run)
    ended = acr("run", "greet", "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["code"], ended.out) == (5, "run_cancelled", "")
    assert any(f"acr runs retry {run['run_id']}" in step for step in error["next"])
