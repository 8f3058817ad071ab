"""docs/mcp.md lists the commands that are no tool, each with the reason of the table."""

from __future__ import annotations

import re
from pathlib import Path

from arcrun.commands.table import COMMANDS

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "mcp.md").read_text("utf-8")


def test_each_command_without_a_tool_is_on_the_page_with_its_reason() -> None:
    rows = re.findall(r"^\| (`acr .*`) \| (.*) \|$", PAGE, re.MULTILINE)
    listed = {
        name: reason for names, reason in rows for name in re.findall(r"`acr ([a-z ]+)`", names)
    }
    assert listed == {each.name: each.no_tool for each in COMMANDS if not each.tool}


def test_each_tool_is_on_the_page_with_its_command() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `acr ([a-z ]+)` \|$", PAGE, re.MULTILINE)
    assert dict(rows) == {each.tool: each.name for each in COMMANDS if each.tool}
