"""Measure what a node with code costs: JavaScript that returns its input, against a node that does nothing."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from scripts.bench.figures import Figure, in_turns
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 20
GOAL_MS = 2.0
CODE = {"id": "n", "type": "Component", "componentId": "code", "data": {"code": "return input"}}
NOTHING = {"id": "n", "type": "Component", "componentId": "comp_passthrough"}


def measure(rounds: int) -> Iterator[Figure]:
    """Measure runs of one node, in turns with runs of a built-in."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with engine_with_accounts(Path(sys.executable), data, data / "log") as engine:
            key = {"X-Arcrun-API-Key": engine.keys[0]}
            with httpx.Client(base_url=engine.url, headers=key) as client:
                _run(client, CODE)  # starts the sandbox
                ours, bare = in_turns(
                    rounds,
                    partial(_milliseconds, client, CODE),
                    partial(_milliseconds, client, NOTHING),
                )
    note = f"a node that does nothing: {bare:.2f} ms a run; code {ours:.2f} ms"
    yield Figure("code that returns its input", ours - bare, "ms", GOAL_MS, note)


def _milliseconds(client: httpx.Client, node: dict[str, Any]) -> float:
    """Return the median time of a run."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        _run(client, node)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _run(client: httpx.Client, node: dict[str, Any]) -> None:
    body = {"graph": {"nodes": [node], "edges": []}, "context": {"input": {"n": 1}}}
    response = client.post("/execute", json=body).raise_for_status()
    if response.json()["data"].get("success") is False:
        raise RuntimeError(f"the node failed: {response.text}")
