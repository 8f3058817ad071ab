"""`acr auth rotate` and `revoke`: no key is lost with a response, and none that is dead stays in the config file."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

ROTATE = ("PUT", "/me/api-key/rotate")
DROPPED = {"connection", "content-length", "date", "server", "transfer-encoding"}
Forward = Callable[[Any], httpx.Response]


@pytest.fixture
def key(served) -> str:
    return next(served["keys"])


@pytest.fixture
def relay(server, served, canned):
    """A way to the engine that can lose responses; requests without a rule of their own pass."""

    def forward(handler: Any) -> httpx.Response:
        recorded = server.requests[-1]
        headers = {
            name: value
            for name, value in recorded.headers.items()
            if name in {"x-arcrun-api-key", "content-type"}
        }
        return httpx.request(
            handler.command,
            served["url"] + handler.path,
            content=recorded.body,
            headers=headers,
            timeout=60,
        )

    def passing(handler: Any) -> None:
        response = forward(handler)
        handler.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in DROPPED:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(response.content)))
        handler.send_header("Connection", "close")  # as the server does after an `act`
        handler.end_headers()
        handler.wfile.write(response.content)

    for method in ("GET", "PUT", "DELETE"):
        server.on(method, "*", canned(act=passing))
    server.forward, server.passing = forward, canned(act=passing)
    return server


@pytest.fixture
def kept(config: Path, relay, key) -> Path:
    """A config file with the key, by way of the relay."""
    config.parent.mkdir()
    config.write_text(f"# mine\napi_key: {key}  # of the laptop\nbase_url: {relay.url}\n")
    config.chmod(0o600)
    return config


@pytest.fixture
def draft(kept: Path) -> Path:
    return kept.with_name("new-key.yaml")


def key_in(file: Path) -> str:
    return str(yaml.safe_load(file.read_text())["api_key"])


def is_valid(served: dict[str, Any], key: str) -> bool:
    headers = {"X-Arcrun-API-Key": key}
    return httpx.get(f"{served['url']}/me", headers=headers).status_code == 200


def assert_replaced(served: dict[str, Any], old: str, kept: Path, draft: Path) -> None:
    assert key_in(kept) != old
    assert is_valid(served, key_in(kept))
    assert not is_valid(served, old)
    assert kept.read_text().startswith("# mine\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not draft.exists()


def test_a_rotated_key_is_in_the_config_file_alone(acr, served, kept, draft, key) -> None:
    ended = acr("auth", "rotate", "--yes", "--json")
    assert ended.code == 0
    assert_replaced(served, key, kept, draft)
    assert key_in(kept) not in ended.out + ended.err


def test_a_lost_response_loses_no_key(acr, served, relay, canned, kept, draft, key) -> None:
    relay.on(*ROTATE, canned(act=lambda handler: relay.forward(handler) and None))
    ended = acr("auth", "rotate", "--yes", "--json")
    assert (ended.code, ended.json["recovered"]) == (0, True)
    assert_replaced(served, key, kept, draft)


def test_a_key_that_may_be_valid_is_kept_until_the_engine_can_be_asked(
    acr, served, relay, canned, kept, draft, key
) -> None:
    relay.on(*ROTATE, canned(act=lambda handler: relay.forward(handler) and None))
    relay.on("GET", "/me", canned(act=lambda _handler: None))
    ended = acr("auth", "rotate", "--yes")
    assert ended.code == 7
    assert "~/.arcrun/new-key.yaml" in ended.err
    assert "acr auth rotate" in ended.err
    assert key_in(kept) == key
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert is_valid(served, key_in(draft))
    assert key_in(draft) not in ended.out + ended.err

    relay.on("GET", "/me", relay.passing)
    assert acr("auth", "status", "--json").json["interrupted_rotation"] is True
    assert acr("auth", "rotate", "--yes", "--json").json["recovered"] is True
    assert_replaced(served, key, kept, draft)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("arrives", [True, False])
def test_a_killed_rotation_is_finished_by_the_next_one(
    acr, served, relay, canned, kept, draft, key, arrives: bool
) -> None:
    command = [sys.executable, "-m", "arcrun.cli", "auth", "rotate", "--yes"]
    processes: list[subprocess.Popen[bytes]] = []

    def kill(handler: Any) -> None:
        if arrives:
            relay.forward(handler)
        processes[0].kill()

    relay.on(*ROTATE, canned(act=kill), relay.passing)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        processes.append(process)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert key_in(kept) == key
    proposed = key_in(draft)
    assert is_valid(served, proposed) is arrives

    assert acr("auth", "rotate", "--yes").code == 0
    assert key_in(kept) == proposed
    assert_replaced(served, key, kept, draft)


def test_a_refused_rotation_leaves_no_draft(acr, relay, canned, kept, draft, key) -> None:
    refused = canned(429, {"error": "too many", "code": "too_many_requests"})
    relay.on(*ROTATE, refused)
    ended = acr("auth", "rotate", "--yes")
    assert "too_many_requests" in ended.err
    assert (key_in(kept), draft.exists()) == (key, False)


def test_the_key_of_an_engine_that_takes_no_proposals_counts(acr, relay, kept, draft) -> None:
    made = "ak_" + "fedcba9876543210" * 3
    relay.on(*ROTATE, {"api_key": made, "created": True, "resealed": 0, "unopened": []})
    assert acr("auth", "rotate", "--yes").code == 0
    assert (key_in(kept), draft.exists()) == (made, False)


def test_the_keys_of_two_profiles_are_rotated_apart(acr, served, relay, canned, config) -> None:
    first, second = next(served["keys"]), next(served["keys"])
    config.parent.mkdir()
    profiles = "".join(
        f"  {name}:\n    api_key: {key}\n    base_url: {relay.url}\n"
        for name, key in (("home", first), ("work", second))
    )
    config.write_text("profiles:\n" + profiles)
    config.chmod(0o600)
    relay.on(*ROTATE, canned(act=lambda _handler: None), relay.passing)
    assert acr("auth", "rotate", "--yes", "--profile", "home").code == 7
    assert acr("auth", "rotate", "--yes", "--profile", "work").code == 0
    drafts = yaml.safe_load(config.with_name("new-key.yaml").read_text())["profiles"]
    assert [name for name, settings in drafts.items() if settings] == ["home"]
    assert acr("auth", "rotate", "--yes", "--profile", "home").code == 0
    kept = yaml.safe_load(config.read_text())["profiles"]
    assert is_valid(served, kept["home"]["api_key"])
    assert is_valid(served, kept["work"]["api_key"])
    assert not is_valid(served, first)


def test_a_revoked_key_leaves_the_config_file(acr, served, relay, kept, key) -> None:
    assert acr("auth", "revoke", "--yes", "--json").json["config"] == "~/.arcrun/config.yaml"
    assert kept.read_text() == f"# mine\nbase_url: {relay.url}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not is_valid(served, key)


def test_a_key_that_other_profiles_have_too_is_replaced_and_removed_there(
    acr, served, relay, kept, key
) -> None:
    other = f"ak_{'0' * 48}"
    profiles = f"profiles:\n  work:\n    api_key: {key}\n  other:\n    api_key: {other}\n"
    kept.write_text(kept.read_text() + profiles)
    assert acr("auth", "rotate", "--yes", "--json").json["profiles"] == ["work"]
    file = yaml.safe_load(kept.read_text())
    assert file["profiles"]["work"]["api_key"] == file["api_key"] != key
    assert file["profiles"]["other"]["api_key"] == other

    ended = acr("auth", "revoke", "--yes", "--json", "--profile", "work")
    assert ended.json["profiles"] == [""]
    file = yaml.safe_load(kept.read_text())
    assert "api_key" not in file
    assert not (file["profiles"]["work"] or {}).get("api_key")
    assert file["profiles"]["other"]["api_key"] == other


def test_a_revocation_that_failed_leaves_the_key(acr, relay, canned, kept, key) -> None:
    relay.on(
        "DELETE", "/me/api-key", canned(503, {"error": "locked", "code": "storage_unavailable"})
    )
    assert acr("auth", "revoke", "--yes").code == 1
    assert key_in(kept) == key


def test_a_revoked_key_of_the_environment_is_named(acr, relay, key, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", key)
    monkeypatch.setenv("ARCRUN_BASE_URL", relay.url)
    ended = acr("auth", "revoke", "--yes", "--json")
    assert ended.json["still_in"] == "the variable ARCRUN_API_KEY"
