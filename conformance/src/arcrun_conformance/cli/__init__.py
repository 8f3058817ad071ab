"""The command line: `arcrun-conformance run|replay|list|show|validate|merge|sweep|mutants|parity|coverage|new-adapter|export`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.text import Text

from arcrun_conformance._version import __version__
from arcrun_conformance.cleaning import visible, visible_line
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.target import TargetError

from . import (
    coverage,
    export,
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

# A full disk, a pipe that nobody reads any more, an output that was closed or is open for reading only, and one
# whose device fails.
_OF_OUTPUT = frozenset({errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO})

__all__ = ["COULD_NOT_RUN", "FAILED", "GO", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code.

    0: everything passed. 1: something failed, the output can't be written, or the runner crashed. 2: the command could not
    be run.
    """
    if sys.stdout is None:  # the caller has closed it
        return _not_written(os.strerror(errno.EBADF))
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _OF_OUTPUT:
            raise
        # Python would try again when it ends, print what looks like a defect, and end with 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _not_written(error.strerror)
    return code


def _not_written(reason: str | None) -> int:
    if sys.stderr is not None:
        print(f"arcrun-conformance: the output can't be written: {reason}", file=sys.stderr)
    return FAILED


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # after --help, and after what is wrong
        return int(ended.code or 0)
    errors = Console(stderr=True)
    try:
        code: int = options.command(options)
    except (UsageError, TargetError, DocumentError) as error:
        said = Text.assemble(("error", "red bold"), " ", _without_keys(visible(str(error))))
        errors.print(said, highlight=False, soft_wrap=True)
        return COULD_NOT_RUN
    except (KeyboardInterrupt, asyncio.CancelledError):
        errors.print("interrupted")
        return FAILED
    except Exception as error:  # a crash is a verdict, too
        if isinstance(error, OSError) and error.errno in _OF_OUTPUT and not error.filename:
            raise
        print(_without_keys(visible(traceback.format_exc())), file=sys.stderr)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"NO-GO the runner crashed: {_without_keys(visible_line(text))}", file=sys.stderr)
        return FAILED
    return code


class _Parser(argparse.ArgumentParser):
    """A parser whose errors repeat no key and steer no terminal, since they get into the logs of CI systems."""

    def error(self, message: str) -> NoReturn:
        super().error(_without_keys(visible(message)))


def _without_keys(text: str) -> str:
    return re.sub(r"\bak_\w+", "ak_…", text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="arcrun-conformance",
        description="Checks that arcrun SDKs and engines conform to the wire contract.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (
        run,
        replay,
        inspection,
        merge,
        sweep,
        mutants,
        parity,
        coverage,
        new_adapter,
        export,
    ):
        part.add_to(commands)
    return parser
