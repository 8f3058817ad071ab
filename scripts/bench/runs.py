"""Measure how fast accepted runs are executed, against the library that keeps their steps."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from arcrun_server.accounts.keys import new_key
from arcrun_server.runs.accepted import ALONE
from arcrun_server.store import Store
from arcrun_server.store.runs import queued_run
from scripts import ROOT, processes
from scripts.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 1000
NODES = ("a", "b", "c")
ACCEPTED_ONE_BY_ONE = 100
_HERE = Path(__file__).parent
_SECONDS = 300.0
# Where the server that the tests use is.
sys.path.append(str(ROOT / "packages/server/tests"))


def measure() -> Iterator[Figure]:
    """Measure the execution of runs on SQLite and on PostgreSQL, and what passes before one starts."""
    with _service(RUNS * len(NODES)) as service, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bare = _bare(service, f"sqlite:///{work / 'bare.db'}")
        ours = _drained(service, work / "sqlite", None, 1)
        note = f"bare DBOS: {bare:.0f} runs/s; ours {ours:.0f}/s"
        yield Figure("accepted runs, SQLite", ours / bare, "×", 0.8, note, at_least=True)
        with _postgresql() as server:
            bare = _bare(service, server.schema())
            one = _drained(service, work / "one", server.schema(), 1)
            two = _drained(service, work / "two", server.schema(), 2)
        note = f"bare DBOS: {bare:.0f} runs/s; ours {one:.0f}/s"
        yield Figure("accepted runs, PostgreSQL", one / bare, "×", 0.8, note, at_least=True)
        note = f"one process: {one:.0f} runs/s; two: {two:.0f}/s"
        yield Figure("two processes, PostgreSQL", two / one, "×", 1.6, note, at_least=True)
    with _service(0) as service, tempfile.TemporaryDirectory() as folder:
        waited = _waited(service, Path(folder))
        note = f"of {ACCEPTED_ONE_BY_ONE}, each alone; slowest {max(waited):.0f} ms"
        yield Figure("accepted to started, p50", statistics.median(waited), "ms", 50, note)


class _Service:
    """The counting service.

    Attributes:
        url: Where it is.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self.line()}"

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self._process.stdout is not None, "it is a pipe"  # noqa: S101
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def _service(count: int) -> Iterator[_Service]:
    command = [sys.executable, str(_HERE / "counting_service.py"), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Service(process)
        finally:
            process.terminate()


def _bare(service: _Service, database_url: str) -> float:
    """Return how many runs a second the library executes."""
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    command = [sys.executable, str(_HERE / "bare_dbos.py"), service.url, str(RUNS), url]
    subprocess.run(command, check=True, timeout=_SECONDS, stdout=subprocess.DEVNULL)
    return RUNS / float(service.line())


def _drained(service: _Service, data: Path, database_url: str | None, count: int) -> float:
    """Return how many runs a second engines execute that find them when they start."""
    store = Store(data, database_url)
    try:
        asyncio.run(_accept(store, service.url))
    finally:
        store.close()
    with contextlib.ExitStack() as engines:
        for number in range(count):
            engines.enter_context(_engine(data, database_url, data / f"engine-{number}.log"))
        return RUNS / float(service.line())


async def _accept(store: Store, url: str) -> None:
    key = new_key()
    store.accounts.create(key)
    account = await store.accounts.of_key(key)
    assert account is not None, "it was just created"  # noqa: S101
    graph = _graph(url)
    for number in range(RUNS):
        run = queued_run(
            uuid.uuid4().hex,
            account,
            plan={"graph": graph, "strict": False},
            run_input={"n": number},
            workflow="bench",
            executor=ALONE,
            trigger="api",
        )
        await store.runs.accept(run)


def _graph(url: str, nodes: tuple[str, ...] = NODES) -> dict[str, object]:
    data = {"method": "POST", "body_json": {"n": "{{input.n}}"}}
    return {
        "nodes": [
            {
                "id": node,
                "type": "Component",
                "componentId": "http_request",
                "data": {"url": f"{url}/{node}", **data},
            }
            for node in nodes
        ],
        "edges": [
            {"from": before, "to": after, "type": "PIPE"}
            for before, after in itertools.pairwise(nodes)
        ],
    }


@contextlib.contextmanager
def _engine(data: Path, database_url: str | None, log: Path) -> Iterator[dict[str, str]]:
    """Run an engine in development mode, which reaches loopback; yield what it says when it is ready."""
    command = [sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"]
    command += ["--data", str(data), "--until-stdin-closes"]
    command += ["--database", database_url] if database_url else []
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, held=True) as process,
    ):
        ready: dict[str, str] = json.loads(processes.first_line(process, log, _SECONDS))
        yield ready


def _waited(service: _Service, data: Path) -> list[float]:
    """Return how many milliseconds passed between the response to a trigger and the first node, for single runs."""
    waited = []
    with (
        _engine(data, None, data / "engine.log") as ready,
        httpx.Client(base_url=ready["url"], headers={"X-Arcrun-API-Key": ready["key"]}) as client,
    ):
        body = {"name": "bench", "description": "one node", "graph": _graph(service.url, ("a",))}
        client.post("/webhooks/named", json=body).raise_for_status()
        for _ in range(ACCEPTED_ONE_BY_ONE):
            client.post("/webhooks/named/bench/trigger?async=1", json={"n": 1}).raise_for_status()
            accepted = time.monotonic()
            waited.append((float(service.line()) - accepted) * 1000)
    return waited


@contextlib.contextmanager
def _postgresql() -> Iterator[Any]:
    tests = importlib.import_module("postgresql_server")  # where the tests are installed
    with tests.shared_server(uuid.uuid4().hex) as server:
        yield server
