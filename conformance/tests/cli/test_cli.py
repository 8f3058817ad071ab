"""The command line, as a user calls it: exit codes, reports, messages."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY, MiniEngine
from push_scenario import PUSH

from arcrun_conformance.cli import COULD_NOT_RUN, FAILED, GO, main
from arcrun_conformance.resources import validator

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("gate", [(), ("--gate",)])
async def test_an_adapter_that_is_not_installed_is_reported_once_and_fails_the_run(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str], gate: tuple[str, ...]
) -> None:
    (workspace / "scenarios/again.yaml").write_text(
        PUSH.replace("id: push\n", "id: again\n"), "utf-8"
    )
    entry = """\
- name: absent
  language: x
  runtime: y
  command: ["{runtimes}/y"]
  requires: ["{runtimes}/y"]
  install: "`make {runtime}`"
"""
    (workspace / "adapters.yaml").write_text((workspace / "adapters.yaml").read_text() + entry)
    runtimes = ("--adapter-runtimes", f"{workspace}/runtimes")
    assert await call("--sdk", "correct,absent", *runtimes, *gate) == FAILED
    out = capsys.readouterr().out
    reason = f"not available: {workspace}/runtimes/y does not exist; install it with `make y`"
    assert out.count(f"the adapter absent can't be started: {reason} (2 scenarios)\n") == 1
    assert "2 passed, 2 unavailable" in out
    assert ("NO-GO" in out) == bool(gate)
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert list(validator("report").iter_errors(report)) == []
    junit = (workspace / "reports/junit.xml").read_text("utf-8")
    assert junit.count('<error message="adapter-not-available">') == 2
    summary = (workspace / "reports/summary.md").read_text("utf-8")
    assert summary.count("**the adapter absent can't be started** (2 cells)") == 1


async def test_go_is_exit_code_0(
    call: Callable, engine: MiniEngine, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "correct", "--gate") == GO
    out = capsys.readouterr().out
    assert "GO gate 1.0.0, column local" in out
    assert "1 credentials and workflows created, all removed" in out
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert report["cells"][0]["outcome"] == "passed"
    assert (workspace / "reports/junit.xml").exists()
    assert engine.credentials == {}


@pytest.mark.parametrize(
    ("sdk", "named"),
    [("crashing", "adapter-crash"), ("plain", "secret-token"), ("incapable", "skipped")],
)
async def test_no_go_is_exit_code_1_and_names_the_check(
    call: Callable, capsys: pytest.CaptureFixture[str], sdk: str, named: str
) -> None:
    assert await call("--sdk", sdk, "--gate") == FAILED
    out = capsys.readouterr().out
    assert named in out
    assert "NO-GO" in out


async def test_without_the_gate_a_skip_is_no_failure_beside_what_was_checked(
    call: Callable,
) -> None:
    assert await call("--sdk", "incapable,correct") == GO


async def test_a_run_that_has_skipped_everything_has_shown_nothing(
    call: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "incapable") == FAILED
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILED 1 skipped, so nothing was checked")


@pytest.mark.parametrize("gate", [(), ("--gate",)])
async def test_adapters_that_can_not_be_started_are_a_line_each_and_exit_code_2(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str], gate: tuple[str, ...]
) -> None:
    for name in ("again", "more"):
        text = PUSH.replace("id: push\n", f"id: {name}\n")
        (workspace / f"scenarios/{name}.yaml").write_text(text, "utf-8")
    entry = (
        "- {name: dead, language: x, runtime: y, command: ['{python}', '-c', 'exit(\"no sdk\")']}\n"
    )
    (workspace / "adapters.yaml").write_text(f"adapters:\n{entry}", "utf-8")
    assert await call("--sdk", "dead", *gate) == COULD_NOT_RUN
    out = capsys.readouterr().out
    assert out.count("no sdk") == 1 + len(gate), "once as a failure, once as a reason of the gate"
    assert "the adapter dead can't be started: " in out
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert list(validator("report").iter_errors(report)) == []
    assert [len(cause["cells"]) for cause in report["failures"]] == [3]


async def test_a_crash_does_not_stop_another_sdk(call: Callable, workspace: Path) -> None:
    assert await call("--sdk", "crashing,correct") == FAILED
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert [cell["outcome"] for cell in report["cells"]] == ["error", "passed"]
    assert "exit code 3" in report["cells"][0]["checks"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sdk", "rust"], "no SDK is named rust"),
        (["--sdk", ","], "no SDK is named"),
        (["--scenario", "nope*"], "no scenario matches nope*; list all with"),
        (["--scenarios", "/nowhere"], "contains no scenarios"),
        (["--target", "ftp://x"], "is not a valid target"),
        (
            ["--target", "http://127.0.0.1:1", "--api-key", KEY],
            "GET http://127.0.0.1:1/health failed",
        ),
        (["--target", "live"], "needs a key"),
        (["--target", "local", "--server-python", "/usr/bin/false"], "did not start"),
        (["--target", "local", "--server-python", "/no/python"], "--server-python"),
        (["--api-key", "ak_wrong"], "refuses the key (401)"),
        (["--shard", "2/2"], "shard 2/2 has no scenario"),
        (
            ["--report-dir", "/dev/null/reports"],
            "reports can't be written to --report-dir /dev/null/reports",
        ),
        (["--api-key-file", "/nowhere"], "the key can't be read from /nowhere"),
        (["--api-key-file", "/dev/null"], "/dev/null has no key"),
    ],
)
async def test_a_run_that_is_not_possible_is_exit_code_2_and_says_what_to_do(
    call: Callable, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert await call(*arguments) == COULD_NOT_RUN
    assert message in " ".join(capsys.readouterr().err.split())


async def test_what_is_not_possible_is_one_line_and_nothing_is_run(
    call: Callable, capsys: pytest.CaptureFixture[str], workspace: Path, engine: MiniEngine
) -> None:
    assert await call("--sdk", "correct", key="ak_wrong") == COULD_NOT_RUN
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 1
    assert not printed.out.strip()
    assert all(exchange.request.method == "GET" for exchange in engine.journal.exchanges)


async def test_the_report_has_the_command_that_repeats_the_run_without_the_key(
    call: Callable, workspace: Path, engine: MiniEngine
) -> None:
    assert await call("--sdk", "correct", "--reply-seconds", "9", "--remote") == GO
    text = (workspace / "reports/conformance.json").read_text("utf-8")
    assert KEY not in text
    assert json.loads(text)["command"] == (
        f"arcrun-conformance run --target {engine.origin} --scenarios {workspace}/scenarios "
        f"--adapters {workspace}/adapters.yaml --reply-seconds 9.0 --remote"
    )


async def test_the_artifacts_that_were_tested_are_reported(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts = [{"file": "arcrun.whl", "sha256": "0a" * 32, "command": "python -m build"}]
    (workspace / "artifacts.json").write_text(json.dumps(artifacts), "utf-8")
    given = ("--sdk", "correct", "--artifacts", f"{workspace}/artifacts.json")
    assert await call(*given) == GO
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert report["artifacts"] == artifacts
    (workspace / "artifacts.json").write_text('[{"file": "arcrun.whl"}]', "utf-8")
    assert await call(*given) == COULD_NOT_RUN
    assert "artifacts.json: is no list of artifacts" in capsys.readouterr().err


async def test_the_key_may_come_from_a_file(call: Callable, workspace: Path) -> None:
    (workspace / "key").write_text(f"{KEY}\n", "utf-8")
    assert await call("--sdk", "correct", "--api-key-file", f"{workspace}/key") == GO


def test_an_error_of_usage_repeats_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--api-kye", KEY]) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert "--api-kye ak_…" in errors
    assert KEY not in errors


async def test_a_crash_of_the_runner_in_one_cell_fails_it_and_leaves_the_others(
    call: Callable, workspace: Path, monkeypatch: pytest.MonkeyPatch, engine: MiniEngine
) -> None:
    from arcrun_conformance.runs import cell as cells

    def crash(definitions: list, *_: object) -> list:
        if definitions[0]["id"] == "broken":
            raise RuntimeError(f"\x1b[2J key {KEY}")
        return []

    monkeypatch.setattr(cells, "_wire_checks", crash)
    text = PUSH.replace("id: push\n", "id: other\n").replace("id: sealed\n", "id: broken\n")
    (workspace / "scenarios/other.yaml").write_text(text, "utf-8")
    assert await call("--sdk", "correct", "--gate") == GO, "the gate does not need the scenario"
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    broken, fine = report["cells"]
    assert (broken["outcome"], fine["outcome"]) == ("error", "passed")
    assert broken["reason"] == r"the runner crashed: RuntimeError: \x1b[2J key ‹api_key›"
    (cause,) = report["failures"]
    assert (cause["side"], cause["check"]) == ("runner", "runner-crash")
    assert engine.credentials == {}, "what the crashed cell has created was removed"


@pytest.mark.parametrize("gate", [(), ("--gate",)])
async def test_a_crash_between_the_cells_is_reported_with_what_was_found_until_then(
    call: Callable,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    gate: tuple[str, ...],
) -> None:
    from arcrun_conformance.runs import runner

    def crash(*_: object) -> None:
        raise KeyError("\ud800")

    monkeypatch.setattr(runner, "is_skipped", crash)
    assert await call("--sdk", "correct", *gate) == FAILED
    out = capsys.readouterr().out
    assert "the runner crashed: KeyError: '\\ud800'\n" in out
    assert out.splitlines()[-1].startswith("NO-GO" if gate else "FAILED")
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert list(validator("report").iter_errors(report)) == []
    assert report["crash"].startswith("the runner crashed")


async def test_a_crash_while_reporting_is_no_go_and_leaves_no_report_of_an_earlier_run(
    call: Callable,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from arcrun_conformance.report import files

    assert await call("--sdk", "correct", "--gate") == GO

    def crash(*_: object) -> None:
        raise RuntimeError(KEY)

    monkeypatch.setitem(files._WRITERS, "index.html", crash)
    assert await call("--sdk", "correct", "--gate") == FAILED
    errors = capsys.readouterr().err
    assert errors.splitlines()[-1] == "NO-GO the runner crashed: RuntimeError: ak_…"
    assert KEY not in errors
    assert list((workspace / "reports").iterdir()) == [], "written whole or not at all"


def test_the_key_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARCRUN_CONFORMANCE_API_KEY", KEY)
    assert main(["run", "--target", "http://127.0.0.1:1"]) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert "needs a key" not in errors
    assert KEY not in errors


def test_sdks_and_capabilities_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--sdks"]) == GO
    shown = capsys.readouterr().out
    assert "python-sync" in shown
    assert "bash-curl" in shown
    assert main(["list", "--capabilities"]) == GO
    shown = capsys.readouterr().out
    assert "sealed_credentials" in shown
    assert "creds.push" in shown


def test_list_show_and_validate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == GO
    assert "creds-push-list" in capsys.readouterr().out
    assert main(["show", "health"]) == GO
    assert "call: health" in capsys.readouterr().out
    assert main(["validate"]) == GO
    assert "are valid" in capsys.readouterr().out
    assert main(["show", "nope"]) == COULD_NOT_RUN
    assert "no scenario is named nope" in capsys.readouterr().err


def test_validate_reports_the_line_of_an_error(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "scenarios/push.yaml").write_text(PUSH.replace("count: 1", "count: x"), "utf-8")
    given = ["validate", "--scenarios", f"{workspace}/scenarios"]
    assert main(given) == COULD_NOT_RUN
    assert "push.yaml:15" in "".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["run", "--jobs", "0"], ["run", "--shard", "3/2"], ["sweep"]]
)
def test_usage_errors_are_exit_code_2(arguments: list[str]) -> None:
    assert main(arguments) == COULD_NOT_RUN


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.usefixtures("hang_up_is_heard")
async def test_a_signal_ends_the_run_and_leaves_nothing_behind(
    engine: MiniEngine, workspace: Path, name: str
) -> None:
    number = getattr(signal, name)
    hanging = f"- {{name: hanging, language: x, runtime: y, command: ['{sys.executable}', "
    hanging += f"'{TESTS / 'mini_sdk.py'}', hangs-after-push]}}\n"
    (workspace / "adapters.yaml").write_text("adapters:\n" + hanging, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "arcrun_conformance", "run", "--target", engine.origin],
        *["--api-key", KEY, "--scenarios", f"{workspace}/scenarios", "--adapters"],
        *[f"{workspace}/adapters.yaml", "--report-dir", f"{workspace}/reports"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await asyncio.wait_for(engine.pushed.wait(), 30)
    process.send_signal(number)
    process.send_signal(number)  # a second one changes nothing
    out, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == FAILED, errors.decode()
    assert engine.credentials == {}
    assert "interrupted" in out.decode()
    assert "please wait" in errors.decode()
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert report["interrupted"] is True
    assert report["leftovers"] == {"created": 1, "problems": [], "left": []}


async def test_the_command_that_the_terminal_and_the_page_print_shows_the_same_failure(
    engine: MiniEngine, call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "correct,plain") == FAILED
    (printed,) = {line for line in capsys.readouterr().out.splitlines() if "again: " in line}
    command = shlex.split(printed.partition("again: ")[2])
    report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
    assert {shlex.join(command)} == {cause["command"] for cause in report["failures"]}
    assert command[0] == "arcrun-conformance"
    program = Path(sys.executable).with_name(command[0])
    repeated = await asyncio.create_subprocess_exec(
        program, *command[1:], "--api-key", KEY, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await repeated.communicate()
    assert repeated.returncode == FAILED
    for cause in report["failures"]:
        assert f"{cause['check']} with plain" in out.decode()


async def test_the_command_that_a_replay_prints_repeats_the_replay(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "plain") == FAILED
    given = [str(workspace / "reports/failures/push.plain.har")]
    given += ["--scenarios", f"{workspace}/scenarios", "--adapters", f"{workspace}/adapters.yaml"]
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["replay", *given]) == FAILED
    first = capsys.readouterr().out
    lines = [line.strip() for line in first.splitlines()]
    (said,) = {line.removeprefix("again: ") for line in lines if line.startswith("again: ")}
    command = shlex.split(said)
    assert command == ["arcrun-conformance", "replay", *given]
    assert await asyncio.to_thread(main, command[1:]) == FAILED
    assert capsys.readouterr().out.splitlines()[-1] == first.splitlines()[-1]

    other = [*command[1:], "--sdk", "correct"]
    assert await asyncio.to_thread(main, other) == GO
    assert await asyncio.to_thread(main, [*command[1:], "--sdk", "correct,plain"]) == COULD_NOT_RUN
    assert "a replay is with one SDK; --sdk names 2" in capsys.readouterr().err
    assert await asyncio.to_thread(main, [*command[1:], "--suite", "engine"]) == COULD_NOT_RUN
    assert f"{given[0]} is of the suite sdk; leave out --suite" in capsys.readouterr().err


async def test_a_replay_with_another_scenario_of_the_same_name_is_refused(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "plain") == FAILED
    recording = workspace / "reports/failures/push.plain.har"
    other = workspace / "other/push.yaml"
    other.parent.mkdir()
    other.write_text(PUSH + "# of somebody else\n", "utf-8")
    given = ["replay", str(recording), "--adapters", f"{workspace}/adapters.yaml", "--scenarios"]
    capsys.readouterr()
    assert await asyncio.to_thread(main, [*given, str(other.parent)]) == COULD_NOT_RUN
    printed = capsys.readouterr().err
    assert f"the scenario push in {other} differs from the one of {recording}" in printed
    assert "with --scenarios" in printed

    document = json.loads(recording.read_text("utf-8"))
    del document["log"]["_arcrun"]["scenario_sha256"]
    recording.write_text(json.dumps(document), "utf-8")
    assert await asyncio.to_thread(main, [*given, str(other.parent)]) == FAILED, "as 0.1.0 wrote it"


async def test_a_replay_with_an_adapter_that_can_not_be_started_is_one_line(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call("--sdk", "plain") == FAILED
    entry = "{name: plain, language: x, runtime: y, command: [x], requires: [/no/bun]}"
    (workspace / "adapters.yaml").write_text(f"adapters:\n- {entry}\n", "utf-8")
    given = ["--scenarios", f"{workspace}/scenarios", "--adapters", f"{workspace}/adapters.yaml"]
    recording = str(workspace / "reports/failures/push.plain.har")
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["replay", recording, *given]) == COULD_NOT_RUN
    printed = capsys.readouterr().err
    assert "plain can't be started: not available: /no/bun does not exist" in printed
    assert "Traceback" not in printed


async def test_a_caller_names_the_command_that_repeats_its_runs(
    call: Callable, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commands() -> set[str]:
        report = json.loads((workspace / "reports/conformance.json").read_text("utf-8"))
        return {cause["command"] for cause in report["failures"]}

    assert await call("--sdk", "plain", "--again", "nox -s conformance --") == FAILED
    assert commands() == {"nox -s conformance -- --scenario push --sdk plain"}
    monkeypatch.setenv("ARCRUN_CONFORMANCE_COMMAND", "nox -s conformance --")
    assert await call("--sdk", "plain") == FAILED
    (command,) = commands()
    assert command.startswith("nox -s conformance -- --target http://127.0.0.1:")
    assert command.endswith(" --scenario push --sdk plain")


def test_the_readme_has_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    commands = re.findall("^    ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert {"run", "sweep"} <= set(commands)
    table = (TESTS.parent / "README.md").read_text("utf-8").partition("\n\nAgainst the embedded")[0]
    assert [name for name in commands if not re.search(rf"`{name}\b", table)] == []


def test_the_module_runs_as_well() -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "arcrun_conformance", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("0.")
