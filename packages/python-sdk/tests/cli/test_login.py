"""`acr login`, `logout` and `auth …`: the log-in of a device (RFC 8628), and the key in the config file."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time

import pytest
import yaml
from browsers import Browser

from arcrun.commands import login

KEY = "ak_" + "0123456789abcdef" * 3
NEW_KEY = "ak_" + "fedcba9876543210" * 3
HEALTH = {"ok": True, "capabilities": ["accounts", "device_login"]}
CODE = {
    "device_code": "dc_1",
    "user_code": "BCDF-GHJK",
    "verification_uri": "https://engine.example/auth/device",
    "verification_uri_complete": "https://engine.example/auth/device?user_code=BCDF-GHJK",
    "expires_in": 600,
    "interval": 0,
}


@pytest.fixture
def accounts(server, monkeypatch):
    """An engine with accounts, as far as a terminal sees it; it serves the log-in of one device."""
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    server.on("GET", "/health", HEALTH)
    server.on("POST", "/auth/device/code", CODE)
    server.on(
        "GET", "/me", {"account": "acc_1", "email": "ming@example.com", "key": {"label": "x"}}
    )
    return server


def pending(canned, code: str):
    return canned(400, {"error": code, "code": code, "error_description": "…"})


def test_the_key_is_kept_once_the_person_has_confirmed(acr, accounts, canned, config) -> None:
    accounts.on(
        "POST",
        "/auth/device/token",
        pending(canned, "authorization_pending"),
        {"access_token": KEY, "token_type": "Bearer"},
    )
    ended = acr("login", "--json")
    assert ended.code == 0
    assert yaml.safe_load(config.read_text()) == {"api_key": KEY, "base_url": accounts.url}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert ended.json["account"]["email"] == "ming@example.com"
    assert "BCDF-GHJK" in ended.err
    assert "https://engine.example/auth/device" in ended.err
    assert KEY not in ended.out + ended.err
    assert [each.json["device_code"] for each in accounts.to("/auth/device/token")] == ["dc_1"] * 2


def test_no_key_goes_along_with_the_log_in(acr, accounts, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", NEW_KEY)
    accounts.on("POST", "/auth/device/token", {"access_token": KEY})
    assert acr("login").code == 0
    for path in ("/auth/device/code", "/auth/device/token"):
        assert "x-arcrun-api-key" not in accounts.to(path)[0].headers
    assert accounts.to("/me")[0].headers["x-arcrun-api-key"] == KEY


def test_slow_down_makes_the_interval_longer(acr, accounts, canned, monkeypatch) -> None:
    monkeypatch.setattr(login, "_SLOWER", 0.3)
    accounts.on(
        "POST",
        "/auth/device/token",
        pending(canned, "slow_down"),
        pending(canned, "authorization_pending"),
        {"access_token": KEY},
    )
    began = time.monotonic()
    assert acr("login").code == 0
    assert time.monotonic() - began >= 2 * 0.3


@pytest.mark.parametrize(
    ("code", "said"), [("access_denied", "refused in the browser"), ("expired_token", "expired")]
)
def test_a_refusal_is_said_and_nothing_is_kept(
    acr, accounts, canned, config, code: str, said: str
) -> None:
    accounts.on("POST", "/auth/device/token", pending(canned, code))
    ended = acr("login")
    assert ended.code != 0
    assert said in ended.err
    assert "acr login" in ended.err
    assert not config.exists()


def test_a_code_that_is_never_confirmed_ends(acr, accounts, canned) -> None:
    accounts.on("POST", "/auth/device/code", {**CODE, "expires_in": 0.2})
    accounts.on("POST", "/auth/device/token", pending(canned, "authorization_pending"))
    ended = acr("login", "--json")
    assert ended.code == 1
    assert '"expired_token"' in ended.err


def test_an_engine_without_device_log_in_is_said_before_it_is_asked(
    acr, server, monkeypatch
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    server.on("GET", "/health", {"ok": True, "capabilities": []})
    ended = acr("login")
    assert "--with-token" in ended.err
    assert [each.target for each in server.requests] == ["/health"]


def test_no_log_in_over_plain_http_to_another_machine(acr) -> None:
    ended = acr("login", "--base-url", "http://engine.example")
    assert ended.code == 4
    assert "https" in ended.err


def test_a_key_from_standard_input_is_checked_and_kept(acr, engine, config, monkeypatch) -> None:
    monkeypatch.delenv("ARCRUN_API_KEY")
    ended = acr("login", "--with-token", stdin=engine["key"] + "\n")
    assert ended.code == 0
    assert yaml.safe_load(config.read_text())["api_key"] == engine["key"]
    assert engine["key"] not in ended.out + ended.err
    monkeypatch.delenv("ARCRUN_BASE_URL")
    assert acr("workflows", "list", "--json").json == {"workflows": [], "total": 0}


def test_a_key_that_the_engine_refuses_is_not_kept(acr, engine, config) -> None:
    ended = acr("login", "--with-token", stdin=NEW_KEY)
    assert ended.code == 4
    assert not config.exists()
    assert NEW_KEY not in ended.out + ended.err


@pytest.mark.parametrize("token", ["", "ak with space", '"ak_quoted"'])
def test_what_is_no_key_is_refused_without_being_shown(acr, engine, config, token: str) -> None:
    ended = acr("login", "--with-token", stdin=token)
    assert ended.code != 0
    assert not config.exists()
    assert not token or token not in ended.err


def test_a_profile_is_made_used_and_logged_out(acr, engine, config, monkeypatch) -> None:
    assert acr("login", "--with-token", "--profile", "work", stdin=engine["key"]).code == 0
    monkeypatch.delenv("ARCRUN_API_KEY")
    monkeypatch.delenv("ARCRUN_BASE_URL")
    assert yaml.safe_load(config.read_text())["profiles"]["work"]["api_key"] == engine["key"]
    assert acr("--profile", "work", "creds", "list", "--json").code == 0
    assert acr("creds", "list", "--profile", "work", "--json").code == 0
    assert acr("logout", "--profile", "work", "--json").json["removed"] is True
    assert "api_key" not in yaml.safe_load(config.read_text())["profiles"]["work"]


def test_log_out_removes_the_key_and_keeps_the_rest(acr, config) -> None:
    config.parent.mkdir()
    config.write_text(f"# mine\nbase_url: https://a.example\napi_key: {KEY}\n")
    config.chmod(0o600)
    assert acr("logout", "--json").json["removed"] is True
    assert config.read_text() == "# mine\nbase_url: https://a.example\n"
    assert acr("logout", "--json").json["removed"] is False


def test_variables_that_count_before_the_file_are_named(acr, engine) -> None:
    ended = acr("login", "--with-token", stdin=engine["key"])
    assert "ARCRUN_API_KEY" in ended.out


def test_status_says_what_counts_and_where_it_comes_from(acr, engine) -> None:
    ended = acr("auth", "status", "--json")
    assert ended.code == 0
    settings = ended.json["settings"]
    assert settings["base_url"] == {"value": engine["url"], "from": "the variable ARCRUN_BASE_URL"}
    assert settings["api_key"]["value"] == f"ak_{engine['key'][3]}…{engine['key'][-4:]}"
    assert "prompt_recipes" in ended.json["engine"]["capabilities"]
    assert engine["key"] not in ended.out + ended.err


def test_status_of_a_profile_counts_before_the_environment_only_if_it_was_typed(
    acr, engine, config, monkeypatch
) -> None:
    config.parent.mkdir()
    config.write_text(f"profiles:\n  work:\n    api_key: {NEW_KEY}\n")
    config.chmod(0o600)
    typed = acr("auth", "status", "--profile", "work", "--json").json["settings"]["api_key"]
    assert typed["from"] == "profiles.work in ~/.arcrun/config.yaml"
    monkeypatch.setenv("ARCRUN_PROFILE", "work")
    named = acr("auth", "status", "--json").json["settings"]["api_key"]
    assert named["from"] == "the variable ARCRUN_API_KEY"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ARCRUN_API_KEY", NEW_KEY, "key"),
        ("ARCRUN_API_KEY", "", "acr login"),
        ("ARCRUN_BASE_URL", "http://127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_status_says_what_is_wrong_and_exits_with_1(
    acr, engine, monkeypatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = acr("auth", "status", "--json")
    assert ended.code == 1
    assert said in ended.json["problem"]


def test_a_rotated_key_is_kept_in_place_of_the_old_one(acr, accounts, config, monkeypatch) -> None:
    config.parent.mkdir()
    config.write_text(f"api_key: {KEY}  # of mine\nbase_url: {accounts.url}\n")
    config.chmod(0o600)
    accounts.on("PUT", "/me/api-key/rotate", {"api_key": NEW_KEY, "resealed": 2, "unopened": []})
    ended = acr("auth", "rotate", "--yes", "--json")
    assert ended.json["resealed"] == 2
    assert config.read_text().startswith(f"api_key: {NEW_KEY}  # of mine\n")
    assert NEW_KEY not in ended.out + ended.err


def test_a_key_that_could_not_be_kept_is_not_rotated(acr, accounts, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    ended = acr("auth", "rotate", "--yes")
    assert ended.code != 0
    assert "ARCRUN_API_KEY" in ended.err
    assert not accounts.to("/me/api-key/rotate")


def test_rotating_and_revoking_ask_first(acr, accounts, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", KEY)
    for action in ("rotate", "revoke"):
        ended = acr("auth", action)
        assert ended.code == 2
        assert "--yes" in ended.err
    assert not accounts.requests
    accounts.on("DELETE", "/me/api-key", {"revoked": True})
    assert acr("auth", "revoke", "--yes", "--json").json["revoked"] is True


def test_an_engine_without_accounts_rotates_no_keys(acr, server, config) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["durable_runs"]})
    config.parent.mkdir()
    config.write_text(f"api_key: {KEY}\nbase_url: {server.url}\n")
    config.chmod(0o600)
    ended = acr("auth", "rotate", "--yes")
    assert "no accounts" in ended.err
    assert [each.target for each in server.requests] == ["/health"]


def test_a_person_confirms_in_a_browser_then_rotates_and_revokes(acr, served, config) -> None:
    command = [sys.executable, "-m", "arcrun.cli", "login", "--base-url", served["url"], "--json"]
    with (
        Browser(served["url"]) as person,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        try:
            code = json.loads(process.stderr.readline())["device_code"]["user_code"]
            person.log_in_as("mira")
            page = person.get("/auth/device")
            question = person.submit(page, "/auth/device", user_code=code, action="show")
            person.submit(question, "/auth/device", action="approve")
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()  # it would wait for the person otherwise
    first = yaml.safe_load(config.read_text())["api_key"]
    assert process.returncode == 0
    assert first not in out
    assert acr("auth", "status", "--json").json["ok"] is True
    assert acr("auth", "rotate", "--yes", "--json").json["created"] is True
    second = yaml.safe_load(config.read_text())["api_key"]
    assert second != first
    assert acr("creds", "list", "--json").code == 0
    assert acr("auth", "revoke", "--yes", "--json").json["revoked"] is True
    assert acr("creds", "list", "--json").code == 4


@pytest.fixture
def opened(monkeypatch):
    """The addresses that were opened in a browser; a person sits before the terminal."""
    found: list[str] = []
    monkeypatch.setattr("arcrun.cli.following._has_person", lambda: True)
    monkeypatch.setattr("webbrowser.open", found.append)
    return found


def begin(accounts, address: str, **more) -> None:
    """Let the engine name a page; the log-in succeeds at once."""
    uris = {"verification_uri": address, "verification_uri_complete": address}
    accounts.on("POST", "/auth/device/code", {**CODE, **uris, **more})
    accounts.on("POST", "/auth/device/token", {"access_token": KEY})


def test_a_page_of_the_engine_is_opened(acr, accounts, opened) -> None:
    begin(accounts, f"{accounts.url}/auth/device", expires_in=59)
    ended = acr("login")
    assert ended.code == 0
    assert opened == [f"{accounts.url}/auth/device"]
    assert "it is valid for 59 seconds" in ended.err


def test_a_page_of_another_host_is_shown_with_its_host_and_not_opened(
    acr, accounts, opened
) -> None:
    begin(accounts, "https://login.example:8443/x")
    ended = acr("login")
    assert opened == []
    assert "https://login.example:8443/x" in ended.err
    assert "not the engine's own, but of login.example" in ended.err
    assert "it is valid for 10 minutes" in ended.err


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "--version"])
def test_an_address_of_another_kind_is_not_offered(acr, accounts, opened, address, config) -> None:
    begin(accounts, address)
    ended = acr("login")
    assert (ended.code, opened) == (1, [])
    assert "error[unexpected_response]" in ended.err
    assert address not in ended.err
    assert not config.exists()


def test_with_json_the_code_is_a_line_of_json_on_stderr(acr, accounts) -> None:
    begin(accounts, f"{accounts.url}/auth/device")
    ended = acr("login", "--json")
    (line,) = ended.err.splitlines()
    shown = json.loads(line)
    assert shown["device_code"]["user_code"] == "BCDF-GHJK"
    assert shown["is_own"] is True
    assert KEY not in ended.out + ended.err
