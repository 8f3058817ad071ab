"""Every program says that its output can't be written, and ends with 1: not with 120 and what looks like a defect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
PROGRAMS = {
    "acr": ("arcrun.cli", "--help"),
    "arcrun-mcp": ("arcrun.mcp", "--help"),
    "arcrun-server": ("arcrun_server", "--help"),
    "arcrun-conformance": ("arcrun_conformance", "--help"),
    "arcrun-conformance list": ("arcrun_conformance", "list"),
}


@pytest.mark.skipif(not FULL.exists(), reason="/dev/full is a full disk")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_full_disk_is_said_once(program: str) -> None:
    module, *arguments = PROGRAMS[program]
    if module == "arcrun.mcp":
        pytest.importorskip("mcp")
    # Of a person, whose environment seldom says that output is not buffered.
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            stdout=full, stderr=subprocess.PIPE, env=environment, timeout=60, check=False,
        )  # fmt: skip
    (said,) = ended.stderr.decode().splitlines()
    assert said.endswith("can't be written: No space left on device")
    assert ended.returncode == 1
