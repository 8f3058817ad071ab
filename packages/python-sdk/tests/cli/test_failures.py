"""What a terminal, a pipe and a script see of the end of a command: `acr` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arcrun._version import __version__
from arcrun.cli.exits import exit_code, exit_codes
from arcrun.commands.error_codes import EXPLANATIONS

ROOT = Path(__file__).parents[4]
# Python itself would show Chinese in the locale C.
ASCII = {"PYTHONIOENCODING": "ascii"}
# Python reads by the locale where an editable installation is: it does not start where that has another name.
if str(ROOT).isascii():
    ASCII |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Raises in the middle of a command, where nobody expects it.
DEFECT = """
import sys
from arcrun.cli import app
import arcrun.commands.explanations as module
def broken(code: str | None = None, *, language: str = "en"):
    raise RuntimeError("holds ak_" + "0123456789abcdef" * 3)
module.explain_code = broken
sys.exit(app.run(["explain", *sys.argv[1:]]))
"""
KEY = "ak_" + "0123456789abcdef" * 3


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "arcrun.cli", *arguments]
    variables = {**os.environ, "ARCRUN_API_KEY": KEY, **environment}
    return subprocess.run(
        command, input=stdin.encode(), capture_output=True, env=variables, timeout=60, check=False
    )


def test_the_exit_codes_are_those_of_the_page() -> None:
    section = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    rows = [
        line.split(" | ")
        for line in section.partition("\n## ")[0].splitlines()
        if line.startswith("| ")
    ]
    documented = {int(row[0].strip("| ")): row[1].strip("| ") for row in rows[1:]}
    assert documented == exit_codes()


def test_every_error_code_has_one_of_these_exit_codes() -> None:
    assert {exit_code(code) for code in EXPLANATIONS} <= set(exit_codes())
    assert (exit_code("from_a_newer_engine"), exit_code("thing_not_found")) == (1, 3)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_without_chinese_gets_escapes_instead_of_an_exception(encoding) -> None:
    ended = run("push", "-", stdin="name：greet\n", **{**ASCII, "PYTHONIOENCODING": encoding})
    assert ended.returncode == 2
    assert b"error[invalid_yaml]" in ended.stderr
    assert b"\\uff1a" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_signs_have_a_form_in_ascii() -> None:
    ended = run("pussh", **ASCII)
    assert b"  -> see its arguments and options: acr --help" in ended.stderr


def test_json_is_complete_where_the_output_has_no_chinese() -> None:
    ended = run("explain", "invalid_yaml", "--json", "--lang", "zh", **ASCII)
    assert json.loads(ended.stdout.decode("ascii"))["meaning"].startswith("檔案不是")


def test_results_for_people_are_yaml_where_the_output_has_no_chinese() -> None:
    import yaml

    ended = run("explain", "invalid_yaml", "--lang", "zh", **ASCII)
    assert yaml.safe_load(ended.stdout.decode("ascii"))["meaning"].startswith("檔案不是")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_a_pipe_gets_colours_only_if_forced(environment, coloured) -> None:
    ended = run("pussh", **{"NO_COLOR": "", "FORCE_COLOR": "", **environment})
    assert (b"\x1b[" in ended.stderr) is coloured


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    ended = run("push", "-", stdin="a: 1\nb: \u202ec\u2066 d: e\n")
    assert "\\u202Ec\\u2066" in ended.stderr.decode()
    assert "\u202e" not in ended.stderr.decode()


def test_usage_errors_are_one_json_object() -> None:
    for arguments in (["pussh"], [], ["push", "--nme"], ["runs"], ["--lang", "fr", "explain"]):
        ended = run(*arguments, ARCRUN_OUTPUT="json")
        error = json.loads(ended.stderr)
        assert (ended.returncode, error["code"], ended.stdout) == (2, "invalid_argument", b"")


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_a_command_with_130_and_no_traceback(server, canned, as_json) -> None:
    import threading

    reached, release = threading.Event(), threading.Event()

    def hang(_handler) -> None:
        reached.set()
        release.wait(60)

    server.on("GET", "/webhooks/named", canned(act=hang))
    environment = {**os.environ, "ARCRUN_BASE_URL": server.url, "ARCRUN_API_KEY": KEY}
    command = [
        sys.executable,
        "-m",
        "arcrun.cli",
        "workflows",
        "list",
        *(["--json"] if as_json else []),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        release.set()
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err
    if as_json:
        assert json.loads(err)["code"] == "interrupted"
    else:
        assert b"interrupted" in err


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_closed_output_ends_quietly(as_json) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "arcrun.cli", "explain", *(["--json"] if as_json else [])]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert ended.returncode == 1
    if as_json:
        assert json.loads(ended.stderr)["code"] == "output_closed"
    else:
        assert ended.stderr == b""


def defect(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", DEFECT, *arguments]
    variables = {**os.environ, "ARCRUN_API_KEY": KEY, **environment}
    return subprocess.run(command, capture_output=True, env=variables, timeout=60, check=False)


def test_a_defect_says_where_to_report_it_and_shows_nothing_of_the_call() -> None:
    ended = defect()
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"error[internal]: this is a defect of acr (RuntimeError)" in ended.stderr
    assert b"https://arcrun.dev" in ended.stderr
    assert b"ARCRUN_DEBUG=1" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert KEY.encode() not in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_with_arcrun_debug_it_shows_where_without_the_key(arguments) -> None:
    ended = defect(*arguments, ARCRUN_DEBUG="1")
    assert b"Traceback" in ended.stderr
    assert b"RuntimeError: holds" in ended.stderr
    assert KEY.encode() not in ended.stderr
    if arguments:
        assert json.loads(ended.stderr)["code"] == "internal"


def test_the_version_goes_to_stdout() -> None:
    ended = run("--version")
    assert (ended.returncode, __version__ in ended.stdout.decode(), ended.stderr) == (0, True, b"")
