"""`arcrun_server.testing`: an engine for the tests of programs that use one."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from server_process import WAIT

from arcrun_server.accounts.keys import HEADER
from arcrun_server.testing import EngineStartError, embedded_engine

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from arcrun_server.testing import embedded_engine
with embedded_engine() as engine:
    print(engine.url, flush=True)
    sys.stdin.read()
"""


TESTS = """
import urllib.request

def test_first(engine):
    engine.__class__.seen = engine.url
    assert urllib.request.urlopen(f"{engine.url}/health").status == 200

def test_second(engine):
    assert engine.url == engine.__class__.seen
    assert engine.api_key.startswith("ak_")
"""


def test_engine_serves_its_account_and_ends_with_the_block() -> None:
    with embedded_engine() as engine:
        response = httpx.get(f"{engine.url}/credentials", headers={HEADER: engine.api_key})
        assert response.json() == {"success": True, "credentials": [], "total": 0}
        assert engine.api_key not in repr(engine)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{engine.url}/health")


def test_engines_are_apart_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("ARCRUN_SERVER_DATABASE", "postgresql://nowhere.invalid/x")
    with embedded_engine() as one, embedded_engine() as two:
        assert one.url != two.url
        assert httpx.get(f"{two.url}/credentials", headers={HEADER: one.api_key}).status_code == 401
    assert list(tmp_path.iterdir()) == []


def test_failure_of_a_test_ends_the_engine() -> None:
    with pytest.raises(ZeroDivisionError), embedded_engine() as engine:
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{engine.url}/health")


def test_engine_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arcrun_server.py").write_text("raise SystemExit('no engine here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineStartError, match="no engine here"), embedded_engine():
        pass


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process as Linux does")
def test_engine_does_not_outlive_a_program_that_is_killed(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with program:
        assert program.stdout
        url = program.stdout.readline().strip()
        assert httpx.get(f"{url}/health").status_code == 200
        [data] = [path for path in tmp_path.iterdir() if path.is_dir()]
        engine = os.pidfd_open(int((data / "server.lock").read_text()))
        program.send_signal(signal.SIGKILL)
        ended, _, _ = select.select([engine], [], [], WAIT)
        os.close(engine)
    assert ended
    assert not data.exists()


def test_fixture_gives_one_engine_to_a_test_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from arcrun_server.testing import engine\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert "2 passed" in ended.stdout, ended.stdout
