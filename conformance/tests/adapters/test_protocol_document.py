"""PROTOCOL.md: every step is run, and prints what the page shows."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY, MiniEngine
from printed_output import assert_printed

from arcrun_conformance.cli import main
from arcrun_conformance.resources import data_directory, schema
from arcrun_conformance.scenarios.scenario import load_all

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (data_directory() / "PROTOCOL.md").read_text("utf-8")
BLOCK = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```", re.DOTALL)


def steps() -> list[tuple[dict[str, str], list[str]]]:
    """Return each console block with the files as they are at that point of the page."""
    files: dict[str, str] = {}
    found = []
    for kind, name, text in BLOCK.findall(PAGE):
        if name:
            files[name] = text
        elif kind == "console":
            found.append((dict(files), text.splitlines()))
    return found


@pytest.mark.skipif(not shutil.which("curl"), reason="the page's adapter needs curl")
@pytest.mark.parametrize(("files", "shown"), steps())
async def test_each_step_prints_what_the_page_shows(
    engine: MiniEngine,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
    shown: list[str],
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    command = shown[0].split()
    assert command[:2] == ["$", "arcrun-conformance"]
    given = [str(tmp_path / part) if part in files else part for part in command[2:]]

    await asyncio.to_thread(main, [*given, "--target", engine.origin, "--api-key", KEY])

    assert_printed(shown[1:], capsys.readouterr().out)


def test_the_page_has_all_steps() -> None:
    assert len(steps()) == 7


@pytest.mark.parametrize(
    "command", ["start", "construct", "call", "bound.request", "clock", "reset", "stop"]
)
def test_the_page_names_every_field_of_every_command(command: str) -> None:
    section = PAGE.split(f"### `{command}`", 1)[1].split("\n##", 1)[0]
    definitions = schema(f"protocol/{command}")["$defs"]
    fields = [*definitions["command"]["properties"], *definitions["result"].get("properties", {})]
    for field in set(fields) - {"id"}:
        assert f'"{field}"' in section, field


def test_the_page_names_every_error_that_the_python_adapter_knows() -> None:
    table = PAGE.split("## Errors", 1)[1]
    source = (data_directory() / "adapters/python_shared.py").read_text("utf-8")
    names = re.findall(r'Error": "(\w+)"|Paused": "(\w+)"', source)
    for name in {one or other for one, other in names}:
        assert f"`{name}`" in table, name


def test_the_page_names_every_capability_that_a_shipped_scenario_asks_for() -> None:
    scenarios = load_all(data_directory() / "scenarios/sdk")
    asked = {
        name
        for scenario in scenarios
        for name in (*scenario.adapter_capabilities(), *scenario.capabilities_of_checks())
    }
    assert "user_agent" in asked
    for name in asked:
        assert f"\n| `{name}` |" in PAGE, name


def test_the_guarantee_for_languages_without_a_parser_holds() -> None:
    from arcrun_conformance.adapters.protocol import encode

    line = encode(
        7,
        "call",
        {"client": "c", "method": "creds.push", "arguments": {"name": "n", "value": "密"}},
    )
    assert line == (
        '{"id": 7, "command": "call", "client": "c", "method": "creds.push", '
        '"arguments": {"name": "n", "value": "密"}}'
    )
    assert json.loads(line)["arguments"] == {"name": "n", "value": "密"}


def test_the_page_lists_every_error_whose_message_a_scenario_matches() -> None:
    section = PAGE.split("### Messages", 1)[1]
    of_the_response = {
        "authentication",
        "bad_request",
        "permission_denied",
        "not_found",
        "conflict",
        "rate_limit",
        "server",
        "status",
    }
    matched = {
        name
        for scenario in load_all(data_directory() / "scenarios/sdk")
        for step in scenario.steps
        if "message" in step.expect.get("error", {})
        and isinstance(step.expect["error"]["name"], str)
        for name in [step.expect["error"]["name"]]
    }
    assert "token_exchange" in matched
    for name in matched - of_the_response:
        assert f"`{name}`" in section, name
