"""The JavaScript runtimes that the conformance suite runs the installed SDK in."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from scripts import processes
from scripts.release.npm import tools as npm_tools

if TYPE_CHECKING:
    from scripts.release.python.install import CleanEnvironment


@dataclass(frozen=True)
class Matrix:
    """Which SDKs and runtimes take part.

    Attributes:
        sdks: Names in the suite's registry: what a run is asked for.
        runtimes: What these run in.
        missing: Names that can't take part on this machine, and why.
    """

    sdks: tuple[str, ...]
    runtimes: tuple[str, ...]
    missing: dict[str, str]

    @property
    def told_missing(self) -> str:
        """What can't take part and why, in one line; `none` where nothing is missing."""
        return "; ".join(f"{name}: {why}" for name, why in self.missing.items()) or "none"


def matrix(registry: Path) -> Matrix:
    """Read from the suite's registry what can take part on this machine.

    All runtimes come from PyPI and npm, but for Chromium: that is the machine's, or there is none.

    Args:
        registry: The suite's `adapters.yaml`.
    """
    adapters = yaml.safe_load(registry.read_text("utf-8"))["adapters"]
    javascript = [each for each in adapters if each["language"] == "javascript"]
    chromium = os.environ.get("CHROMIUM", "chromium")  # as environment.py looks for it
    missing = {
        each["name"]: f"there is no {chromium}: install Debian's chromium, or set CHROMIUM"
        for each in javascript
        if each["runtime"] == "chromium" and shutil.which(chromium) is None
    }
    present = [each for each in javascript if each["name"] not in missing]
    python = [each["name"] for each in adapters if each["language"] == "python"]
    return Matrix(
        sdks=(*python, *(each["name"] for each in present)),
        runtimes=tuple(dict.fromkeys(each["runtime"] for each in present)),
        missing=missing,
    )


def installed_registry(harness: CleanEnvironment, log: Path) -> Path:
    """Return the registry of adapters that the installed suite reads."""
    code = "from arcrun_conformance.resources import data_directory; print(data_directory())"
    printed = processes.run([str(harness.python), "-I", "-c", code], log=log)
    return Path(printed.strip()) / "adapters" / "adapters.yaml"


def prepare(registry: Path, sdk: Path, folder: Path, runtimes: tuple[str, ...], log: Path) -> None:
    """Make the folder that the suite's JavaScript adapters run in, with the installed SDK.

    The runtimes are installed anew in each rehearsal; their downloads come from the caches of uv and
    npm, which hold them against their hashes.

    Args:
        registry: The suite's `adapters.yaml`: what makes the folder lies beside it.
        sdk: The installed SDK: a folder.
        folder: What `--adapter-runtimes` will name; made.
        runtimes: What to install.
        log: Receives what the installers print.

    Raises:
        processes.CommandFailed: A runtime could not be installed.
    """
    make = registry.parent / "javascript" / "environment.py"
    command = [sys.executable, str(make), "--sdk", str(sdk), str(folder), *runtimes]
    processes.run(command, log=log, env=npm_tools.environment())
