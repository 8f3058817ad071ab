"""Settings: argument, then environment, then `~/.arcrun/config.yaml`, in an empty home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import arcrun
from arcrun import ArcrunWarning, ConfigurationError

SOURCES = ("argument", "environment", "file")
VALUES = {
    "api_key": {source: f"ak_{source}" for source in SOURCES},
    "base_url": {source: f"https://{source}.test" for source in SOURCES},
    "credential_format": {"argument": "plain", "environment": "sealed", "file": "plain"},
}
DEFAULTS = {
    "api_key": None,
    "base_url": "https://cypher.arcrun.dev",
    "credential_format": "sealed",
}


def write_config(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / ".arcrun" / "config.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def setting(client: arcrun.Arcrun, name: str) -> object:
    settings = client._connection.settings
    found = getattr(settings, name)
    return found.reveal() if name == "api_key" and found else found


@pytest.mark.parametrize("name", list(VALUES))
@pytest.mark.parametrize(
    "given", [SOURCES, SOURCES[1:], SOURCES[2:], ("argument", "file"), ()], ids="+".join
)
def test_precedence(name: str, given: tuple[str, ...], home: Path, monkeypatch) -> None:
    options = {}
    if "argument" in given:
        options[name] = VALUES[name]["argument"]
    if "environment" in given:
        monkeypatch.setenv(f"ARCRUN_{name.upper()}", VALUES[name]["environment"])
    if "file" in given:
        write_config(home, f"{name}: {VALUES[name]['file']}\n")
    with arcrun.Arcrun(**options) as client:
        expected = VALUES[name][given[0]] if given else DEFAULTS[name]
        assert setting(client, name) == expected


def test_each_setting_has_its_own_source(home: Path, monkeypatch) -> None:
    write_config(home, "api_key: ak_file\ncredential_format: plain\n")
    monkeypatch.setenv("ARCRUN_BASE_URL", "http://127.0.0.1:1/")
    with arcrun.Arcrun("ak_argument") as client:
        assert setting(client, "api_key") == "ak_argument"
        assert setting(client, "base_url") == "http://127.0.0.1:1"
        assert setting(client, "credential_format") == "plain"


def test_an_empty_variable_counts_as_not_set(home: Path, monkeypatch) -> None:
    write_config(home, "api_key: ak_file\n")
    monkeypatch.setenv("ARCRUN_API_KEY", "")
    with arcrun.Arcrun() as client:
        assert setting(client, "api_key") == "ak_file"


def test_a_process_without_a_home_works(monkeypatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with arcrun.Arcrun() as client:
        assert setting(client, "api_key") is None


def test_a_config_folder_that_is_a_file_counts_as_missing(home: Path) -> None:
    (home / ".arcrun").write_text("")
    with arcrun.Arcrun() as client:
        assert setting(client, "api_key") is None


def test_config_file_argument(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("api_key: ak_mine\n")
    path.chmod(0o600)
    with arcrun.Arcrun(config_file=path) as client:
        assert setting(client, "api_key") == "ak_mine"


def test_config_file_argument_must_exist(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"none\.yaml can't be read: the file does not exist"
    ):
        arcrun.Arcrun(config_file=tmp_path / "none.yaml")


def test_an_empty_config_file_is_fine(home: Path) -> None:
    write_config(home, "# nothing yet\n")
    with arcrun.Arcrun() as client:
        assert setting(client, "api_key") is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("api_key: [ak_secret\n", "line 2, column 1"),
        ("api_key: ak_secret\n\tbase_url: x\n", "line 2, column 1"),
        ("ak_secret", "config.yaml is not"),
        ("- ak_secret\n", "config.yaml is not"),
    ],
)
def test_a_config_file_that_is_not_a_mapping_is_refused_and_not_shown(
    text: str, where: str, home: Path
) -> None:
    path = write_config(home, text)
    with pytest.raises(ConfigurationError) as caught:
        arcrun.Arcrun()
    assert where in str(caught.value)
    assert str(path) in str(caught.value)
    assert "ak_secret" not in str(caught.value)


def test_a_config_file_that_is_not_utf8_is_refused(home: Path) -> None:
    write_config(home, "").write_bytes(b"api_key: \xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        arcrun.Arcrun()


def test_a_config_file_that_is_a_folder_is_refused(home: Path) -> None:
    (home / ".arcrun" / "config.yaml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="can't be read: "):
        arcrun.Arcrun()


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_config_file_with_a_key_that_others_can_read_causes_a_warning(
    mode: int, home: Path
) -> None:
    write_config(home, "api_key: ak_secret\n", mode)
    with pytest.warns(ArcrunWarning, match="chmod 600") as seen:
        arcrun.Arcrun().close()
    assert "ak_secret" not in str(seen[0].message)


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_config_file_without_a_key_may_be_readable_by_others(home: Path) -> None:
    write_config(home, "base_url: http://127.0.0.1:8787\n", 0o644)
    arcrun.Arcrun().close()


@pytest.mark.parametrize("key", ["", " ", "ak_1\n", "ak_ 1", "ak_密", "ak_\x00", "“ak_1”"])
def test_a_malformed_key_is_refused_and_not_shown(key: str, seen_by_tools) -> None:
    with pytest.raises(ConfigurationError, match="the argument api_key") as caught:
        arcrun.Arcrun(key)
    assert not key.strip() or key not in seen_by_tools(caught.value)


def test_a_malformed_key_in_the_environment_is_not_shown(monkeypatch, seen_by_tools) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_s3cret secret")
    with pytest.raises(ConfigurationError, match="the variable ARCRUN_API_KEY") as caught:
        arcrun.Arcrun()
    assert "s3cret" not in seen_by_tools(caught.value)


def test_a_malformed_file_with_a_key_is_not_shown(home: Path, seen_by_tools) -> None:
    write_config(home, "api_key: ak_s3cret\nbase_url: [x\n")
    with pytest.raises(ConfigurationError, match="line 3") as caught:
        arcrun.Arcrun()
    assert "s3cret" not in seen_by_tools(caught.value)


def test_a_path_with_braces_is_shown_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "{x}.yaml"
    path.write_text("base_url: nonsense\n")
    with pytest.raises(ConfigurationError, match=r"base_url in .*\{x\}\.yaml is not a base URL"):
        arcrun.Arcrun(config_file=path)


def test_a_key_of_another_type_is_refused(home: Path) -> None:
    write_config(home, "api_key: 12345\n")
    with pytest.raises(ConfigurationError, match=r"api_key in .*config\.yaml"):
        arcrun.Arcrun()


@pytest.mark.parametrize(
    "url",
    [
        "cypher.arcrun.dev",
        "ftp://a.test",
        "https://",
        "https://user:pw@a.test",
        "https://a.test?x=1",
        "https://a.test?",
        "https://a.test#",
        "https://a.test#x",
        "https://a test",
        "https://a.test:x",
        "https://a.test:99999999",
        "https://{{secret.x}}.test",
        "",
    ],
)
def test_a_malformed_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="the argument base_url is not a base URL"):
        arcrun.Arcrun(base_url=url)


def test_an_unknown_credential_format_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_CREDENTIAL_FORMAT", "open")
    with pytest.raises(
        ConfigurationError, match=r"ARCRUN_CREDENTIAL_FORMAT must be .*, not 'open'"
    ):
        arcrun.Arcrun()


@pytest.mark.parametrize(
    "options", [{"max_retries": -1}, {"max_retries": 1.5}, {"max_retries": True}]
)
def test_malformed_retries_are_refused(options: dict) -> None:
    with pytest.raises(ConfigurationError, match="max_retries"):
        arcrun.Arcrun(**options)


@pytest.mark.parametrize("value", ["no", "", 0, 1, None])
def test_a_switch_is_on_or_off(value: object) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure_http must be True or False"):
        arcrun.Arcrun(allow_insecure_http=value)


@pytest.mark.parametrize("timeout", [0, -1, "5", True, float("nan")])
def test_a_malformed_timeout_is_refused(timeout: object) -> None:
    with pytest.raises(arcrun.InvalidArgumentError, match="above 0"):
        arcrun.Arcrun(timeout=timeout)


def test_an_unknown_secret_cache_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"secret_cache must be .*, not 'disk'"):
        arcrun.Arcrun(secret_cache="disk")
