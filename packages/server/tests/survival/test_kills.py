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


# Every fifth run has a node that must not run twice; it may fail, and then two nodes are not invoked.
ONCE_EACH = 5
REQUESTS = RUNS * len(PATHS) - 2 * (RUNS // ONCE_EACH)


def workflow_of(number: int) -> str:
    return "once" if number % ONCE_EACH == 0 else "w"


def once(service: Service) -> dict[str, Any]:
    """Return a workflow whose second node must not run twice."""
    graph = calls(service, "/a", "/once", "/c")
    graph["nodes"][1]["repeatable"] = False
    return graph


@pytest.mark.parametrize(
    ("database_kind", "processes"), [("sqlite", 1), ("postgresql", 2)], indirect=["database_kind"]
)
async def test_every_accepted_run_ends_once_whatever_is_killed(
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
        await push(client, "once", once(service))
        client.base_url = ""
        accepted, kills = await asyncio.gather(
            accept_all(engines, client, range(RUNS), workflow_of), _kill_at_random(engines, service)
        )
        runs = [await wait_for_end(engines, client, run_id) for run_id in accepted]
    seconds = time.monotonic() - began

    keys: dict[tuple[str, int], list[str | None]] = {}
    for path, body, key in service.requests:
        keys.setdefault((path, json.loads(body)["n"]), []).append(key)
    unknown = [n for n, run in enumerate(runs) if run["status"] == "failed"]
    print(
        f"\n{RUNS} runs, {kills} kills of {processes} processes, {len(service.requests)} requests for"
        f" {len(keys)} steps, {len(service.requests) - len(keys)} repeated; of {RUNS // ONCE_EACH} nodes that must not"
        f" run twice {len(unknown)} failed since nobody can know whether they ran; {seconds:.0f} s"
    )
    assert kills == KILLS
    assert len({run["run_id"] for run in runs}) == RUNS
    for n, run in enumerate(runs):
        if n in unknown:
            assert workflow_of(n) == "once"
            assert run["failed_node"] == "once"
            assert "nobody can know whether it ran" in run["error"]
            assert ("/c", n) not in keys
        else:
            names = ["a", "once" if workflow_of(n) == "once" else "b", "c"]
            assert run["status"] == "succeeded"
            assert [entry["nodeId"] for entry in run["trace"]] == names
            assert all((f"/{name}", n) in keys for name in names)
    assert all(len(found) == 1 for (path, _), found in keys.items() if path == "/once")
    # The same key for each repetition of a step, and another one for each step.
    assert all(len(set(found)) == 1 and None not in found for found in keys.values())
    assert len({key for found in keys.values() for key in found}) == len(keys)


async def _kill_at_random(engines: Engines, service: Service) -> int:
    """Kill a process after a random number of requests, as long as there are some left to come."""
    chance = random.Random(SEED)
    for count in range(KILLS):
        wanted = len(service.requests) + chance.randint(0, max(1, REQUESTS // KILLS - 1))
        try:
            await service.asked(min(wanted, REQUESTS), 60)
        except (asyncio.TimeoutError, TimeoutError):
            return count
        await engines.kill(chance.randrange(len(engines.urls)))
    return KILLS
