"""Measure how fast accepted runs are executed, against the library that keeps their steps."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from scripts import ROOT, processes
from scripts.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 1000
NODES = ("a", "b", "c")
ACCEPTED_ONE_BY_ONE = 100
PAUSED, SCHEDULES = 10_000, 1_000
IDLE_SECONDS = 20.0
_HERE = Path(__file__).parent
_SECONDS = 300.0
# Accepts runs as a process does that can execute none, so that the next one finds them.
ACCEPT = """
import asyncio, json, sys, uuid
from pathlib import Path
from arcrun_server.accounts.keys import new_key
from arcrun_server.runs.accepted import ALONE
from arcrun_server.store import Store
from arcrun_server.store.runs import queued_run

async def accept(store, given):
    key = new_key()
    store.accounts.create(key)
    account = await store.accounts.of_key(key)
    for number in range(given["runs"]):
        run = queued_run(
            uuid.uuid4().hex,
            account,
            plan={"graph": given["graph"], "strict": False},
            run_input={"n": number},
            workflow="bench",
            executor=ALONE,
            trigger="api",
        )
        await store.runs.accept(run)

store = Store(Path(sys.argv[1]), sys.argv[2] or None)
asyncio.run(accept(store, json.loads(sys.argv[3])))
store.close()
"""
# Fills a database with runs that wait for a callback, and with workflows that run each night.
WAIT = """
import asyncio, json, sys, uuid
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from arcrun_server.accounts.keys import new_key
from arcrun_server.engine.schedule import Schedule
from arcrun_server.store import Store
from arcrun_server.store.callbacks import AwaitedTask
from arcrun_server.store.runs import PAUSED, queued_run
from arcrun_server.store.schedules import Tick

async def fill(store, graph, paused, schedules):
    key = new_key()
    store.accounts.create(key)
    account = await store.accounts.of_key(key)

    async def pause(number):
        run = queued_run(
            uuid.uuid4().hex,
            account,
            plan={"graph": graph, "strict": False},
            run_input={"n": number},
            workflow="bench",
            executor="ended",
            trigger="api",
        )
        run = replace(run, status=PAUSED, continuation={"graphs": [graph]})
        await store.callbacks.accept_paused(run, [AwaitedTask(f"task-{number}", "ask")])

    async def schedule(number):
        name, nightly = f"nightly_{number}", Schedule(f"{number % 60} 2 * * *", "Europe/Berlin")
        next_ms = int(nightly.next_time(datetime.now(timezone.utc)).timestamp() * 1000)
        await store.workflows.push(
            account,
            name,
            description="runs each night",
            graph=graph,
            config=None,
            first=Tick(account, name, nightly, next_ms),
        )

    for first in range(0, paused, 500):
        await asyncio.gather(*map(pause, range(first, min(paused, first + 500))))
    for first in range(0, schedules, 500):
        await asyncio.gather(*map(schedule, range(first, min(schedules, first + 500))))

store = Store(Path(sys.argv[1]))
given = json.loads(sys.argv[2])
asyncio.run(fill(store, given["graph"], given["paused"], given["schedules"]))
store.close()
"""
# Where the server that the tests use is.
sys.path.append(str(ROOT / "packages/server/tests"))


def measure() -> Iterator[Figure]:
    """Measure the execution of runs on SQLite and on PostgreSQL, and what passes before one starts."""
    with _service(RUNS * len(NODES)) as service, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bare, _ = _bare(service, work, f"sqlite:///{work / 'bare.db'}")
        ours, _ = _drained(service, work / "sqlite", None, 1)
        note = f"bare DBOS: {bare:.0f} runs/s; ours {ours:.0f}/s"
        yield Figure("accepted runs, SQLite", ours / bare, "×", 0.8, note, at_least=True)
        with _postgresql() as server:
            bare, of_bare = _bare(service, work, server.schema())
            one, of_one = _drained(service, work / "one", server.schema(), 1)
            _, of_two_bare = _bare(service, work, server.schema(), 2)
            _, of_two = _drained(service, work / "two", server.schema(), 2)
        note = f"bare DBOS: {bare:.0f} runs/s; ours {one:.0f}/s"
        yield Figure("accepted runs, PostgreSQL", one / bare, "×", 0.8, note, at_least=True)
        # Once all go on: the second process starts when the first one is at work. The processors bound it: with two of
        # them, one process, the database and the service use most of both.
        note = (
            f"second half, one: {of_one:.0f} runs/s; two: {of_two:.0f}/s; bare DBOS: {of_two_bare / of_bare:.2f} ×, "
            f"{os.cpu_count()} processors"
        )
        scaled = of_two / of_one
        yield Figure("two processes, PostgreSQL", scaled, "×", 1.6, note, at_least=True)
    with _service(0) as service, tempfile.TemporaryDirectory() as folder:
        waited = _waited(service, Path(folder))
        note = f"of {ACCEPTED_ONE_BY_ONE}, each alone; slowest {max(waited):.0f} ms"
        yield Figure("accepted to started, p50", statistics.median(waited), "ms", 50, note)
    with tempfile.TemporaryDirectory() as folder:
        yield from _waiting(Path(folder))


class _Service:
    """The counting service.

    Attributes:
        url: Where it is.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self.line()}"

    def rates(self) -> tuple[float, float]:
        """Wait until all runs are through; return how many were a second, of all and of the second half."""
        seconds, of_half = map(float, self.line().split())
        return RUNS / seconds, RUNS / 2 / of_half

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


def _bare(service: _Service, work: Path, database_url: str, count: int = 1) -> tuple[float, float]:
    """Return how many runs a second the library executes in so many processes: of all runs, and of the second half."""
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    command = [sys.executable, str(_HERE / "bare_dbos.py"), service.url, str(RUNS // count), url]
    with contextlib.ExitStack() as started:
        log = started.enter_context((work / "bare.log").open("a", encoding="utf-8"))
        executors = []
        for number in range(count):
            process = started.enter_context(
                processes.started([*command, f"bare-{number}"], stderr=log, held=True)
            )
            processes.first_line(process, Path(log.name), _SECONDS)
            executors.append(process)
        for process in executors:
            assert process.stdin is not None, "it is a pipe"  # noqa: S101
            process.stdin.write("begin\n")
            process.stdin.flush()
        return service.rates()


def _drained(
    service: _Service, data: Path, database_url: str | None, count: int
) -> tuple[float, float]:
    """Return the same for engines that find the runs when they start, all at the same time."""
    given = json.dumps({"graph": _graph(service.url), "runs": RUNS})
    command = [sys.executable, "-c", ACCEPT, str(data), database_url or "", given]
    subprocess.run(command, check=True, timeout=_SECONDS)
    with contextlib.ExitStack() as engines:
        for number in range(count):
            log = data / f"engine-{number}.log"
            engines.enter_context(_engine_process(data, database_url, log))
        return service.rates()


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
    """Run an engine; yield what it says when it is ready."""
    with _engine_process(data, database_url, log) as process:
        ready: dict[str, str] = json.loads(processes.first_line(process, log, _SECONDS))
        yield ready


@contextlib.contextmanager
def _engine_process(
    data: Path, database_url: str | None, log: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run an engine in development mode, which reaches loopback."""
    command = [sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"]
    command += ["--data", str(data), "--until-stdin-closes"]
    command += ["--database", database_url] if database_url else []
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, held=True) as process,
    ):
        yield process


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


def _waiting(data: Path) -> Iterator[Figure]:
    """Measure the start of an engine with many paused runs and schedules, and what it uses while nothing happens."""
    given = {"graph": _graph("http://127.0.0.1:9"), "paused": PAUSED, "schedules": SCHEDULES}
    command = [sys.executable, "-c", WAIT, str(data), json.dumps(given)]
    subprocess.run(command, check=True, timeout=_SECONDS)
    what = f"{PAUSED:,} paused runs, {SCHEDULES:,} schedules"
    began = time.monotonic()
    with _engine(data, None, data / "engine.log") as ready:
        started = time.monotonic() - began
        yield Figure(f"{what}: start", started, "s", 3, "until it accepts requests")
        time.sleep(2)  # what it does once at its start
        before = _processor_seconds(int(ready["pid"]))
        time.sleep(IDLE_SECONDS)
        used = (_processor_seconds(int(ready["pid"])) - before) / IDLE_SECONDS
        yield Figure(f"{what}: idle", used * 100, "% of a core", 2, f"over {IDLE_SECONDS:g} s")


def _processor_seconds(pid: int) -> float:
    """Return how long a process has been executed, from the kernel of Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _postgresql() -> Iterator[Any]:
    tests = importlib.import_module("postgresql_server")  # where the tests are installed
    with tests.shared_server(uuid.uuid4().hex) as server:
        yield server
