"""Measure what MCP adds to a command: a tool called over each transport against its function called directly."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

GOALS = {"stdio": 3.0, "http": 5.0}
WORST_MS = 1000.0

# In a process of its own: the scripts don't import the SDK. Both sides ask the same engine the same.
PROGRAM = """
import json, os, statistics, subprocess, sys, time
import anyio, httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from arcrun import Arcrun
from arcrun.commands.catalog import search_components

PROGRAM = [sys.executable, "-m", "arcrun.mcp"]
nested = {}
for _ in range(100):
    nested = {"a": nested}
WORST = {
    "arguments nested 100 deep": ("workflow_run", {"name": "none", "input": nested}),
    "a string of 1 MB": ("component_search", {"query": "x" * 1_000_000}),
    "5,000 unknown arguments": ("component_search", {f"unknown_{n}": n for n in range(5_000)}),
}

async def timed(work):
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000

async def main(rounds):
    http = subprocess.Popen([*PROGRAM, "--http", "0"], stderr=subprocess.PIPE, text=True)
    url = http.stderr.readline().split()[1]
    headers = {"Authorization": "Bearer " + os.environ["ARCRUN_MCP_TOKEN"]}
    stdio = StdioServerParameters(command=PROGRAM[0], args=PROGRAM[1:], env=dict(os.environ))
    try:
        with Arcrun() as engine:
            async with (
                Client(stdio) as by_stdio,
                httpx2.AsyncClient(headers=headers, timeout=60) as sender,
                Client(streamable_http_client(url, http_client=sender)) as by_http,
            ):
                times = {}
                def add(name, taken):
                    times.setdefault(name, []).append(taken)
                for _ in range(rounds + 1):
                    begun = time.perf_counter()
                    search_components(engine, "hash")
                    add("direct", (time.perf_counter() - begun) * 1000)
                    for name, client in (("stdio", by_stdio), ("http", by_http)):
                        add(name, await timed(client.call_tool("component_search", {"query": "hash"})))
                        add(f"{name} list", await timed(client.list_tools(cache_mode="refresh")))
                        for worst, (tool, given) in WORST.items():
                            add(f"{name} {worst}", await timed(refused(client, tool, given)))
        print(json.dumps({name: statistics.median(taken[1:]) for name, taken in times.items()}))
    finally:
        http.terminate()
        http.wait()

async def refused(client, tool, given):
    found = await client.call_tool(tool, given)
    if not found.is_error and "query" not in given:
        raise SystemExit(f"{tool} must refuse this")

anyio.run(main, int(sys.argv[1]))
"""


def measure(rounds: int) -> Iterator[Figure]:
    """Measure lists of tools, calls, and calls with the worst arguments, over both transports."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with engine_with_accounts(Path(sys.executable), data, data / "log") as engine:
            variables = {
                "ARCRUN_BASE_URL": engine.url,
                "ARCRUN_API_KEY": engine.keys[0],
                "ARCRUN_MCP_TOKEN": secrets.token_urlsafe(32),
            }
            command = [sys.executable, "-c", PROGRAM, str(rounds)]
            environment = {**os.environ, **variables}
            printed = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
    times: dict[str, float] = json.loads(printed)
    direct = times.pop("direct")
    for name, taken in times.items():
        transport, _, what = name.partition(" ")
        note = f"{taken:.1f} ms; the function itself: {direct:.1f} ms"
        if not what:
            yield Figure(f"MCP, {transport}: a call", taken / direct, "×", GOALS[transport], note)
        elif what == "list":
            goal = GOALS[transport]
            yield Figure(f"MCP, {transport}: tools/list", taken / direct, "×", goal, note)
        else:
            yield Figure(f"MCP, {transport}: {what}", taken, "ms", WORST_MS, "the whole call")
