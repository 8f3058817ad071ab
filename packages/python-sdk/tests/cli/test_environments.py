"""`acr` where a terminal, a stream or a home directory is not as usual."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="streams and owners are those of POSIX")
ACR = [sys.executable, "-m", "arcrun.cli"]
# Closes a stream before `acr` starts, as `>&-` does in a shell.
WITHOUT = """
import os, sys
os.close(int(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "arcrun.cli", *sys.argv[2:]])
"""


def call(
    *arguments: str, stdout: int | IO[Any] = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ACR, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@posix
@pytest.mark.parametrize(
    ("stream", "arguments", "code"),
    [
        (1, ["explain", "--json"], 1),
        (1, ["--help"], 1),
        (1, ["--version"], 1),
        (1, ["push", "--help"], 1),
        (2, ["explain", "nothing_like_it"], 3),
        (0, ["creds", "push", "TOKEN"], 2),
    ],
)
def test_a_closed_stream_is_no_defect(stream: int, arguments: list[str], code: int) -> None:
    command = [sys.executable, "-c", WITHOUT, str(stream), *arguments]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ended.returncode == code
    assert b"defect" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_once() -> None:
    with Path("/dev/full").open("w") as full:
        ended = call("explain", stdout=full)
    assert ended.returncode == 1
    assert ended.stderr == (
        "error[output_failed]: the result can't be written: No space left on device\n"
    )


@posix
def test_a_reader_that_ends_early_is_no_error(acr, engine, project) -> None:
    for _ in range(3):
        acr("push", project / "workflows" / "greet.yaml")
    with subprocess.Popen(
        [*ACR, "components", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"CANONICAL ID")
        process.stdout.close()
        assert process.stderr.read().count(b"error") == 0


@posix
def test_signs_of_results_have_a_form_in_ascii_too(engine, project) -> None:
    workflow = str(project / "workflows" / "greet.yaml")
    ended = call("validate", workflow, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.stdout == "ok valid: 3 nodes, 2 edges\n"


@posix
def test_without_a_home_directory_a_key_of_the_environment_counts(engine, monkeypatch) -> None:
    monkeypatch.delenv("HOME")
    assert call("auth", "status").returncode == 0


@posix
@pytest.mark.parametrize("home", ["/dev/null", "/proc"])
def test_a_home_directory_that_takes_no_files_is_named(engine, home: str) -> None:
    ended = subprocess.run(
        [*ACR, "login", "--with-token", "--base-url", engine["url"]],
        input=engine["key"],
        capture_output=True,
        env={**os.environ, "HOME": home},
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert f"error[invalid_configuration]: {home}/.arcrun/config.yaml can't be" in ended.stderr
    assert engine["key"] not in ended.stdout + ended.stderr


@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_only_the_last_column_of_a_table_is_cut(engine, columns: str) -> None:
    shown = call("components", "list", COLUMNS=columns).stdout.splitlines()
    assert len(shown) == 22
    assert any(line.startswith("auth_service_account  auth      Aut") for line in shown)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_no_escapes_reach_a_terminal_that_shows_none(engine, environment) -> None:
    ended = call("auth", "status", **environment)
    assert "\x1b" not in ended.stdout + ended.stderr


def test_no_module_of_the_command_line_needs_posix_to_be_loaded() -> None:
    code = (
        "import sys; sys.modules.update(fcntl=None, termios=None, pwd=None, grp=None, resource=None)\n"
        "import arcrun.cli.app\n"
        "from arcrun.commands.table import COMMANDS\n"
        "for command in COMMANDS: command.load()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.stderr == b""
