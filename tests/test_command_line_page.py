"""docs/cli.md names every command and every exit code."""

import re
from pathlib import Path

import pytest

from arcrun.cli.exits import exit_codes
from arcrun.commands.table import COMMANDS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_is_on_the_page(name: str) -> None:
    # A row may name several commands of a group: `acr runs list`, `get`.
    group, _, last = name.rpartition(" ")
    begins = rf"acr {group}\b" if group else "acr"
    named = re.compile(rf"{begins}.*[ `]{last}\b")
    assert any(named.search(line) for line in PAGE.splitlines())


def test_the_page_says_what_each_command_prints_on_stdout() -> None:
    section = PAGE.partition("| command | stdout, without `--json` |")[2].partition("\n\n")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    named = [name.removeprefix("acr ") for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(named) == sorted(command.name for command in COMMANDS)


def test_every_exit_code_is_on_the_page() -> None:
    for code, meaning in exit_codes().items():
        assert f"| {code} | {meaning} |" in PAGE
