"""The option `--jobs`: how much is done at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .numbers import whole_number

if TYPE_CHECKING:
    import argparse

# Each may have a process of its own.
_MOST = 1000


def add_jobs(parser: argparse.ArgumentParser, what: str, local: int) -> None:
    """Add the option.

    Args:
        parser: The parser of a command that has a target.
        what: What is done at the same time, as "scenarios to run".
        local: How many of them with the embedded engine.
    """
    parser.add_argument(
        "--jobs",
        type=whole_number(1, _MOST),
        metavar="N",
        help=f"how many {what} at the same time (default: {local} with the embedded engine, 1 with any other)",
    )


def jobs_of(options: argparse.Namespace, local: int) -> int:
    """Return how much is done at the same time: more than one only with the embedded engine, or where asked for.

    Example:
        >>> import argparse
        >>> jobs_of(argparse.Namespace(jobs=None, target="http://127.0.0.1:8787"), 12)
        1
        >>> jobs_of(argparse.Namespace(jobs=3, target="local"), 12)
        3
        >>> jobs_of(argparse.Namespace(jobs=None, target="local"), 12)
        12
    """
    return options.jobs or (local if options.target == "local" else 1)
