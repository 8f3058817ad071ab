"""What the library for durable runs does by itself: `python bare_dbos.py URL RUNS DATABASE_URL EXECUTOR`.

It executes so many workflows of three steps, each of which asks the service at this URL; as many at once as the engine
does by default. It prints a line when it is ready, and begins when it gets one, so that several begin together.
"""

from __future__ import annotations

import asyncio
import logging
import sys

import httpx
from dbos import DBOS, DBOSPortableJSONSerializer

AT_ONCE = 50


async def main(url: str, runs: int, database_url: str, executor: str) -> None:
    """Execute the runs."""
    logging.disable(logging.WARNING)
    DBOS(
        config={
            "name": "bench",
            "system_database_url": database_url,
            "application_version": "bench",
            "executor_id": executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
        }
    )
    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE))

    @DBOS.step()
    async def ask(number: int, node: str) -> str:
        response = await client.post(f"{url}/{node}", json={"n": number})
        return response.text

    @DBOS.workflow()
    async def run(number: int) -> str:
        for node in ("a", "b"):
            await ask(number, node)
        return await ask(number, "c")

    DBOS.launch()
    print("ready", flush=True)
    sys.stdin.readline()
    turn = asyncio.Semaphore(AT_ONCE)

    async def execute(number: int) -> None:
        async with turn:
            handle = await DBOS.start_workflow_async(run, number)
            await handle.get_result()

    await asyncio.gather(*map(execute, range(runs)))
    await client.aclose()
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
