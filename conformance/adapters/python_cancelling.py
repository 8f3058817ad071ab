"""Calls that are cancelled while they wait: only an adapter with an event loop can do that."""

from __future__ import annotations

import asyncio
from typing import Any


class Cancelled(Exception):
    """The call ended because it was cancelled."""


class Cancelling:
    """Whether calls can be cancelled, and after how many seconds the current one is.

    Attributes:
        possible: Whether the adapter can cancel calls.
        after: The seconds of the command that is being carried out.
    """

    possible = False
    after: float | None = None

    async def result_of(self, value: Any) -> Any:
        """Return what an awaitable returns.

        Raises:
            Cancelled: It was cancelled, and ended because of that.
        """
        if self.after is None:
            return await value
        task = asyncio.ensure_future(value)
        asyncio.get_running_loop().call_later(self.after, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            raise Cancelled from None


cancelling = Cancelling()
