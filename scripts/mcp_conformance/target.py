"""The server that the suite measures: `arcrun-mcp` with a few more tools and resources, which the suite calls by name.

Run by the interpreter of an environment with `arcrun[mcp]`: prints the line of its address as `arcrun-mcp` does, but to
standard output. Tools are added to the
table that `server_of` takes, so that they are listed, called and refused by the code that serves our own, and resources
are other names of ours. Only what no tool of ours does, progress and a demand on the client, has a handler here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from arcrun.commands.errors import CommandError
from arcrun.commands.knowledge import put_knowledge
from arcrun.commands.settings import client_of
from arcrun.mcp.http import address_of, serve_http, token_of
from arcrun.mcp.server import server_of
from arcrun.mcp.tools import Tool, tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.server import Server

    from arcrun import Arcrun

NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}
MIRRORED = {"type": "object", "properties": {"text": {"type": "string", "x-mcp-header": "Text"}}}
# The schema whose keywords the suite looks for in `tools/list`.
FULL_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
# The suite's resources, and those of ours that stand for them.
RESOURCES = {
    "test://static-text": "arcrun://kb/pages/static-text",
    "test://template/123/data": "arcrun://kb/pages/template-123",
}
PAGES = {"static-text": "A static text.", "template-123": "The data of 123."}


class SuiteTool(Tool):
    """A tool that the suite calls, in the form of ours."""

    def __init__(
        self, name: str, schema: Mapping[str, Any], answer: Callable[[], dict[str, Any]]
    ) -> None:
        self.name = name
        self._schema = schema
        self._answer = answer

    def definition(self) -> dict[str, Any]:
        """Return what `tools/list` shows of it."""
        return {"name": self.name, "description": "For the suite.", "inputSchema": self._schema}

    def call(self, client: Arcrun, arguments: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - that of a tool
        """Return its result."""
        return self._answer()


def _fail() -> dict[str, Any]:
    raise CommandError("run_failed", "This tool fails, as the suite asks.")


def _answer() -> dict[str, Any]:
    return {"text": "This is a simple text."}


# Tools of which the suite wants no more than that they answer, and nothing besides.
ANSWERING = (
    "test_simple_text",
    "test_logging_tool",
    "test_streaming_elicitation",
    "test_input_required_result_elicitation",
    "test_missing_capability",
    "test_tool_with_progress",
)
SUITE_TOOLS = {
    tool.name: tool
    for tool in (
        *(SuiteTool(name, NOTHING, _answer) for name in ANSWERING),
        SuiteTool("test_error_handling", NOTHING, _fail),
        SuiteTool("json_schema_2020_12_tool", FULL_SCHEMA, _answer),
        SuiteTool("test_mirrored_header", MIRRORED, _answer),
    )
}


def with_suite_names(server: Server[Any]) -> Server[Any]:
    """Let a server of ours serve what the suite asks for by name."""
    call, read = _handler(server, "tools/call"), _handler(server, "resources/read")

    async def call_tool(context: Any, request: types.CallToolRequestParams) -> Any:
        if request.name == "test_missing_capability":
            _require_sampling(context)
        if request.name == "test_tool_with_progress":
            for done in (0, 50, 100):
                await context.session.report_progress(done, 100)
        return await call(context, request)

    async def read_resource(context: Any, request: types.ReadResourceRequestParams) -> Any:
        uri = str(request.uri)
        return await read(context, request.model_copy(update={"uri": RESOURCES.get(uri, uri)}))

    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read_resource)
    return server


def _handler(server: Server[Any], method: str) -> Any:
    entry = server.get_request_handler(method)
    if entry is None:
        raise LookupError(f"arcrun-mcp has no handler of {method}")
    return entry.handler


def _require_sampling(context: Any) -> None:
    wanted = types.ClientCapabilities(sampling=types.SamplingCapability())
    if not context.session.check_client_capability(wanted):
        data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=wanted)
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "this tool needs sampling",
            data.model_dump(mode="json", by_alias=True, exclude_none=True),
        )


def main() -> None:
    """Serve until a signal ends the process."""
    logging.basicConfig(stream=sys.stderr)
    # Its first line is the address, and the program that waits for it reads standard output.
    with contextlib.redirect_stderr(sys.stdout), client_of(None) as client:
        for page, text in PAGES.items():
            put_knowledge(client, page, text)
        server = with_suite_names(server_of(client, {**tools(), **SUITE_TOOLS}))
        serve_http(server, address_of("0"), token_of(os.environ))


if __name__ == "__main__":
    main()
