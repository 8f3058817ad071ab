"""Write `evidence/release.json`: what was built, from which sources, with which tools, and what each step found."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING

from scripts.release.artifacts import sha256
from scripts.release.python.install import uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.rehearsal import Rehearsal
    from scripts.release.artifacts import Artifact
    from scripts.release.git import GitState
    from scripts.release.python.install import CleanEnvironment

FORMAT = "arcrun.release-evidence.v3"
CHANGED_FILES = 50  # of those that differ from the commit, named in the evidence


def tool_versions() -> dict[str, str]:
    """Return the version of every distribution in the environment that runs the release."""
    found = {
        distribution.metadata["Name"]: distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return {"python": platform.python_version(), **dict(sorted(found.items()))}


def installed_versions(environment: CleanEnvironment, log: Path) -> dict[str, str]:
    """Return the version of everything in a clean environment."""
    command = ["pip", "list", "--format", "json", "--python", str(environment.python)]
    return {each["name"]: each["version"] for each in json.loads(uv(command, log=log))}


def results(path: Path) -> list[dict[str, str]]:
    """Return name and SHA-256 of every file beside the evidence: what the steps have found is recomputed from them."""
    folder = path.parent
    return [
        {"file": each.relative_to(folder).as_posix(), "sha256": sha256(each)}
        for each in sorted(folder.rglob("*"))
        if each.is_file() and each != path
    ]


def write(
    path: Path,
    *,
    run: str,
    rehearsal: Rehearsal,
    scope: str,
    expected: list[str],
    version: str | None,
    git: GitState,
    artifacts: list[Artifact],
    reports: list[dict[str, str]],
    sboms: Mapping[str, Path],
    environments: dict[str, dict[str, str]],
) -> None:
    """Write the evidence.

    The decision is GO only if every expected step ran and passed. `scope` is `everything`, or `python`
    if the npm package was left out.
    """
    complete = [step.name for step in rehearsal.steps] == expected
    document = {
        "format": FORMAT,
        "run": run,
        "decision": "GO" if complete and rehearsal.go else "NO-GO",
        "scope": scope,
        "version": version,
        "finished_at": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(rehearsal.seconds, 2),
        "git": {**git, "changed": git["changed"][:CHANGED_FILES]},
        "platform": {"system": platform.system(), "machine": platform.machine()},
        "artifacts": [
            {
                "package": artifact.package,
                "file": artifact.path.name,
                "sha256": artifact.sha256,
                "bytes": artifact.size,
            }
            for artifact in artifacts
        ],
        "reports": reports,
        "results": results(path),
        "sboms": {package: file.name for package, file in sboms.items()},
        "steps": [asdict(step) for step in rehearsal.steps],
        "tools": tool_versions(),
        "environments": environments,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
