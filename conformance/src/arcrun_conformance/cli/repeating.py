"""The command that repeats a run, as reports show it: with the same target and files, and without any key."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# How the caller's user starts this program, if not by its name.
COMMAND = "ARCRUN_CONFORMANCE_COMMAND"
# What changes the outcome of a scenario; which scenarios and SDKs, and what becomes of the report, does not.
KEPT = (
    "suite",
    "target",
    "scenarios",
    "adapters",
    "adapter_python",
    "adapter_runtimes",
    "server_python",
    "reply_seconds",
)


def repeating(options: argparse.Namespace) -> str:
    """Return the command of a run, to which scenarios and SDKs can be added; `--again` replaces it.

    Example:
        >>> from argparse import Namespace
        >>> defaults = {"suite": "sdk", "target": "local"}
        >>> given = Namespace(suite="engine", target="local", defaults=defaults, remote=False, again=None)
        >>> repeating(given)
        'arcrun-conformance run --suite engine'
    """
    if options.again:
        return str(options.again)
    words = shlex.split(os.environ.get(COMMAND, "arcrun-conformance run"))
    words += given(options)
    if options.remote:
        words.append("--remote")
    return shlex.join(words)


def given(options: argparse.Namespace) -> list[str]:
    """Return the options that change the outcome of a scenario and were given, as arguments."""
    values = {name: getattr(options, name, None) for name in KEPT}
    return [
        word
        for name, value in values.items()
        if value is not None and value != options.defaults.get(name)
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
