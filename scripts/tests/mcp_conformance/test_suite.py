"""The command of the protocol's suite."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from scripts.mcp_conformance import suite

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_node_finds_what_it_imports_in_a_checkout_with_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a checkout %2F 的地方"
    source.mkdir()
    # The real one needs what the suite has installed.
    (source / "bearer.mjs").write_text("console.log('imported');\n", "utf-8")
    monkeypatch.setattr(suite, "SOURCE", source)
    node, option, bearer, *_ = suite._command("http://127.0.0.1:1", suite.REVISIONS[0], tmp_path)
    command = [node, option, bearer, "--eval", ""]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "imported\n"), ran.stderr
