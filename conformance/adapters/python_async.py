"""The adapter for `arcrun.AsyncArcrun`: one event loop, each call awaited in it."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from python_cancelling import cancelling
from python_shared import serve

import arcrun


def main() -> None:
    """Serve with one event loop for the whole process."""
    loop = asyncio.new_event_loop()

    async def awaited(value: Any) -> Any:
        return await cancelling.result_of(value) if inspect.isawaitable(value) else value

    cancelling.possible = True

    async def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        return await asyncio.gather(*(awaited(call()) for call in calls), return_exceptions=True)

    try:
        serve(
            arcrun.AsyncArcrun,
            value_of=lambda value: loop.run_until_complete(awaited(value)),
            values_of=lambda calls: loop.run_until_complete(together(calls)),
        )
    finally:
        loop.close()


if __name__ == "__main__":
    main()
