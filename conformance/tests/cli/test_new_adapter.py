"""New adapters: what the command writes passes the scenario `health` against a real engine, in each language."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from full_disk import called_with_files_up_to
from hostile_texts import any_hostile, assert_harmless

from arcrun_conformance.cli import main
from arcrun_conformance.cli.new_adapter import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {"go": "go", "ruby": "ruby", "javascript": "node"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of the harness."""
    command = [sys.executable, "-m", "arcrun_conformance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_adapter_passes_health_after_the_commands_that_are_printed(
    tmp_path: Path, language: str
) -> None:
    program = PROGRAMS.get(language)
    if program and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    given = ("--language", language, "--name", "own-sdk", "an adapter 文")
    written = run(tmp_path, "new-adapter", *given)
    assert written.returncode == 0, written.stderr

    *built, tried = [
        shlex.split(line) for line in written.stdout.splitlines() if line.startswith("    ")
    ]
    for command in built:
        subprocess.run(command, cwd=tmp_path, check=True)
    assert tried[0] == "arcrun-conformance"
    done = run(tmp_path, *tried[1:])

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "own-sdk" in done.stdout


def test_the_adapter_of_a_language_that_is_compiled_has_to_be_built_first(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    assert main(["new-adapter", "--language", "go", str(folder)]) == 0

    done = run(tmp_path, "run", "--adapters", "adapter/adapters.yaml", "--scenario", "health")

    assert done.returncode != 0
    assert f"go build -o {folder}/adapter.bin {folder}/adapter.go" in done.stdout


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "adapters.yaml").write_text("mine", "utf-8")

    assert main(["new-adapter", "--language", "ruby", str(tmp_path)]) == 2

    assert f"{tmp_path / 'adapters.yaml'} exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["adapters.yaml"]
    assert (tmp_path / "adapters.yaml").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["My SDK", "-a", "", "a: b"])
def test_a_name_that_no_report_could_show_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    given = ["new-adapter", "--language", "ruby", f"--name={name}", str(tmp_path / "a")]
    assert main(given) == 2
    assert "must consist of a-z, 0-9 and hyphens" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
def test_an_adapter_that_can_not_be_written_whole_is_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    done = called_with_files_up_to(100, "new-adapter", "--language", "python", str(folder))
    assert done.returncode == 2
    assert f"{folder} can't be written: File too large" in done.stderr
    assert list(tmp_path.rglob("*.*")) == []


@any_hostile
def test_the_name_of_a_folder_is_shown_and_not_obeyed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    hostile: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["new-adapter", "--language", "go", hostile.replace("/", "-")])
    printed = capsys.readouterr()
    assert_harmless(printed.out + printed.err)
