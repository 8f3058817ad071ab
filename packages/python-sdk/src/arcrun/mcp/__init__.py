"""`arcrun-mcp`: an engine's workflows, recipes and knowledge for agents, over MCP."""

from __future__ import annotations

import sys


def main() -> int:
    """Serve MCP, and return the exit code."""
    try:
        import mcp  # noqa: F401
    except ModuleNotFoundError:
        needed = "Python 3.11 or newer, and the" if sys.version_info < (3, 11) else "the"
        print(
            f"arcrun-mcp needs {needed} package mcp: python -m pip install 'arcrun[mcp]'",
            file=sys.stderr,
        )
        return 1
    from arcrun.commands.output import write_out

    from .serving import run

    return write_out(run(sys.argv[1:]), "arcrun-mcp")
