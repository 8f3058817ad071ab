"""What `acr` reads and writes: limits of size, outputs that can't be written, values of variables, escapes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from arcrun.cli import terminal
from arcrun.cli.console import as_json, as_yaml
from arcrun.commands import key_rotation
from arcrun.commands.doctor import _clock
from arcrun.commands.documents import parse_document
from arcrun.commands.errors import CommandError
from arcrun.commands.reading import MOST_BYTES

HOSTILE = {"a\u202ekey": "x\u202ey\u2066天", "lines": "one\n\x9btwo\x1b[31m", "tag": "\U000e0041"}
RETURNED = ["push", "validate"]


def test_yaml_and_json_have_escapes_and_read_back_as_they_were() -> None:
    as_text = as_json(HOSTILE, sys.stdout, indent=2)
    assert json.loads(as_text) == yaml.safe_load(as_yaml(HOSTILE)) == HOSTILE
    assert not terminal.steers(as_text + as_yaml(HOSTILE))
    assert '"x\\u202Ey\\u2066天"' in as_yaml(HOSTILE)


def test_a_style_can_be_made_by_acr_alone() -> None:
    shown = terminal.shown(terminal.styled("a\x1b[31m", "1") + "\x1b[0m")
    assert shown == "\x1b[1ma\\u001B[31m\x1b[0m\\u001B[0m"


def test_emoji_and_scripts_that_join_characters_stay() -> None:
    assert terminal.escaped("👨\u200d👩 م\u200cن\ttab\n") == "👨\u200d👩 م\u200cن\ttab\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["push"], ["validate"], ["run", "greet", "-f"], ["recipe", "push"], ["kb", "put", "page"], ["kb", "import"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_file_is_read_no_further_than_an_engine_takes(
    acr, server, monkeypatch, arguments, tmp_path
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_" + "0123456789abcdef" * 3)
    server.on("GET", "/health", {"ok": True, "capabilities": ["knowledge_base"]})
    large = tmp_path / "large.md"
    large.write_bytes(b"a" * (MOST_BYTES + 1))
    ended = acr(*arguments, large)
    assert (ended.code, ended.out) == (1, "")
    assert "error[payload_too_large]" in ended.err
    assert "2 MiB" in ended.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="/dev/zero has no end")
@pytest.mark.parametrize(
    "arguments", [["push", "-"], ["creds", "push", "name"], ["login", "--with-token"]], ids=" ".join
)
def test_standard_input_without_end_is_refused(arguments) -> None:
    environment = {
        **os.environ,
        "ARCRUN_API_KEY": "ak_" + "0" * 48,
        "ARCRUN_BASE_URL": "http://127.0.0.1:9",
    }
    with Path("/dev/zero").open("rb") as endless:
        ended = subprocess.run(
            [sys.executable, "-m", "arcrun.cli", *arguments],
            stdin=endless, capture_output=True, env=environment, timeout=60, check=False,
        )  # fmt: skip
    assert b"error[payload_too_large]" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a full disk")
@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments", [["explain", "--json"], ["explain"], ["--help"]], ids=" ".join
)
def test_a_full_disk_is_said(arguments, buffered) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = run_module("arcrun.cli", *arguments, buffered=buffered, stdout=full)
    assert ended.returncode == 1
    assert b"output_failed" in ended.stderr
    assert b"internal" not in ended.stderr
    assert b"Exception ignored" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a full disk")
def test_errors_that_nobody_can_read_keep_their_exit_code() -> None:
    with Path("/dev/full").open("wb") as full:
        assert run_module("arcrun.cli", "nope", stderr=full).returncode == 2
        assert run_module("arcrun.cli", "--help", stdout=full, stderr=full).returncode == 1


def run_module(module, *arguments, buffered=True, **streams) -> subprocess.CompletedProcess[bytes]:
    """Run a module as a person would: their environment seldom says that output is not buffered."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment, timeout=60, check=False, **{"stderr": subprocess.PIPE, **streams},
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="the shell is one of POSIX")
def test_a_standard_output_that_is_closed_is_said() -> None:
    command = f"{sys.executable} -m arcrun.cli explain --json >&-"
    ended = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, timeout=60, check=False)
    assert ended.returncode == 1
    assert b'"output_failed"' in ended.stderr


@pytest.mark.parametrize(("name", "value"), [("ARCRUN_OUTPUT", "JSON"), ("ARCRUN_LANG", "xx")])
def test_a_wrong_variable_is_refused_as_an_option_is(acr, monkeypatch, name, value) -> None:
    monkeypatch.setenv(name, value)
    ended = acr("explain")
    assert (ended.code, ended.out) == (2, "")
    assert f"{name} must be one of: " in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  " + "[" * 20_000, "line 2, column 102: here it is nested more than 100 deep"),
        (
            "a: 1\nb: " + "9" * 5000,
            "line 2, column 4: `99999999999999999999…` can't be read as a number",
        ),
        ("a: 1\nb: 2024-99-99", "line 2, column 4: `2024-99-99` can't be read as a date"),
    ],
    ids=["deep", "digits", "date"],
)
def test_what_python_can_not_read_is_said_in_own_words_with_its_place(text, said) -> None:
    with pytest.raises(CommandError) as caught:
        parse_document(text)
    assert said in caught.value.message


def test_validate_refuses_the_names_that_push_refuses(acr, engine) -> None:
    ends = [acr(name, "-", stdin='flow: []\nname: "x\\e[31mR\\0"\n') for name in RETURNED]
    assert [each.code for each in ends] == [2, 2]
    assert ends[0].err == ends[1].err
    assert "error[invalid_name]" in ends[0].err
    assert "--> <stdin>:2:7" in ends[0].err


def test_a_long_line_of_a_flow_is_shown_with_its_place(acr, engine) -> None:
    label = "x" * 100_000
    ended = acr("validate", "-", stdin=f"flow:\n  - a >> 完成後 >> b\n  - b >> {label} >> c\n")
    assert ended.code == 2
    assert "this line of the flow has 100,010 characters, and an engine takes 1,024" in ended.err
    assert "--> <stdin>:3:5" in ended.err


@pytest.mark.parametrize("name", ["comp_uppercase", "comp_counter", "trigger_workflow"])
def test_built_ins_that_no_catalog_lists_are_found(acr, engine, name) -> None:
    assert acr("components", "get", name, "--json").json["canonical_id"] == name


def test_a_near_miss_of_a_built_in_names_it(acr, engine) -> None:
    ended = acr("components", "get", "comp_upercase")
    assert ended.code == 3
    assert "did you mean 'comp_uppercase'" in ended.err


def test_a_dry_run_needs_no_secret_and_changes_no_key(acr, engine, config, monkeypatch) -> None:
    assert acr("creds", "push", "token", "--dry-run", "--json").json["dry_run"] is True
    assert acr("creds", "list", "--json").json["total"] == 0
    monkeypatch.delenv("ARCRUN_API_KEY")
    assert acr("login", "--with-token", stdin=engine["key"]).code == 0
    before = config.read_text()
    for arguments in (["auth", "rotate"], ["auth", "revoke"], ["logout"]):
        ended = acr(*arguments, "--dry-run", "--json")
        assert ended.json["dry_run"] is True
        assert engine["key"] not in ended.out
    assert config.read_text() == before
    assert not (config.parent / Path(key_rotation.DRAFT).name).exists()
    assert acr("auth", "status", "--json").json["ok"] is True


@pytest.mark.parametrize(
    ("began", "ended", "said"),
    [
        (1000.0, 1003.0, "0 s"),
        (1000.9, 1000.95, "0 s"),
        (1004.0, 1005.0, "3 s"),
        (1100.0, 1101.0, "99 s ahead"),
    ],
)
def test_a_difference_of_clocks_within_the_request_is_none(began, ended, said) -> None:
    (check,) = _clock("Thu, 01 Jan 1970 00:16:40 GMT", began, ended)  # 1000 seconds
    assert check.found.startswith(said)
