"""The MCP server: tools and resources of an engine, by the low-level server of the official SDK.

Arguments are checked by our own code, for two reasons: the high-level server ignores unknown arguments, and its errors
repeat the values that were given, of which one may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server import CacheHint, Server
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from arcrun import Arcrun
from arcrun._version import __version__
from arcrun.commands.errors import CommandError

from .calls import Calls
from .hiding import without_tokens
from .resources import list_resources, read_resource, templates
from .tools import Tool, failure_of, failure_text

INSTRUCTIONS = (
    "arcrun runs workflows: nodes are components, which recipes fill. Find components with component_search, read their "
    "parameters with component_get, store a workflow with workflow_push, run it with workflow_run. A node names a prompt "
    "recipe as `recipe: prompt_recipe:NAME`. A run goes on if you stop waiting for it: run_list finds it."
)
_HOUR = CacheHint(ttl_ms=3_600_000)


def server_of(client: Arcrun, tools: Mapping[str, Tool]) -> Server[Any]:
    """Return an MCP server.

    Args:
        client: the engine's client; its methods are called in threads.
        tools: the tools to offer, by name.
    """
    calls = Calls()
    definitions = {
        name: types.Tool.model_validate(each.definition()) for name, each in tools.items()
    }

    async def list_tools(_context: Any, _request: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=list(definitions.values()))

    async def call_tool(
        _context: Any, request: types.CallToolRequestParams
    ) -> types.CallToolResult:
        arguments = request.arguments or {}
        tool = _tool_named(tools, request.name)
        try:
            result = await calls.run(tool.call, client, arguments)
        except CommandError as error:
            failure = failure_of(error, arguments)
            text = _text(failure_text(failure))
            return types.CallToolResult(content=[text], structured_content=failure, is_error=True)
        shown = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        return types.CallToolResult(content=[_text(shown)], structured_content=result)

    def schema_of(name: str) -> Mapping[str, Any] | None:
        return definitions[name].input_schema if name in definitions else None

    async def resources(_context: Any, _request: Any) -> types.ListResourcesResult:
        try:
            found = await calls.run(list_resources, client, tools)
        except CommandError as error:
            raise MCPError(types.INTERNAL_ERROR, failure_text(failure_of(error, {}))) from None
        return types.ListResourcesResult(
            resources=[types.Resource.model_validate(each) for each in found]
        )

    async def list_templates(_context: Any, _request: Any) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate.model_validate(each) for each in templates(tools)
            ]
        )

    async def read(
        _context: Any, request: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(request.uri)
        try:
            text, media_type = await calls.run(read_resource, client, uri, tools)
        except CommandError as error:
            given = {"uri": uri}
            text = failure_text(failure_of(error, given))
            data = {"uri": without_tokens(uri, given)}
            raise MCPError(types.INVALID_PARAMS, text, data) from None
        contents = types.TextResourceContents(uri=uri, mime_type=media_type, text=text)
        return types.ReadResourceResult(contents=[contents])

    server: Server[Any] = Server(
        "arcrun",
        version=__version__,
        instructions=INSTRUCTIONS,
        get_tool_input_schema=schema_of,  # else each call over HTTP lists the tools once more
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read,
        # Only what stays the same as long as this process runs: a push changes recipes at any time.
        cache_hints={
            "server/discover": _HOUR,
            "tools/list": _HOUR,
            "resources/templates/list": _HOUR,
        },
    )
    server.middleware.append(_hide_unknown_method)
    return server


async def _hide_unknown_method(
    ctx: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Keep what may be a secret out of the error that names a method that does not exist."""
    try:
        return await call_next(ctx)
    except MCPError as error:
        if error.error.code != types.METHOD_NOT_FOUND:
            raise
        method = ctx.method
        shown = without_tokens(method, {"method": method})
        raise MCPError(types.METHOD_NOT_FOUND, error.error.message, shown) from None


def _tool_named(tools: Mapping[str, Tool], name: str) -> Tool:
    """Return a tool.

    Raises:
        MCPError: there is none of that name, which the protocol counts as an error of the request, not of a tool.
    """
    if name not in tools:
        listed = ", ".join(tools)
        raise MCPError(
            types.INVALID_PARAMS,
            f"unknown_tool: there is no tool of that name; the tools are: {listed}",
        )
    return tools[name]


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
