"""Programs for Arazzo from npm: installed once for a checkout, as the lock file says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / ".arcrun" / "arazzo"
SCHEMA = "@stoplight/spectral-rulesets/dist/arazzo/schemas/arazzo/v1.0/index.json"


def installed() -> Path:
    """Return the folder of the packages; install them if the lock file is new."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = FOLDER / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as work:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, work)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=work, env=environment(), check=True, timeout=300)
            Path(work, "installed").mkdir()
            Path(work, "node_modules").rename(Path(work, "installed", "node_modules"))
            # Another worker may have been faster: both have the same.
            if not folder.is_dir():
                Path(work, "installed").rename(folder)
    return folder / "node_modules"


def environment() -> dict[str, str]:
    """Return the variables with which programs find the Node.js of this environment first."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off"}


def official_schema() -> dict[str, Any]:
    """Return the JSON Schema of Arazzo 1.0 that the OpenAPI Initiative publishes."""
    schema: dict[str, Any] = json.loads((installed() / SCHEMA).read_text("utf-8"))
    return schema


def respect(document: Path, server: str, inputs: dict[str, str]) -> tuple[int, str]:
    """Run a document against a server with Redocly Respect; return the exit code and what it printed."""
    command = ["node", str(installed() / "@redocly/cli/bin/cli.js"), "respect", document.name]
    # Its own check of responses refuses fields that the OpenAPI document does not have; ours may grow.
    command += ["--server", f"arcrun={server}", "--severity", "SCHEMA_CHECK=off"]
    for name, value in inputs.items():
        command += ["--input", f"{name}={value}"]
    ended = subprocess.run(
        command,
        cwd=document.parent,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr
