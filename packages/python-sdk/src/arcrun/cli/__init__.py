"""`acr`: arcrun's command line."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run a command, and return its exit code (docs/cli.md#exit-codes)."""
    try:
        import click  # noqa: F401
    except ModuleNotFoundError:
        print("acr needs the package click: python -m pip install 'arcrun[cli]'", file=sys.stderr)
        return 1
    from arcrun.commands.output import write_out

    from .app import run

    code = write_out(run(sys.argv[1:]), "acr")
    # Python would look for cycles among all objects once more before it ends, which takes as long as a call.
    gc.freeze()
    return code
