"""Idle connections, slow bodies and hostile requests, all at once: `/health` answers as if nothing were.

`nox -s load` runs it for longer, on a machine that does nothing else, and judges the time of
`/health` too. Beside other tests that time says more about them than about the engine.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from health_probe import JUDGES_TIMES, P99_MS, probe_of, times_of
from hostile_requests import hostile_requests

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = float(os.environ.get("ARCRUN_LOAD_SECONDS", "4"))
IDLE, SLOW, HOSTILE = 320, 20, 64
MEGABYTES = 512


def family_megabytes(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process, and of its children together, in megabytes."""
    pages = {True: 0, False: 0}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if pid in {int(entry.name), parent}:
                pages[int(entry.name) == pid] += int((entry / "statm").read_text().split()[1])
        except OSError:
            continue
    unit = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
    return pages[True] * unit, pages[False] * unit


def print_figures(
    times: list[float],
    p99: float,
    most: tuple[float, float],
    statuses: Counter[tuple[str, int]],
) -> None:
    """Print what `nox -s load` is read for."""
    print(
        f"\n{len(times)} × /health: median {times[len(times) // 2]:.1f} ms, p99 {p99:.1f} ms, "
        f"worst {times[-1]:.1f} ms; memory {most[0]:.0f} MB and {most[1]:.0f} MB of its workers; "
        f"{statuses.total()} hostile requests"
    )
    for (kind, status), times_seen in sorted(statuses.items()):
        print(f"  {kind}: {times_seen} × {status}")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
async def test_hostile_clients_hold_nobody_up(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve("--dev", "--json", "--data", tmp_path, "--log-level", "warning")
    ready = server.ready()
    url = httpx.URL(ready["url"])
    writers = []

    async def connection(first: bytes) -> None:
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(first)
        writers.append(writer)

    for _ in range(IDLE):
        await connection(b"")
    for _ in range(SLOW):
        await connection(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n{"
        )

    until = time.monotonic() + SECONDS
    statuses: Counter[tuple[str, int]] = Counter()
    requests = hostile_requests()

    attacker = httpx.AsyncClient(
        base_url=url,
        headers={"X-Arcrun-API-Key": ready["key"], "Content-Type": "application/json"},
        timeout=120,
        limits=httpx.Limits(max_connections=HOSTILE),
    )

    async def attack(number: int) -> None:
        while True:
            hostile = requests[number % len(requests)]
            number += HOSTILE + 1  # another kind each time
            response = await attacker.post(hostile.path, content=hostile.body)
            statuses[hostile.kind, response.status_code] += 1
            if time.monotonic() >= until:
                return

    attacks = [asyncio.create_task(attack(number)) for number in range(HOSTILE)]
    probe = await probe_of(url, 3 * SECONDS)
    most = (0.0, 0.0)
    while not all(
        task.done() for task in attacks
    ):  # they end after the time: each awaits a response
        most = max(most, await asyncio.to_thread(family_megabytes, ready["pid"]), key=sum)
        await asyncio.sleep(0.1)
    times = await times_of(probe)
    await asyncio.gather(*attacks)
    p99 = times[int(len(times) * 0.99)]
    print_figures(times, p99, most, statuses)
    await attacker.aclose()
    for writer in writers:
        writer.close()
    assert {status for _, status in statuses} <= {200, 400, 413, 429, 500}
    assert {kind for kind, _ in statuses} == {hostile.kind for hostile in requests}
    assert sum(most) <= MEGABYTES
    assert probe.returncode == 0  # each `/health` answered 200
    if JUDGES_TIMES:
        assert p99 <= P99_MS
