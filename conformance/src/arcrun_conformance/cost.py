"""Measures the runner's own overhead: `python -m arcrun_conformance.cost`.

The same calls of the same adapter are made alternately in two ways: bare (prepared lines to the
adapter, which calls the engine directly) and as in a scenario (commands and replies are checked
against their schemas, requests go through the recording proxy). The difference of the medians is
the runner's overhead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .adapters.adapter import Adapter, SubprocessConnection
from .adapters.registry import read_registry
from .resources import data_directory
from .wire.faults import FaultInjector
from .wire.journal import Exchange, Journal, Response
from .wire.proxy import Proxy
from .wire.recording import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GOAL_MS = 2.0


class _Engine(RecordingServer):
    """Responds at once to every request, so that no engine is measured."""

    async def respond(self, exchange: Exchange) -> Response:  # noqa: ARG002 -- the same for all
        return Response.from_json({"ok": True})


@dataclass(frozen=True)
class Cost:
    """Medians, in milliseconds per call."""

    bare_ms: float
    full_ms: float

    @property
    def own_ms(self) -> float:
        """Return the runner's overhead."""
        return self.full_ms - self.bare_ms


async def measure(sdk: str = "python-sync", python: str = sys.executable, calls: int = 300) -> Cost:
    """Measure the overhead with an adapter of the registry.

    Args:
        sdk: The adapter's name.
        python: The interpreter that has the SDK installed.
        calls: How many calls to make in each way.
    """
    adapters = read_registry(data_directory() / "adapters/adapters.yaml", python)
    connection = await adapters[sdk].open()
    adapter = Adapter(connection)
    key = "ak_" + "0" * 48
    async with (
        _Engine("engine", Journal(), FaultInjector()) as engine,
        Proxy(engine.origin, Journal(), FaultInjector()) as proxy,
    ):
        try:
            await adapter.start()
            for client, url in (("bare", engine.origin), ("full", proxy.origin)):
                options = {"api_key": key, "base_url": url}
                await adapter.send("construct", client=client, options=options)
            return await _alternate(connection, adapter, calls)
        finally:
            await adapter.abandon()


async def _alternate(connection: SubprocessConnection, adapter: Adapter, calls: int) -> Cost:
    command = {"id": 1, "command": "call", "client": "bare", "method": "health", "arguments": {}}
    line = json.dumps(command)

    async def bare() -> None:
        await connection.exchange(line, 30)

    async def full() -> None:
        await adapter.send("call", client="full", method="health", arguments={})

    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        times[0].append(await _timed(bare))
        times[1].append(await _timed(full))
    return Cost(*(statistics.median(taken) * 1000 for taken in times))


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


def main() -> int:
    """Print the figures; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m arcrun_conformance.cost", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print the medians as one JSON line")
    options = parser.parse_args()
    cost = asyncio.run(measure(calls=options.calls))
    if options.json:
        print(json.dumps({**asdict(cost), "own_ms": cost.own_ms, "goal_ms": GOAL_MS}))
        return 0
    print(
        f"per call: {cost.bare_ms:.2f} ms bare, {cost.full_ms:.2f} ms in a scenario, so "
        f"{cost.own_ms:.2f} ms overhead of the runner (goal: {GOAL_MS:g} ms)"
    )
    return 0 if cost.own_ms <= GOAL_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
