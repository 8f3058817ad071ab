"""Compares what a command prints with what a page of the documentation shows."""

from __future__ import annotations

import re


def assert_printed(shown: list[str], output: str) -> None:
    """Assert that the lines that a page shows were printed in this order; `…` stands for any lines."""
    printed = [normal(line) for line in output.splitlines()]
    for line in shown:
        if line != "…":
            assert normal(line) in printed
            printed = printed[printed.index(normal(line)) + 1 :]


def normal(line: str) -> str:
    """Return the line without what depends on the run, the machine and the terminal."""
    line = re.sub(r"curl/[0-9.]+", "curl/8.5.0", line)
    line = re.sub(r" · [0-9.]+ s$", "", line)
    return " ".join(line.split())
