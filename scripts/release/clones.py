"""Run rehearsals in clones of this checkout, to see how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# As noxfile.py runs it, and unbuffered.
REHEARSAL = (sys.executable, "-E", "-u", "-X", "utf8", "-m", "scripts.release")


def clone(target: Path) -> Path:
    """Clone the checked-out commit; return the new checkout."""
    command = ["git", "clone", "--quiet", "--local", str(ROOT), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def evidence_of(root: Path) -> dict[str, Any]:
    """Return the evidence of the last rehearsal in a checkout, also if that ran a single step."""
    (path,) = (root / ".arcrun" / "release" / "runs").glob("*/evidence/release.json")
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document
