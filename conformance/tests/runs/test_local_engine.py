"""The engine that the harness starts: when its log is complete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from arcrun_conformance import local_engine
from arcrun_conformance.local_engine import LocalEngine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    """An engine of which there is only the log."""
    (tmp_path / "log").write_text("GET /first 1a\n", "utf-8")
    return LocalEngine("http://127.0.0.1:9", [], tmp_path, ())


async def test_a_line_of_the_log_is_awaited(engine: LocalEngine) -> None:
    waiting = asyncio.ensure_future(engine.logged("2b"))
    await asyncio.sleep(0)
    assert not waiting.done()
    with engine.log.open("a", encoding="utf-8") as log:
        log.write("GET /second 2b\n")
    assert await waiting is True


async def test_a_log_that_does_not_come_to_its_end_is_noticed(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_engine, "LOG_SECONDS", 0.05)
    assert await engine.logged("1a") is True
    assert await engine.logged("2b") is False
