"""How the MCP server is reached: over standard input and output, or over HTTP on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError
from arcrun.commands.errors import CommandError

from .server import server_of
from .tools import tools


def run(arguments: Sequence[str]) -> int:
    """Serve until the client goes away, and return the exit code.

    Args:
        arguments: as typed after `arcrun-mcp`.
    """
    options = _parser().parse_args(arguments)
    try:
        offered = tools(read_only=options.read_only, only=options.tools)
        with Arcrun() as client:
            anyio.run(_serve, server_of(client, offered))
    except (CommandError, ArcrunError) as error:
        print(f"arcrun-mcp: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(server: Server) -> None:
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arcrun-mcp",
        description="Serve an engine's workflows, recipes and knowledge over MCP.",
    )
    parser.add_argument("--read-only", action="store_true", help="only tools that change nothing")
    parser.add_argument(
        "--tools",
        type=lambda text: text.split(","),
        default=[],
        metavar="A,B",
        help="only these tools",
    )
    return parser
