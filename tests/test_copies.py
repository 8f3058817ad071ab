"""Modules that two packages have, since neither may import the other: one is a copy, and stays one."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_server_and_harness_wait_and_cancel_by_the_same_code() -> None:
    server = ROOT / "packages/server/src/arcrun_server/engine/cancellation.py"
    harness = ROOT / "conformance/src/arcrun_conformance/cancellation.py"
    assert harness.read_text("utf-8") == server.read_text("utf-8")
