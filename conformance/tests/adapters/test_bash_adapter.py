"""The worked example passes every scenario that it has the capabilities for."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.adapters.registry import read_registry
from arcrun_conformance.resources import data_directory
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.scenarios.scenario import load_all

if TYPE_CHECKING:
    from mini_engine import MiniEngine

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")


@needs_curl
async def test_it_passes_what_it_can_and_skips_the_rest(engine: MiniEngine) -> None:
    data = data_directory()
    adapter = read_registry(data / "adapters/adapters.yaml", sys.executable)["bash-curl"]
    assert not adapter.default
    scenarios = load_all(data / "scenarios/sdk")
    run = await execute(RunConfig(engine.target, scenarios, {"bash-curl": adapter.open}))

    outcomes = {cell.scenario: cell.outcome for cell in run.cells}
    ran = {
        "response-byte-by-byte",
        "response-larger-than-it-looks",
        "response-not-http",
        "connection-refused",
        "creds-bad-names",
        "creds-delete-missing",
        "creds-plain-push-list",
        "error-causes",
        "error-shapes",
        "health",
        "redirect-without-the-key",
        "retry-switched-off",
        "timeout-call",
        "timeout-client",
    }
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == ran
    # The worked example is no full SDK: its errors have no attributes, it takes no byte order mark, checks no type of an
    # option, and shows what engines repeat in escapes.
    lacking = {
        "error-fields",
        "options-of-another-type",
        "response-encodings",
        "secret-escaped-in-an-echo",
    }
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == lacking
    assert {outcomes[name] for name in outcomes.keys() - ran - lacking} == {"skipped"}
    assert run.leftovers.left == run.leftovers.problems == []


@needs_curl
async def test_its_key_is_on_no_command_line(engine: MiniEngine, monkeypatch, tmp_path) -> None:
    """A curl that records its arguments gets neither the key nor the secret as one."""
    spy = tmp_path / "curl"
    real = shutil.which("curl")
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{sys.exec_prefix}/bin:/usr/bin:/bin")
    data = data_directory()
    adapter = read_registry(data / "adapters/adapters.yaml", sys.executable)["bash-curl"]
    (scenario,) = (s for s in load_all(data / "scenarios/sdk") if s.id == "creds-plain-push-list")
    run = await execute(RunConfig(engine.target, [scenario], {"bash-curl": adapter.open}))

    assert run.cells[0].outcome == "passed"
    seen = await asyncio.to_thread((tmp_path / "seen").read_text)
    assert "/credentials" in seen
    assert engine.target.api_key not in seen
    assert "canary" not in seen
