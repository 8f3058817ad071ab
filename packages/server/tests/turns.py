"""Counts how often other tasks of the event loop have their turn while something runs."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Turns:
    count: int = 0


@contextmanager
def counted_turns(pause: float = 0.0) -> Iterator[Turns]:
    """Count turns inside the `with` block, with a pause of so many seconds after each."""
    turns = Turns()

    async def other() -> None:
        while True:
            turns.count += 1
            await asyncio.sleep(pause)

    task = asyncio.create_task(other())
    try:
        yield turns
    finally:
        task.cancel()
