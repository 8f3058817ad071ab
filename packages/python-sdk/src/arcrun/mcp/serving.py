"""How the MCP server is reached: over standard input and output, or over HTTP on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

import anyio

from arcrun._core.errors import ArcrunError
from arcrun._version import __version__
from arcrun.commands.errors import CommandError
from arcrun.commands.settings import client_of

from .connections import MOST
from .http import Address, address_of, serve_http, token_of
from .server import server_of
from .stdio import serve_stdio
from .tools import tools


def run(arguments: Sequence[str]) -> int:
    """Serve until the client goes away, and return the exit code.

    Args:
        arguments: as typed after `arcrun-mcp`.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # after --help and --version, and after what is wrong
        return int(ended.code or 0)
    try:
        offered = tools(read_only=options.read_only, only=options.tools)
        address: Address | None = None if options.http is None else address_of(options.http)
        token = token_of(os.environ) if address else None
        client = client_of(options.profile)
    except (CommandError, ArcrunError) as error:
        print(f"arcrun-mcp: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    with client:
        server = server_of(client, offered)
        try:
            if address:
                serve_http(server, address, token, options.connections)
            else:
                anyio.run(serve_stdio, server)
        except KeyboardInterrupt:
            _end(130)
        except OSError as error:
            print(f"arcrun-mcp: {error.strerror or error}", file=sys.stderr)
            return 2
        if threading.active_count() > 1:
            _end(0)
    return 0


def _stop(_signal: int, _frame: object) -> None:
    _end(0)


def _end(code: int) -> None:
    """End the process although a thread still waits for the engine; the run itself goes on there."""
    sys.stderr.flush()
    os._exit(code)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arcrun-mcp",
        description="Serve an engine's workflows, recipes and knowledge over MCP: on standard input and output, or over HTTP.",
        epilog="The engine and the key are those of `acr`: ARCRUN_BASE_URL and ARCRUN_API_KEY, or ~/.arcrun/config.yaml.",
    )
    parser.add_argument("--version", action="version", version=f"arcrun-mcp {__version__}")
    parser.add_argument("--read-only", action="store_true", help="only tools that change nothing")
    parser.add_argument(
        "--tools",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="A,B",
        help="only these tools",
    )
    parser.add_argument(
        "--http",
        metavar="[HOST:]PORT",
        help="serve HTTP at http://HOST:PORT/mcp instead, for this machine only; 0 takes a free port. "
        "The bearer token is that of ARCRUN_MCP_TOKEN; without it, one is made and printed once",
    )
    parser.add_argument(
        "--connections",
        type=_count,
        default=MOST,
        metavar="N",
        help=f"with --http, how many connections there may be at a time; {MOST} by default",
    )
    parser.add_argument(
        "--profile", help="the profile of the config file; also the variable ARCRUN_PROFILE"
    )
    return parser
