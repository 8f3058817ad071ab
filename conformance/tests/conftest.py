from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for the modules that several test modules share

from mini_engine import MiniEngine  # noqa: E402

# They make a terminal of every console, or none: also of those whose output a test compares.
for name in ("FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from arcrun_conformance.scenarios.scenario import Scenario


@pytest.fixture
async def engine() -> AsyncIterator[MiniEngine]:
    async with MiniEngine() as running:
        yield running


@pytest.fixture
def hang_up_is_heard() -> Iterator[None]:
    """Let programs of the test hear SIGHUP, which they ignore if pytest itself runs under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def scenario_of(tmp_path: Path) -> Callable[[str], Scenario]:
    """Return a function that writes a scenario to a file and loads it."""
    from arcrun_conformance.scenarios.scenario import load

    def write(text: str) -> Scenario:
        name = text.split("id: ", 1)[1].split("\n", 1)[0]
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, "utf-8")
        return load(path)

    return write
