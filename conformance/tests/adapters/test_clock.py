"""The clock of the Python adapters: waits are recorded, and time goes on as if they had been waited for."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from arcrun_conformance.resources import data_directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Iterator[Any]:
    path = data_directory() / "adapters/python_clock.py"
    spec = importlib.util.spec_from_file_location("python_clock", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = module.Clock()
    started.start("2026-01-01T00:00:00Z")
    yield started
    started.stop()
    time.monotonic = module._monotonic  # type: ignore[assignment]
    sys.modules.pop("python_clock", None)


def test_nobody_waits_and_time_goes_on(clock: Any) -> None:
    began, monotonic = time.time(), time.monotonic()
    time.sleep(3600)
    assert 3600 <= time.time() - began < 3610
    assert 3600 <= time.monotonic() - monotonic < 3610
    assert 1767225600 <= began < 1767225610
    assert list(clock.taken()) == [3600]
    assert list(clock.taken()) == []


async def test_nobody_waits_in_an_event_loop(clock: Any) -> None:
    began = time.time()
    await anyio.sleep(60)
    clock.advance(40)
    assert 100 <= time.time() - began < 110
    assert list(clock.taken()) == [60]


def test_a_stopped_clock_is_the_real_one_but_never_goes_back(clock: Any) -> None:
    time.sleep(1000)
    before = time.monotonic()
    clock.stop()
    assert time.monotonic() >= before
    assert time.time() > 1767225600 + 86400
