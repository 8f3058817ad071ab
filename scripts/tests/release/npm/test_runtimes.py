from pathlib import Path

import pytest

from scripts import ROOT
from scripts.release.npm.runtimes import matrix

REGISTRY = ROOT / "conformance" / "adapters" / "adapters.yaml"
RUNTIMES = {"node18", "node20", "node22", "node24", "deno", "bun", "workerd"}


def test_every_sdk_and_runtime_of_the_registry_takes_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromium").touch(mode=0o755)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "chromium"))
    found = matrix(REGISTRY)
    assert set(found.runtimes) == RUNTIMES | {"chromium"}
    assert len(found.runtimes) == len(RUNTIMES) + 1
    assert {"python-sync", "python-async", "node22-cjs", "node22-esm"} <= set(found.sdks)
    assert "bash-curl" not in found.sdks, "the example of PROTOCOL.md is no SDK of ours"
    assert found.missing == {}
    assert found.missing_summary == "none"


def test_only_the_browser_is_left_out_if_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "沒有"))
    found = matrix(REGISTRY)
    assert set(found.runtimes) == RUNTIMES
    assert "chromium" not in found.sdks
    assert list(found.missing) == ["chromium"]
    assert found.missing_summary.startswith("chromium: ")
    assert "set CHROMIUM" in found.missing_summary
