"""How many things of one key may go on at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Iterator


class NoSlotError(Exception):
    """So many things of one key go on already. The message says which, and how many."""


class Slots:
    """Counts what goes on for each key, and refuses more than a number.

    Args:
        most: How many may go on at once for one key.
        what: What they are, as a plural.

    Example:
        >>> slots = Slots(1, "runs")
        >>> with slots.taken("a"), slots.taken("b"), slots.taken("a"):
        ...     pass
        Traceback (most recent call last):
        arcrun_server.slots.NoSlotError: 1 runs of this key go on already, which is the limit
    """

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: dict[Hashable, int] = {}

    @contextmanager
    def taken(self, key: Hashable) -> Iterator[None]:
        """Take a slot for as long as the block runs.

        Raises:
            NoSlotError: There is none.
        """
        count = self._taken.get(key, 0)
        if count >= self._most:
            raise NoSlotError(
                f"{self._most} {self._what} of this key go on already, which is the limit"
            )
        self._taken[key] = count + 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


class Queues:
    """Lets a number of things go on at once for each key; more wait for their turn.

    Args:
        most: How many may go on at once for one key.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._queues: dict[Hashable, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for a turn, and keep it for as long as the block runs."""
        semaphore, users = self._queues.setdefault(key, (asyncio.Semaphore(self._most), []))
        users.append(None)
        try:
            async with semaphore:
                yield
        finally:
            users.pop()
            if not users:
                del self._queues[key]
