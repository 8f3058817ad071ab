"""Install the JavaScript runtimes in which the conformance suite runs the installed SDK."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from scripts import processes
from scripts.release.npm import tools

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scripts.release.python.install import CleanEnvironment


@dataclass(frozen=True)
class Matrix:
    """The SDKs and runtimes of a run.

    Attributes:
        sdks: Their names in the suite's registry of adapters.
        runtimes: The runtimes that they need.
        missing: Why an SDK can't run on this machine, by its name.
    """

    sdks: tuple[str, ...]
    runtimes: tuple[str, ...]
    missing: dict[str, str]

    @property
    def missing_summary(self) -> str:
        """Return what can't run on this machine and why, in one line; `none` if nothing is missing."""
        return "; ".join(f"{name}: {why}" for name, why in self.missing.items()) or "none"


def matrix(registry: Path) -> Matrix:
    """Read from the suite's registry which SDKs can run on this machine.

    All runtimes come from PyPI and npm, except Chromium, which must be installed on the machine.

    Args:
        registry: The suite's `adapters.yaml`.
    """
    adapters = yaml.safe_load(registry.read_text("utf-8"))["adapters"]
    javascript = [each for each in adapters if each["language"] == "javascript"]
    chromium = os.environ.get("CHROMIUM", "chromium")  # as environment.py looks for it
    reason = f"{chromium} was not found: install the package chromium, or set CHROMIUM to its path"
    missing = {
        each["name"]: reason
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


def sdks_of_release(registry: Path, *, python_only: bool) -> dict[str, bool]:
    """Return the SDKs that a rehearsal tests, and of each whether every machine can run it.

    Args:
        registry: The suite's `adapters.yaml`.
        python_only: Whether the npm package is left out.
    """
    languages = {"python"} if python_only else {"python", "javascript"}
    adapters = yaml.safe_load(registry.read_text("utf-8"))["adapters"]
    return {
        each["name"]: each["runtime"] != "chromium"
        for each in adapters
        if each["language"] in languages
    }


def runtimes_of(registry: Path, sdks: Collection[str]) -> tuple[str, ...]:
    """Return the runtimes that some JavaScript SDKs of the suite's registry need.

    Args:
        registry: The suite's `adapters.yaml`.
        sdks: The names of SDKs; those of other languages need none.
    """
    adapters = yaml.safe_load(registry.read_text("utf-8"))["adapters"]
    needed = [
        each["runtime"]
        for each in adapters
        if each["language"] == "javascript" and each["name"] in sdks
    ]
    return tuple(dict.fromkeys(needed))


def installed_registry(harness: CleanEnvironment, log: Path) -> Path:
    """Return the path of the registry of adapters in the installed suite."""
    code = "from arcrun_conformance.resources import data_directory; print(data_directory())"
    printed = processes.run([str(harness.python), "-I", "-c", code], log=log)
    return Path(printed.strip()) / "adapters" / "adapters.yaml"


def prepare(
    registry: Path,
    sdk: Path,
    folder: Path,
    runtimes: tuple[str, ...],
    *,
    log: Path,
    downloads: Mapping[str, str],
) -> None:
    """Create the folder in which the suite's JavaScript adapters run, with the installed SDK.

    Each rehearsal installs the runtimes again; the downloads come from the caches of uv and npm,
    which check their hashes.

    Args:
        registry: The suite's `adapters.yaml`; the program that creates the folder is beside it.
        sdk: The folder of the installed SDK, or its tarball.
        folder: The folder to create, for `--adapter-runtimes`.
        runtimes: The runtimes to install.
        log: Receives what the installers print.
        downloads: The caller's network settings.

    Raises:
        processes.CommandFailed: A runtime could not be installed.
    """
    program = registry.parent / "javascript" / "environment.py"
    command = [sys.executable, str(program), "--sdk", str(sdk), str(folder), *runtimes]
    processes.run(command, log=log, env={**tools.environment(), **downloads})
