"""The MCP server: tools and resources of an engine, by the low-level server of the official SDK.

Arguments are checked by our own code, for two reasons: the high-level server ignores unknown arguments, and its errors
repeat the values that were given, of which one may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import mcp_types as types
from mcp.server import CacheHint, Server

from arcrun import Arcrun
from arcrun._version import __version__
from arcrun.commands.errors import CommandError

from .tools import Tool, failure_text

INSTRUCTIONS = (
    "arcrun runs workflows: nodes are components, which recipes fill. Find components with component_search, read their "
    "parameters with component_get, store a workflow with workflow_push, run it with workflow_run. A node names a prompt "
    "recipe as `recipe: prompt_recipe:NAME`."
)


def server_of(client: Arcrun, tools: Mapping[str, Tool]) -> Server[Any]:
    """Return an MCP server.

    Args:
        client: the engine's client; its methods are called in threads.
        tools: the tools to offer, by name.
    """

    async def list_tools(_context: Any, _request: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[types.Tool.model_validate(tool.definition()) for tool in tools.values()]
        )

    async def call_tool(
        _context: Any, request: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            tool = _tool_named(tools, request.name)
            arguments = request.arguments or {}
            result = await anyio.to_thread.run_sync(tool.call, client, arguments)
        except CommandError as error:
            return types.CallToolResult(content=[_text(failure_text(error))], is_error=True)
        shown = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        return types.CallToolResult(content=[_text(shown)], structured_content=result)

    return Server(
        "arcrun",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        cache_hints={"tools/list": CacheHint(ttl_ms=3_600_000)},
    )


def _tool_named(tools: Mapping[str, Tool], name: str) -> Tool:
    if name not in tools:
        listed = ", ".join(tools)
        raise CommandError(
            "unknown_tool", f"there is no tool of that name; the tools are: {listed}"
        )
    return tools[name]


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
