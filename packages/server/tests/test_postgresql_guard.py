"""A PostgreSQL server of the tests ends with the processes that use it, also where they are killed."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import postgresql_server
import psutil
import pytest

PROGRAM = """
import sys
import postgresql_server
with postgresql_server.shared_server(sys.argv[1]) as server:
    print(int((server.folder / "postmaster.pid").read_text().split()[0]), flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses a server until its standard input ends."""

    def __init__(self, run: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, run],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.server = psutil.Process(int(self.process.stdout.readline()))

    def end(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture
def run() -> str:
    postgresql_server.require()
    return f"guard-{os.getpid()}"


def runs(process: psutil.Process) -> bool:
    """Return whether it runs; in a container, nobody may have asked yet how it ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def files(run: str) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"arcrun-postgresql-{run}*"))


def test_a_server_whose_users_are_killed_ends_and_leaves_no_file(run: str) -> None:
    first, second = User(run), User(run)
    assert first.server == second.server
    guards = list(psutil.Process(first.process.pid).children())
    for user in (first, second):
        user.process.send_signal(signal.SIGKILL)
    psutil.wait_procs([first.server, *guards], timeout=60)  # nobody has asked yet how the two ended
    for user in (first, second):
        user.end()
    assert not runs(first.server)
    assert files(run) == []


def test_a_server_outlives_the_one_that_started_it(run: str) -> None:
    first, second = User(run), User(run)
    first.process.send_signal(signal.SIGKILL)
    first.end()
    assert runs(second.server)
    second.end()
    assert not runs(second.server)
    assert files(run) == []
