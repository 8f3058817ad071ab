"""`arcrun-conformance list`: what it shows can be read and copied in a terminal of 80 columns, and from a file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from arcrun_conformance.cli import GO, main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

INSTALL = f"make -C /a-long-folder/{'x' * 90} runtime"
REGISTRY = f"""
adapters:
- {{name: built, language: x, runtime: y, command: ["{{here}}/{"z" * 90}", "an argument"]}}
- {{name: one, language: x, runtime: y, command: [one], requires: [/no/runtime], install: {INSTALL}}}
- {{name: two, language: x, runtime: y, command: [two], requires: [/no/runtime], install: {INSTALL}}}
"""


def test_commands_of_sdks_are_listed_whole_and_once_each_below_a_narrow_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "adapters.yaml").write_text(REGISTRY, "utf-8")
    assert main(["list", "--sdks", "--adapters", f"{tmp_path}/adapters.yaml"]) == GO
    table, commands, reasons = capsys.readouterr().out.split("\n\n")
    assert [line.split() for line in table.splitlines()] == [
        ["sdk", "language", "runtime", "by", "default", "available"],
        ["built", "x", "y", "yes", "yes"],
        ["one", "x", "y", "yes", "no"],
        ["two", "x", "y", "yes", "no"],
    ]
    command = shlex.join([f"{tmp_path}/{'z' * 90}", "an argument"])
    assert commands.splitlines() == [f"built: {command}", "one: one", "two: two"]
    reason = f"not available: /no/runtime does not exist; install it with {INSTALL}"
    assert reasons.splitlines() == [f"one, two: {reason}"]


def test_a_name_that_is_wider_than_the_terminal_is_not_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    name = "an-sdk-" + "n" * 60
    entry = f"{{name: {name}, language: x, runtime: y, command: [x]}}"
    (tmp_path / "adapters.yaml").write_text(f"adapters:\n- {entry}\n", "utf-8")
    assert main(["list", "--sdks", "--adapters", f"{tmp_path}/adapters.yaml"]) == GO
    table = capsys.readouterr().out.partition("\n\n")[0]
    assert "…" not in table
    assert table.count("n") == name.count("n") + "language runtime".count("n")
