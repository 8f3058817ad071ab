"""Engines that are killed again and again while they execute what they have accepted.

By default a few kills, so that every run of the tests has them; `nox -s survival` does a hundred.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from durable_server import Service, calls, push
from survival_engines import Engines, accept_all, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

RUNS = int(os.environ.get("ARCRUN_SURVIVAL_RUNS", "60"))
KILLS = int(os.environ.get("ARCRUN_SURVIVAL_KILLS", "5"))
SEED = int(os.environ.get("ARCRUN_SURVIVAL_SEED", "13"))
PATHS = ("/a", "/b", "/c")


@pytest.mark.parametrize(
    ("database_kind", "processes"), [("sqlite", 1), ("postgresql", 2)], indirect=["database_kind"]
)
async def test_every_accepted_run_succeeds_once_whatever_is_killed(
    serve: Callable[..., Any],
    service: Service,
    tmp_path: Path,
    database_url: str | None,
    processes: int,
) -> None:
    arguments = ["--dev", "--json", "--data", tmp_path, "--log-level", "error"]
    arguments += ["--database", database_url] if database_url else []
    engines = await asyncio.to_thread(Engines, lambda: serve(*arguments), processes)
    began = time.monotonic()
    async with engines.client() as client:
        client.base_url = engines.urls[0]
        await push(client, "w", calls(service, *PATHS))
        client.base_url = ""
        accepted, kills = await asyncio.gather(
            accept_all(engines, client, range(RUNS)), _kill_at_random(engines, service)
        )
        runs = [await wait_for_end(engines, client, run_id) for run_id in accepted]
    seconds = time.monotonic() - began

    requests = [(path, json.loads(body)["n"], key) for path, body, key in service.requests]
    keys: dict[tuple[str, int], set[str | None]] = {}
    for path, n, key in requests:
        keys.setdefault((path, n), set()).add(key)
    print(
        f"\n{RUNS} runs, {kills} kills of {processes} processes, {len(requests)} requests for"
        f" {len(keys)} steps, {len(requests) - len(keys)} repeated, {seconds:.0f} s"
    )
    assert kills == KILLS
    assert [run["status"] for run in runs] == ["succeeded"] * RUNS
    assert len({run["run_id"] for run in runs}) == RUNS
    assert sorted(keys) == sorted((path, n) for path in PATHS for n in range(RUNS))
    assert all(len(found) == 1 and None not in found for found in keys.values())
    assert len({key for found in keys.values() for key in found}) == len(keys)
    assert [[entry["nodeId"] for entry in run["trace"]] for run in runs] == [["a", "b", "c"]] * RUNS


async def _kill_at_random(engines: Engines, service: Service) -> int:
    """Kill a process after a random number of requests, as long as there are some left to come."""
    chance = random.Random(SEED)
    for count in range(KILLS):
        wanted = len(service.requests) + chance.randint(0, max(1, RUNS * len(PATHS) // KILLS - 1))
        try:
            await service.asked(min(wanted, RUNS * len(PATHS)), 60)
        except (asyncio.TimeoutError, TimeoutError):
            return count
        await engines.kill(chance.randrange(len(engines.urls)))
    return KILLS
