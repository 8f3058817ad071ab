"""Run the conformance suite on installed packages: its command, and what its report says.

The rehearsal and `scripts.release.packages` both run it in this way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scripts.rehearsal import StepFailed
from scripts.release.versions import NPM_FOLDER, PACKAGES, SDK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.artifacts import Artifact
    from scripts.release.python.install import CleanEnvironment


def suite_command(
    environments: Mapping[str, CleanEnvironment],
    *,
    sdks: Sequence[str] = (),
    runtimes: Path | None = None,
    engine_suite: bool = False,
) -> list[str]:
    """Return the command that runs the installed suite with the installed SDKs and engine.

    Args:
        environments: The clean environment of each Python package.
        sdks: The SDKs to run; by default those that the suite runs by default.
        runtimes: The folder of the JavaScript runtimes, with the installed SDK.
        engine_suite: Whether it is the suite that uses no SDK.
    """
    suite = environments["arcrun-conformance"].script("arcrun-conformance")
    command = [str(suite), "run", "--server-python", str(environments["arcrun-server"].python)]
    if engine_suite:
        return [*command, "--suite", "engine"]
    command += ["--adapter-python", str(environments[SDK].python)]
    command += ["--sdk", ",".join(sdks)] if sdks else []
    command += ["--adapter-runtimes", str(runtimes)] if runtimes else []
    return command


def reporting(reports: Path, artifacts: Path) -> list[str]:
    """Return the options of the suite for a folder of reports, and for what `list_artifacts` has written."""
    return ["--report-dir", str(reports), "--artifacts", str(artifacts)]


def list_artifacts(artifacts: Iterable[Artifact], path: Path) -> Path:
    """Write what is tested, and the commands that make it, for the reports; return the path."""
    commands = {
        name: f"python -m build --no-isolation {folder}" for name, folder in PACKAGES.items()
    }
    in_npm = f"cd {NPM_FOLDER} && npm run build && npm pack"
    listed = [
        {
            "file": artifact.path.name,
            "sha256": artifact.sha256,
            "command": commands.get(artifact.package, in_npm),
        }
        for artifact in artifacts
    ]
    path.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
    return path


def require_version(document: dict[str, Any], version: str) -> None:
    """Check that every SDK of a report says that it has the version that was built.

    Raises:
        StepFailed: One has another.
    """
    others = [
        f"{each['name']} {each['version']}"
        for each in document["sdks"]
        if each["version"] != version
    ]
    if others:
        raise StepFailed(f"the suite ran {', '.join(others)}, but {version} was built")


def conformance_figures(document: dict[str, Any], version: str) -> Figures:
    """Return the figures of a run from the suite's own report.

    Raises:
        StepFailed: The report does not say GO although the suite exited with 0, or an SDK has
            another version than the one that was built.
    """
    gate = document["gate"]
    if gate["verdict"] != "GO" or gate["reasons"] or not document["cells"]:
        raise StepFailed(f"the suite's report says {gate['verdict']}: {gate['reasons']}")
    require_version(document, version)
    return {
        "scenarios": len(document["scenarios"]),
        "sdks": len(document["sdks"]),
        "cells": len(document["cells"]),
        "skipped": sum(cell["outcome"] == "skipped" for cell in document["cells"]),
        "checks": sum(len(cell["checks"]) for cell in document["cells"]),
        "gate": gate["verdict"],
    }
