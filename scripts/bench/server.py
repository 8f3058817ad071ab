"""Measure how many requests a second the engine serves, against a bare FastAPI route."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from scripts.bench.figures import Figure, in_turns
from scripts.bench.load import bare_server, request_bytes, requests_a_second
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = 400
NODES = 10
CREDENTIALS = 10


def measure(rounds: int) -> Iterator[Figure]:
    """Measure the engine's routes, each in turns with the bare route."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with (
            bare_server() as bare,
            engine_with_accounts(Path(sys.executable), data, data / "log") as engine,
        ):
            key = {"X-Arcrun-API-Key": engine.keys[0]}
            _prepare(engine.url, key)
            routes = (
                ("health", request_bytes("GET", "/health"), 0.9),
                ("list services", request_bytes("GET", "/auth-recipes"), 0.3),
                ("list credentials", request_bytes("GET", "/credentials", headers=key), 0.5),
                (
                    f"run of {NODES} nodes",
                    request_bytes(
                        "POST", "/webhooks/named/bench/trigger", headers=key, body=b'{"count": 0}'
                    ),
                    0.15,
                ),
            )
            baseline = request_bytes("GET", "/bare")
            for name, request, goal in routes:
                ours, theirs = in_turns(
                    rounds,
                    partial(requests_a_second, engine.url, request, REQUESTS),
                    partial(requests_a_second, bare, baseline, REQUESTS),
                )
                note = f"bare FastAPI route: {theirs:.0f}/s; ours {ours:.0f}/s"
                yield Figure(name, ours / theirs, "×", goal, note, at_least=True)


def _prepare(url: str, key: dict[str, str]) -> None:
    """Store what the measured routes need: some credentials, and a workflow of ten nodes."""
    names = [f"節點{number}" for number in range(NODES)]
    chain = ["input", *names]
    graph = {
        "nodes": [{"id": "input", "type": "Input"}]
        + [{"id": name, "type": "Component", "componentId": "comp_counter"} for name in names],
        "edges": [
            {"from": one, "to": other, "type": "PIPE"} for one, other in itertools.pairwise(chain)
        ],
    }
    with httpx.Client(base_url=url, headers=key) as client:
        for number in range(CREDENTIALS):
            body = {"name": f"token_{number}", "value": "祕密"}
            client.post("/credentials", json=body).raise_for_status()
        push = {"name": "bench", "description": "量測", "graph": graph}
        client.post("/webhooks/named", json=push).raise_for_status()
        run = client.post("/webhooks/named/bench/trigger", json={"count": 0}).raise_for_status()
        if json.loads(run.content)["data"]["count"] != NODES:
            raise RuntimeError(f"the workflow does not count to {NODES}: {run.text}")
