"""What the runner itself costs: `python -m arcrun_conformance.cost`.

The same calls of the same adapter, in turns: bare (prepared lines to the adapter, which calls the
engine directly) and as a scenario makes them (commands and answers checked against their schemas,
through the recording proxy). The difference of the medians is the runner's own cost.
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

from .adapter import Adapter, SubprocessConnection
from .faults import FaultPlan
from .journal import Answer, Exchange, Journal
from .proxy import Proxy
from .recording import RecordingServer
from .registry import registered
from .resources import data_directory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GOAL_MS = 2.0


class _Engine(RecordingServer):
    """Answers every request at once, so that what is measured is not an engine."""

    async def answer(self, exchange: Exchange) -> Answer:  # noqa: ARG002 -- the same for all
        return Answer.of_json({"ok": True})


@dataclass(frozen=True)
class Cost:
    """Medians, in milliseconds a call."""

    bare_ms: float
    full_ms: float

    @property
    def own_ms(self) -> float:
        """The runner's own cost."""
        return self.full_ms - self.bare_ms


async def measure(sdk: str = "python-sync", python: str = sys.executable, calls: int = 300) -> Cost:
    """Measure with an adapter of the registry.

    Args:
        sdk: The adapter's name.
        python: The interpreter that has the SDK.
        calls: How many calls of each kind.
    """
    adapters = registered(data_directory() / "adapters/adapters.yaml", python)
    connection = await adapters[sdk].open()
    adapter = Adapter(connection)
    key = "ak_" + "0" * 48
    async with (
        _Engine("engine", Journal(), FaultPlan()) as engine,
        Proxy(engine.origin, Journal(), FaultPlan()) as proxy,
    ):
        try:
            await adapter.start()
            for client, url in (("bare", engine.origin), ("full", proxy.origin)):
                options = {"api_key": key, "base_url": url}
                await adapter.send("construct", client=client, options=options)
            return await _in_turns(connection, adapter, calls)
        finally:
            await adapter.abandon()


async def _in_turns(connection: SubprocessConnection, adapter: Adapter, calls: int) -> Cost:
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
    """Print the figures; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m arcrun_conformance.cost", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print the medians as one JSON line")
    options = parser.parse_args()
    cost = asyncio.run(measure(calls=options.calls))
    if options.json:
        print(json.dumps({**asdict(cost), "own_ms": cost.own_ms, "goal_ms": GOAL_MS}))
        return 0
    print(
        f"a call: {cost.bare_ms:.2f} ms by the adapter alone, {cost.full_ms:.2f} ms in a scenario: "
        f"{cost.own_ms:.2f} ms are the runner's (goal: {GOAL_MS:g})"
    )
    return 0 if cost.own_ms <= GOAL_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
