"""What a confined process can't do any more; each is tried in a process of its own."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from arcrun_server.workers import Job, WorkerPool

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="the kernel confines processes on Linux only",
)

PROGRAM = """
import os, resource, signal, socket, subprocess, sys
from arcrun_server.workers.confinement import confine
here = open(os.devnull).fileno()
assert confine()
try:
    {attempt}
except (PermissionError, RuntimeError) as problem:
    print("refused")
else:
    print("done")
"""


def attempted(attempt: str) -> str:
    """Try something in a confined process; return what it says."""
    program = PROGRAM.format(attempt=attempt)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/hostname')",
        "open('/proc/self/mem', 'rb+')",
        "os.listdir('/')",
        "os.stat('/')",
        "os.unlink('/nowhere')",
        "os.kill(os.getppid(), 0)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.fork()",
        "os.execv('/bin/sh', ['sh'])",
        "socket.socket()",
        "socket.socketpair()",
        "os.pipe()",
        "os.memfd_create('x')",
        "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "os.dup(1)",
        "os.chmod('/nowhere', 0)",
    ],
)
def test_what_reaches_out_of_the_process_is_refused(attempt: str) -> None:
    assert attempted(attempt) == "refused"


@pytest.mark.parametrize(
    "attempt",
    [
        "bytearray(32 * 1024 * 1024)",
        "resource.setrlimit(resource.RLIMIT_DATA, resource.getrlimit(resource.RLIMIT_DATA))",
        "signal.setitimer(signal.ITIMER_REAL, 0)",
        "os.urandom(8)",
        "sys.stdin.read()",
    ],
)
def test_what_computing_needs_is_allowed(attempt: str) -> None:
    assert attempted(attempt) == "done"


async def test_the_process_that_runs_code_is_confined() -> None:
    pool = WorkerPool(size=1)
    given = {"code": "return 1", "input": None, "seconds": 5, "most_bytes": 10}
    answer = await pool.run(
        Job("arcrun_server.workers.javascript", "job"), json.dumps(given).encode(), seconds=30
    )
    (worker,) = pool._all
    status = Path(f"/proc/{worker._child.pid}/status").read_text()  # noqa: ASYNC240
    await pool.aclose()
    assert json.loads(answer) == {"data": 1}
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
