"""`acr doctor`: each thing that a command needs, and the cure of what is not well."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from arcrun.commands import doctor

OTHER_KEY = "ak_" + "fedcba9876543210" * 3


def found(ended) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in ended.json["checks"]}


def test_all_is_well_with_an_engine_and_a_key(acr, engine) -> None:
    ended = acr("doctor", "--json")
    assert (ended.code, ended.json["ok"]) == (0, True)
    assert {check["status"] for check in ended.json["checks"]} == {"ok"}
    assert "key at the engine" in found(ended)
    assert engine["key"] not in ended.out + ended.err


@pytest.mark.parametrize(
    ("name", "value", "check", "cure"),
    [
        ("ARCRUN_API_KEY", OTHER_KEY, "key at the engine", "acr login"),
        ("ARCRUN_API_KEY", "", "API key", "acr login"),
        ("ARCRUN_API_KEY", "ak with space", "API key", "acr login"),
        ("ARCRUN_BASE_URL", "http://127.0.0.1:1", "engine", "running"),
        ("ARCRUN_BASE_URL", "127.0.0.1:1", "base URL", "ARCRUN_BASE_URL"),
        ("ARCRUN_BASE_URL", "http://engine.example", "base URL", "https"),
        ("ARCRUN_BASE_URL", "https://engine.invalid", "name of the host", "base URL"),
        ("ARCRUN_CREDENTIAL_FORMAT", "open", "credential format", "ARCRUN_CREDENTIAL_FORMAT"),
    ],
)
def test_what_is_wrong_fails_with_its_cure(
    acr, engine, monkeypatch, name: str, value: str, check: str, cure: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = acr("doctor", "--json")
    assert ended.code == 1
    assert found(ended)[check]["status"] == "fail"
    assert cure in found(ended)[check]["cure"]
    assert OTHER_KEY not in ended.out + ended.err


@pytest.mark.parametrize(
    ("text", "mode", "status", "said"),
    [
        ("api_key: ak_0123456789abcdef0123\n", 0o644, "warn", "chmod 600"),
        ("profiles: {a: {api_key: ak_0123456789abcdef0123}}\n", 0o640, "warn", "chmod 600"),
        ("api_key: ak_0123456789abcdef0123\n", 0o600, "ok", ""),
        ("base_url: https://a.example\n", 0o644, "ok", ""),
        ("api_key: [\n", 0o600, "fail", "mend"),
    ],
)
def test_the_config_file_is_well_formed_and_its_owners_alone(
    acr, engine, config, text: str, mode: int, status: str, said: str
) -> None:
    config.parent.mkdir()
    config.write_text(text)
    config.chmod(mode)
    check = found(acr("doctor", "--json"))["config file"]
    assert check["status"] == status
    assert said in check["cure"]


def test_a_clock_that_is_wrong_is_a_warning(acr, engine, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "time", SimpleNamespace(time=lambda: time.time() + 600))
    check = found(acr("doctor", "--json"))["clock"]
    assert check["status"] == "warn"
    assert "ahead" in check["found"]


def test_an_engine_without_capabilities_is_a_warning(acr, server, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    server.on("GET", "/health", {"ok": True})
    check = found(acr("doctor", "--json"))["engine"]
    assert check["status"] == "warn"
    assert "ARCRUN_CREDENTIAL_FORMAT=plain" in check["cure"]


def test_an_unknown_profile_fails(acr, engine) -> None:
    ended = acr("doctor", "--profile", "wrok", "--json")
    assert ended.code == 1
    assert found(ended)["settings"]["status"] == "fail"


def test_a_person_reads_a_line_for_each_check_and_the_cure_below(acr, engine, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", OTHER_KEY)
    lines = acr("doctor").out.splitlines()
    assert lines[0].startswith("✓ Python")
    assert lines[-2].startswith("✗ key at the engine")
    assert lines[-1].strip().startswith("→ acr login")
