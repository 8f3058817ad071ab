"""The adapter for `arcrun.AsyncArcrun`: one event loop, each call awaited in it."""

import asyncio
import inspect
from typing import Any

from python_shared import serve

import arcrun


def main() -> None:
    """Serve with an event loop that lasts as long as the process."""
    loop = asyncio.new_event_loop()

    async def settled(value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    try:
        serve(arcrun.AsyncArcrun, value_of=lambda value: loop.run_until_complete(settled(value)))
    finally:
        loop.close()


if __name__ == "__main__":
    main()
