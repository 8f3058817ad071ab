"""Options of `run`: what is out of range, without effect or can't be read ends it before anything is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hostile_texts import any_hostile, assert_harmless
from mini_engine import KEY, MiniEngine

from arcrun_conformance.cli import COULD_NOT_RUN, FAILED, GO, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NUMBER = "must be a number that is more than 0, and at most"
WHOLE = "must be a whole number from 1 to"


@pytest.mark.parametrize(
    ("option", "values", "message"),
    [
        ("--reply-seconds", ["nan", "-1", "0", "inf", "1e999", "x", ""], f"{NUMBER} 86400"),
        ("--requests-per-second", ["nan", "-1", "0", "inf", "x"], f"{NUMBER} 1000000"),
        ("--standin-port", ["0", "70000", "-1", "x", "٣", "1" * 5000], f"{WHOLE} 65535"),
        ("--jobs", ["0", "-1", "1001", "x", "1.5", "1" * 5000], f"{WHOLE} 1000"),
        ("--shard", ["0/1", "3/2", "x", "1/" + "1" * 5000], "must be I/N with 1 ≤ I ≤ N"),
    ],
)
def test_a_number_out_of_range_is_refused_with_option_and_value(
    capsys: pytest.CaptureFixture[str], option: str, values: list[str], message: str
) -> None:
    for value in values:
        assert main(["run", f"{option}={value}"]) == COULD_NOT_RUN
        said = " ".join(capsys.readouterr().err.splitlines()[-1].split())
        assert f"argument {option}" in said
        assert message in said
        assert repr(value[:40])[:-1] in said


SHARED = ("--target", "https://example.org")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*SHARED, "--dry-run", "--gate"], "reports nothing; leave out --gate"),
        (
            [*SHARED, "--dry-run", "--report-dir", "d", "--artifacts", "f"],
            "reports nothing; leave out --report-dir, --artifacts",
        ),
        ([*SHARED, "--dry-run", "--strict"], "reports nothing; leave out --strict"),
        (
            ["--coverage", "--gate", "--shard", "1/2"],
            "--coverage runs nothing; leave out --shard, --gate",
        ),
        (["--suite", "engine", "--sdk", "x"], "the engine suite uses no SDK; leave out --sdk"),
        (["--suite", "engine", "--reply-seconds", "9"], "leave out --reply-seconds"),
        (["--suite", "engine", "--adapters", "f"], "leave out --adapters"),
        ([*SHARED, "--second-api-key", "k"], "only --suite engine uses it; leave out --second-api"),
        ([*SHARED, "--revoked-api-key", "k"], "only --suite engine uses it; leave out --revoked"),
        ([*SHARED, "--standin-port", "9"], "only --suite engine uses it; leave out --standin-port"),
        (["--suite", "engine", "--standin-port", "9"], "of its own; leave out --standin-port"),
        (["--api-key", "k"], "the target local has keys and a language model of its own; leave"),
        (["--api-key-file", "f"], "of its own; leave out --api-key-file"),
        (["--strict"], "only targets that others use have known deviations; leave out --strict"),
        (["--deviations", "f"], "only targets that others use have known deviations; leave out"),
        (["--target", "http://[::1]:1", "--deviations", "f"], "leave out --deviations"),
        ([*SHARED, "--deviations", "f", "--strict"], "with --strict, no deviation is known"),
        (["--gate-file", "f"], "without --gate, nothing is judged; leave out --gate-file"),
        (["--artifacts", "f"], "without --report-dir, there are none; leave out --artifacts"),
        ([*SHARED, "--api-key", "k", "--api-key-file", "f"], "are both given: leave out --api-key"),
    ],
)
def test_an_option_without_effect_is_refused_and_not_ignored(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["run", *arguments]) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert message in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("content", ["", "deviations: {", "deviations: [{scenario: 5}]"])
async def test_a_wrong_file_of_deviations_ends_a_run_before_anything_is_sent(
    call: Callable,
    engine: MiniEngine,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
) -> None:
    path = workspace / "known.yaml"
    if content:
        path.write_text(content, "utf-8")
    assert await call("--sdk", "correct", "--remote", "--deviations", str(path)) == COULD_NOT_RUN
    assert f"error {path}" in capsys.readouterr().err
    assert engine.journal.exchanges == []
    assert not (workspace / "reports").exists()


NO_KEYS = ["ak_密", "ak_1\nak_2", "ak_\0", "ak_1 ak_2", "\x1b[2Jak", "ak_\udce5"]


async def refused_key(
    call: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str], *given: str
) -> str:
    """Run with a key that is none, and return the error, which does not repeat it."""
    assert await call("--sdk", "correct", "--target", engine.origin, *given) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert "is no key: a key is one line of ASCII letters, digits and signs" in errors
    assert "密" not in errors
    assert_harmless(errors)
    assert engine.journal.exchanges == []
    return errors


@pytest.mark.parametrize("key", NO_KEYS)
async def test_a_file_without_a_key_that_a_header_can_hold_is_refused(
    call: Callable,
    engine: MiniEngine,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    key: str,
) -> None:
    (workspace / "key").write_bytes(key.encode("utf-8", "surrogateescape"))
    given = ("--api-key-file", f"{workspace}/key")
    errors = await refused_key(call, engine, capsys, *given)
    assert errors.startswith(f"error what --api-key-file {workspace}/key holds is no key")


@pytest.mark.parametrize("key", NO_KEYS)
async def test_an_argument_that_no_header_can_hold_is_no_key(
    call: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    errors = await refused_key(call, engine, capsys, "--api-key", key)
    assert errors.startswith("error --api-key is no key")


@pytest.mark.parametrize("key", [key for key in NO_KEYS if "\0" not in key])
async def test_a_variable_that_no_header_can_hold_is_no_key(
    call: Callable,
    engine: MiniEngine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    monkeypatch.setenv("ARCRUN_CONFORMANCE_API_KEY", key)
    errors = await refused_key(call, engine, capsys)
    assert errors.startswith("error ARCRUN_CONFORMANCE_API_KEY is no key")


@pytest.mark.parametrize("which", ["second", "revoked"])
def test_the_keys_of_further_accounts_are_keys_too(
    capsys: pytest.CaptureFixture[str], which: str
) -> None:
    given = ["run", "--suite", "engine", "--target", "http://127.0.0.1:1", "--api-key", KEY]
    given += ["--scenario", "transport-*"]
    assert main([*given, f"--{which}-api-key", "密"]) == COULD_NOT_RUN
    assert f"--{which}-api-key is no key" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["conformance.json", "summary.md"])
async def test_a_report_folder_that_can_not_be_emptied_is_refused(
    call: Callable,
    workspace: Path,
    engine: MiniEngine,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    (workspace / "reports" / name).mkdir(parents=True)
    assert await call("--sdk", "correct") == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert f"{workspace}/reports/{name} can't be removed: " in errors
    assert "; remove it, or name another folder" in errors
    assert engine.journal.exchanges == []


async def test_a_report_folder_that_is_a_file_is_refused(
    call: Callable, workspace: Path, engine: MiniEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "reports").write_text("mine", "utf-8")
    assert await call("--sdk", "correct") == COULD_NOT_RUN
    said = (
        f"reports can't be written to --report-dir {workspace}/reports: File exists; name another"
    )
    assert said in capsys.readouterr().err
    assert (workspace / "reports").read_text("utf-8") == "mine"
    assert engine.journal.exchanges == []


async def test_recordings_and_reports_are_written_together_or_not_at_all(
    call: Callable, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arcrun_conformance.report import files

    def crash(*_: object) -> None:
        raise RuntimeError("no summary")

    assert await call("--sdk", "plain") == FAILED
    assert [path.name for path in (workspace / "reports/failures").iterdir()] == ["push.plain.har"]
    monkeypatch.setitem(files._WRITERS, "summary.md", crash)
    assert await call("--sdk", "plain") == FAILED
    left = [path for path in (workspace / "reports").rglob("*") if path.is_file()]
    assert left == []


@any_hostile
def test_an_argument_is_shown_in_errors_and_not_obeyed(
    workspace: Path, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    small = ("--scenarios", f"{workspace}/scenarios")
    for arguments in (
        ["fly", hostile],
        [hostile],
        ["run", *small, "--scenario", hostile],
        ["run", f"--{hostile}"],
        ["run", *small, "--sdk", hostile],
        ["run", "--scenarios", hostile],
        ["run", "--target", hostile],
        ["show", *small, hostile],
        ["sweep", "--target", "http://127.0.0.1:1", "--run", hostile],
    ):
        assert main(arguments) == COULD_NOT_RUN
        assert_harmless(capsys.readouterr().err)


@any_hostile
def test_what_a_file_contains_is_shown_in_errors_and_not_obeyed(
    workspace: Path, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    entry = json.dumps({"adapters": [{hostile: hostile, "name": hostile}]})
    (workspace / "adapters.yaml").write_text(entry, "utf-8")
    given = ["validate", "--adapters", f"{workspace}/adapters.yaml"]
    assert main([*given, "--scenarios", f"{workspace}/scenarios"]) == COULD_NOT_RUN
    assert_harmless(capsys.readouterr().err)


@pytest.mark.skipif(sys.platform == "win32", reason="closed as a POSIX shell closes it")
@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "1</dev/null", ">/dev/full"])
def test_an_output_that_can_not_be_written_is_a_line_and_no_traceback(redirection: str) -> None:
    command = f'"{sys.executable}" -m arcrun_conformance list --sdks {redirection}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == FAILED
    if "2>" not in redirection:
        assert done.stderr.startswith("arcrun-conformance: the output can't be written: ")
        assert len(done.stderr.splitlines()) == 1
    assert GO == 0 == len(done.stdout)
