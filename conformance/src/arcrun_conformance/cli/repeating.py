"""The command that repeats a run, as reports show it: with the same target and files, and without any key."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

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
    """Return the command of a run, to which scenarios and SDKs can be added.

    Example:
        >>> from argparse import Namespace
        >>> defaults = {"suite": "sdk", "target": "local"}
        >>> repeating(Namespace(suite="engine", target="local", defaults=defaults, remote=False))
        'arcrun-conformance run --suite engine'
    """
    words = ["arcrun-conformance", "run"]
    for name in KEPT:
        value = getattr(options, name, None)
        if value is not None and value != options.defaults.get(name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    if options.remote:
        words.append("--remote")
    return shlex.join(words)
