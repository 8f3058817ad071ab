"""What `tools/list` shows: short, true to what the tools do, and clear about when not to use them."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from arcrun.commands.errors import CommandError
from arcrun.commands.parameters import parameters_of
from arcrun.commands.table import COMMANDS
from arcrun.mcp.schemas import BRIEFER, LEFT_OUT, SELF_EVIDENT
from arcrun.mcp.tools import tools

TOKENS = 2_500
NEWEST = "2026-07-28"


def listed(url: str, token: str) -> str:
    """The response to `tools/list` as it is sent, in the newest revision."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": NEWEST,
        "Mcp-Method": "tools/list",
    }
    response = httpx2.post(url, json=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.text


def test_the_list_of_tools_costs_a_conversation_little(account: Any, serve_http: Any) -> None:
    sent = json.loads(listed(serve_http(account).url, "an-example-of-a-bearer-token-0123456789"))
    result = json.dumps(sent["result"], ensure_ascii=False, separators=(",", ":"))
    assert sent["result"]["ttlMs"] > 0
    assert len(sent["result"]["tools"]) == len(tools())
    assert len(result) / 4 <= TOKENS


@pytest.mark.parametrize("name", sorted(tools()))
def test_a_description_tells_when_not_to_use_the_tool(name: str) -> None:
    description = tools()[name].definition()["description"]
    assert re.search(r"\b[Nn]ot (to|for|by|its|the|needed)\b", description)
    named = set(
        re.findall(
            r"\b\w+_(?:push|run|get|list|put|search|resume|retry|render|test)\b", description
        )
    )
    assert named <= set(tools())


def test_each_command_is_a_tool_or_says_why_it_is_none() -> None:
    assert [each.name for each in COMMANDS if bool(each.tool) == bool(each.no_tool)] == []


def test_what_tools_leave_out_or_say_in_fewer_words_is_what_commands_take() -> None:
    taken = [p for each in COMMANDS if each.tool for p in parameters_of(each.load())]
    assert set(LEFT_OUT) | SELF_EVIDENT <= {parameter.name for parameter in taken}
    assert set(BRIEFER) <= {parameter.description for parameter in taken}


def test_annotations_say_what_a_tool_does_to_the_engine() -> None:
    shown = {name: tool.definition()["annotations"] for name, tool in tools().items()}
    assert shown["run_get"] == {"readOnlyHint": True}
    assert shown["workflow_push"] == {"destructiveHint": True, "idempotentHint": True}
    assert shown["workflow_run"] == {"destructiveHint": True}
    assert shown["workflow_delete"] == {"destructiveHint": True, "idempotentHint": True}


def test_only_a_tool_that_reads_or_keeps_what_is_there_is_not_destructive() -> None:
    harmless = {
        name
        for name, tool in tools().items()
        if tool.definition()["annotations"].get("destructiveHint") is not True
    }
    # A recipe keeps its versions. A run acts on the world, and kb_put may replace a block.
    assert harmless == {*tools(read_only=True), "prompt_recipe_push"}


def test_read_only_offers_no_tool_that_changes_something() -> None:
    for tool in tools(read_only=True).values():
        assert tool.definition()["annotations"] == {"readOnlyHint": True}
    assert "workflow_push" not in tools(read_only=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["run_gte"]}, "there is no tool 'run_gte'; the tools are: workflow_push, "),
        (
            {"only": ["kb_put"], "read_only": True},
            "kb_put changes something: leave out --read-only",
        ),
    ],
)
def test_a_wrong_choice_of_tools_is_refused(options: Any, message: str) -> None:
    with pytest.raises(CommandError) as raised:
        tools(**options)
    assert message in raised.value.message


@pytest.mark.parametrize("transport", ["memory", "stdio", "http"])
async def test_a_tool_that_does_not_exist_is_an_error_of_the_protocol(
    account: Any, connect: Any, transport: str
) -> None:
    async with connect(transport, account) as client:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("run_lst", {})
    assert raised.value.error.code == -32602
    assert "the tools are: workflow_push" in raised.value.error.message
