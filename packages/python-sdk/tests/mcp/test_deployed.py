"""Every tool with the hosted engine: it works, or fails as `acr --json` does, before anything else is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from deployed_commands import GREET, LOOK, ROWS, Deployed, Refused, serve_deployed
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from printed_command import printed

from arcrun import Arcrun
from arcrun.mcp.server import server_of
from arcrun.mcp.tools import tools
from scripts.parity.faces.cases import ARGUMENTS
from scripts.parity.faces.comparison import expected_of

TOOLS = tools()
KEY = "ak_" + "0123456789abcdef" * 3


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Deployed]:
    """The stand-in with a workflow, which the environment names."""
    with serve_deployed() as running:
        with Arcrun(KEY, base_url=running.url) as client:
            client.workflows.push("greet", yaml.safe_load(GREET))
        running.engine.journal.exchanges.clear()
        monkeypatch.setenv("ARCRUN_BASE_URL", running.url)
        monkeypatch.setenv("ARCRUN_API_KEY", KEY)
        monkeypatch.setenv("ARCRUN_LANG", "en")
        yield running


@pytest.mark.parametrize("tool", sorted(TOOLS))
async def test_a_tool_does_what_its_command_does(deployed: Deployed, tool: str) -> None:
    row = ROWS[TOOLS[tool].command.name]
    of_command, failed = printed(tool, ARGUMENTS[tool])
    if tool == "workflow_delete":
        with Arcrun(KEY, base_url=deployed.url) as client:
            client.workflows.push("greet", yaml.safe_load(GREET))
    with Arcrun() as engine:
        async with Client(server_of(engine, TOOLS)) as client:
            found = await client.call_tool(tool, ARGUMENTS[tool])
    assert bool(found.is_error) == failed == isinstance(row, Refused), (of_command, found)
    expected = expected_of(of_command) if failed else of_command
    content = {**found.structured_content}
    for each in (content, expected):
        each.pop("duration_ms", None)
    assert content == expected
    if isinstance(row, Refused):
        assert content["code"] == row.code
        assert row.lacks in content["message"]
        assert set(deployed.requests()) <= set(LOOK), deployed.requests()


async def test_the_hosted_engine_has_no_recipes_as_resources(deployed: Deployed) -> None:
    with Arcrun() as engine:
        async with Client(server_of(engine, TOOLS)) as client:
            assert (await client.list_resources()).resources == []
            for uri in ("recipes/prompt/greet", "recipes/auth/notion", "kb/pages/a", "kb/blocks/a"):
                with pytest.raises(MCPError, match="unsupported: the hosted engine"):
                    await client.read_resource(f"arcrun://{uri}")
    assert set(deployed.requests()) <= set(LOOK)


async def test_a_workflow_runs_only_while_the_agent_waits(deployed: Deployed) -> None:
    given = {"name": "greet", "wait": False}
    of_command, _ = printed("workflow_run", given)
    with Arcrun() as engine:
        async with Client(server_of(engine, TOOLS)) as client:
            found = await client.call_tool("workflow_run", given)
    assert found.structured_content == expected_of(of_command)
    assert found.structured_content["code"] == "unsupported"
    assert found.structured_content["next"] == ["run it, and wait: workflow_run greet"]
    assert set(deployed.requests()) <= set(LOOK)
