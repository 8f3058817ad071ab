from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from arcrun_server.workers import (
    Job,
    WorkerBusyError,
    WorkerFailedError,
    WorkerPool,
    WorkerTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CODE = """
import os, signal, time

def pid(payload):
    return str(os.getpid()).encode() + payload

def hang(payload):
    while True: time.sleep(60)

def die(payload):
    os._exit(1)

def die_once(payload):
    if not os.path.exists(payload):
        open(payload, "w").close()
        os._exit(1)
    return b"second time"

def abort(payload):
    os.abort()

def be_killed(payload):
    os.kill(os.getpid(), signal.SIGKILL)

def be_killed_three_times(payload):
    with open(payload, "a") as deaths:
        deaths.write("x")
    if os.path.getsize(payload) <= 3:
        be_killed(payload)
    return b"fourth time"

def grow(payload):
    return b"x" * (2 * 1024 ** 3)

def fail(payload):
    print("not a response")
    raise KeyError("a secret")

def environment(payload):
    return ",".join(os.environ).encode()
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that behave badly, in a module that workers take for one of ours."""
    package = tmp_path / "sitecustomize.py"
    package.write_text(
        f"import sys, types\nmodule = types.ModuleType('arcrun_server.test_jobs')\n"
        f"exec({CODE!r}, vars(module))\nsys.modules['arcrun_server.test_jobs'] = module\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture
async def pool(jobs: None) -> AsyncIterator[WorkerPool]:
    made = WorkerPool(size=1)
    yield made
    await made.aclose()


def job(name: str) -> Job:
    return Job("arcrun_server.test_jobs", name)


async def pid_of(pool: WorkerPool) -> int:
    return int(await pool.run(job("pid"), b""))


async def test_a_worker_is_another_process_and_serves_again(pool: WorkerPool) -> None:
    first = await pid_of(pool)
    assert first != os.getpid()
    assert await pid_of(pool) == first


async def test_a_job_that_takes_too_long_is_ended_and_the_next_one_runs(pool: WorkerPool) -> None:
    first = await pid_of(pool)
    with pytest.raises(WorkerTimeoutError, match=r"longer than 0\.2 s"):
        await pool.run(job("hang"), b"", seconds=0.2)
    assert await pid_of(pool) != first


async def test_a_job_whose_worker_was_killed_is_done_by_another(
    pool: WorkerPool, tmp_path: Path
) -> None:
    mark = str(tmp_path / "mark").encode()
    assert await pool.run(job("die_once"), mark) == b"second time"


async def test_an_idle_worker_that_was_killed_is_replaced(pool: WorkerPool) -> None:
    first = await pid_of(pool)
    os.kill(first, signal.SIGKILL)
    assert await pid_of(pool) != first


async def test_a_job_that_ends_every_worker_fails(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailedError, match="died twice"):
        await pool.run(job("die"), b"")
    assert await pid_of(pool)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_a_job_that_crashes_every_worker_fails(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailedError, match="died twice"):
        await pool.run(job("abort"), b"")
    assert await pid_of(pool)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_workers_that_others_kill_are_not_the_fault_of_their_job(
    pool: WorkerPool, tmp_path: Path
) -> None:
    deaths = str(tmp_path / "deaths").encode()
    assert await pool.run(job("be_killed_three_times"), deaths) == b"fourth time"
    with pytest.raises(WorkerBusyError, match="killed"):
        await pool.run(job("be_killed"), b"")
    assert await pid_of(pool)


async def test_a_job_that_needs_too_much_memory_fails(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailedError):
        await pool.run(job("grow"), b"")


async def test_a_job_that_fails_says_its_error_without_its_text(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailedError) as caught:
        await pool.run(job("fail"), b"")
    assert str(caught.value) == "KeyError"
    assert await pid_of(pool)


async def test_only_functions_of_ours_are_jobs(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailedError, match="no such job"):
        await pool.run(Job("os", "system"), b"true")


async def test_a_worker_inherits_no_settings(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_SERVER_DATABASE", "postgresql://user:password@db/arcrun")
    assert b"ARCRUN" not in await pool.run(job("environment"), b"")


async def test_a_job_that_finds_no_free_worker_in_time_is_turned_away(jobs: None) -> None:
    pool = WorkerPool(size=1, wait_seconds=0.1)
    await pid_of(pool)
    hanging = asyncio.create_task(pool.run(job("hang"), b"", seconds=60))
    await asyncio.sleep(0)
    with pytest.raises(WorkerBusyError):
        await pool.run(job("pid"), b"")
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await pid_of(pool)  # the one that hung was ended, and its place is free
    await pool.aclose()


async def test_closing_ends_the_workers(pool: WorkerPool) -> None:
    first = await pid_of(pool)
    await pool.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_large_payloads_and_results_go_through(pool: WorkerPool) -> None:
    payload = b"x" * 3_000_000
    assert (await pool.run(job("pid"), payload)).endswith(payload)


async def test_a_result_that_is_too_large_is_not_read(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcrun_server.workers.pool.MOST_BYTES", 1000)
    before = await pid_of(pool)
    with pytest.raises(WorkerFailedError, match="its result is too large"):
        await pool.run(job("pid"), b"x" * 1000)
    assert await pid_of(pool) != before
