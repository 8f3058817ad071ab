"""Run rehearsals in clones of this checkout, to see how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts import ROOT, processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# As noxfile.py runs it, and unbuffered.
REHEARSAL = (sys.executable, "-E", "-u", "-X", "utf8", "-m", "scripts.release")

# A rehearsal stops its own programs at SIGTERM, and removes what they have installed.
GRACE_SECONDS = 25.0

# Results as the last GO has left them, but for their content.
_RESULTS_OF_BEFORE = (
    *("dist/arcrun-0.0.0.tar.gz", "evidence/release.json", "reports/index.html"),
    *("reports/summary.md", "reports/failures/health.har", "reports/engine-suite/index.html"),
)
_OF_BEFORE = "of an earlier rehearsal\n"


class Ended(NamedTuple):
    """How a program ended: its exit code, and what it wrote to its two streams."""

    code: int
    out: str
    err: str

    @property
    def printed(self) -> str:
        """Return all that it printed."""
        return self.out + self.err


def clone(target: Path, *options: str) -> Path:
    """Clone the checked-out commit; return the new checkout."""
    command = ["git", *options, "clone", "--quiet", "--local", str(ROOT), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def rehearse(root: Path, options: Sequence[str], env: Mapping[str, str] | None = None) -> Ended:
    """Run the real rehearsal in a checkout, to its end; without `env`, with the variables of this process."""
    return run([*REHEARSAL, *options], root, env)


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run a program to its end, which may be a failure; stop it where this process is interrupted."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        processes.started(
            command, stderr=errors, cwd=cwd, env=env, inherit=env is None, grace=GRACE_SECONDS
        ) as process,
    ):
        out, _ = process.communicate()
        errors.seek(0)
        return Ended(process.returncode, out, errors.read())


def nox() -> list[str]:
    """Return the command of nox: of the one that runs this, which need not be on the search path."""
    python = os.environ.get("ARCRUN_NOX_PYTHON")
    return [python, "-m", "nox"] if python else ["nox"]


def run_folder(root: Path) -> Path:
    """Return the folder that the last rehearsal in a checkout wrote into."""
    (folder,) = (root / ".arcrun" / "release" / "runs").iterdir()
    return folder


def evidence_of(root: Path) -> dict[str, Any]:
    """Return the evidence of the last rehearsal in a checkout, also if that ran a single step."""
    text = (run_folder(root) / "evidence" / "release.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def leave_old_results(root: Path) -> None:
    """Write results into a checkout, as those of a rehearsal that ended with GO."""
    for name in _RESULTS_OF_BEFORE:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_OF_BEFORE, "utf-8")


def wrong_results(root: Path, *, whole: bool) -> list[str]:
    """Return what is wrong with old results: none outlives a whole rehearsal, and a single step leaves all."""
    left = [name for name in _RESULTS_OF_BEFORE if _is_old(root / name)]
    if whole:
        return [f"{name} of an earlier rehearsal is still there" for name in left]
    return [
        f"{name} of an earlier rehearsal is gone" for name in _RESULTS_OF_BEFORE if name not in left
    ]


def _is_old(path: Path) -> bool:
    return path.is_file() and path.read_text("utf-8", "replace") == _OF_BEFORE
