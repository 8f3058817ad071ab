"""The command line: `arcrun-conformance run|replay|list|show|validate|merge|sweep|mutants|parity|coverage|new-adapter`."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from arcrun_conformance._version import __version__
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.target import TargetError

from . import (
    coverage,
    inspection,
    merge,
    mutants,
    new_adapter,
    parity,
    replay,
    run,
    sweep,
)
from .options import COULD_NOT_RUN, FAILED, GO, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COULD_NOT_RUN", "FAILED", "GO", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code.

    0: everything passed. 1: something failed. 2: the command could not be run.
    """
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True)
    try:
        code: int = options.command(options)
    except (UsageError, TargetError, DocumentError) as error:
        errors.print(f"[red bold]error[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return COULD_NOT_RUN
    except (KeyboardInterrupt, asyncio.CancelledError):
        errors.print("interrupted")
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arcrun-conformance",
        description="Checks that arcrun SDKs and engines conform to the wire contract.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (run, replay, inspection, merge, sweep, mutants, parity, coverage, new_adapter):
        part.add_to(commands)
    return parser
