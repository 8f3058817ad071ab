"""No error repeats what may be a secret, whichever part of a request it stands in."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from arcrun.mcp.tools import tools

CANARY = "sk-canary0123456789abcdefABCDEF"
TOKEN = "an-example-of-a-bearer-token-0123456789"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}
VALUES: tuple[Any, ...] = (CANARY, {CANARY: CANARY}, [CANARY], f"a: [{CANARY}", f"id: {CANARY}")


@pytest.mark.parametrize("tool", sorted(tools()))
async def test_no_tool_repeats_an_argument_that_looks_like_a_secret(
    account: Any, connect: Any, tool: str
) -> None:
    schema = tools()[tool].definition()["inputSchema"]
    async with connect("memory", account) as client:
        for name in [*schema["properties"], CANARY]:
            for value in VALUES:
                given = dict.fromkeys(schema.get("required", []), "a") | {name: value}
                found = await client.call_tool(tool, given)
                if found.is_error:
                    assert "canary" not in found.content[0].text, (name, value)
                assert account.key not in "".join(part.text for part in found.content)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"{CANARY}',
        f'"{CANARY}"',
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": {"a": CANARY}}),
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": CANARY}),
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CANARY}),
        json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": [CANARY]}}
        ),
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "kb_get", "arguments": CANARY},
            }
        ),
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": CANARY}}),
    ],
)
@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_no_error_of_the_protocol_repeats_what_was_sent(
    account: Any, serve_http: Any, body: str, revision: str
) -> None:
    headers = {**HEADERS, "MCP-Protocol-Version": revision}
    response = httpx2.post(serve_http(account).url, content=body, headers=headers)
    assert "canary" not in response.text
    assert "rror" in response.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_method_that_does_not_exist_is_named_unless_it_looks_like_a_secret(
    account: Any, connect: Any, mode: str
) -> None:
    async with connect("memory", account, mode) as client:
        for method, shown in (("tools/lst", "tools/lst"), (CANARY, "[hidden]")):
            request = types.Request[Any, str](method=method, params=None)
            with pytest.raises(MCPError) as raised:
                await client.session.send_request(request, types.EmptyResult)
            assert (raised.value.error.code, raised.value.error.data) == (-32601, shown)
