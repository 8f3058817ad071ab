"""What a run leaves behind when its terminal is closed, or when it is killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

# An adapter that says that it has started, and then never replies.
ADAPTER = """
import sys
with open({began!r}, "w") as began:
    began.write("started")
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A folder for temporary files, by which the processes of a run are known."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry whose adapter opens a named pipe when it starts."""
    os.mkfifo(tmp_path / "began")
    (tmp_path / "adapter.py").write_text(ADAPTER.format(began=str(tmp_path / "began")), "utf-8")
    command = [sys.executable, str(tmp_path / "adapter.py")]
    entry = {"name": "waits", "language": "x", "runtime": "y", "command": command}
    (tmp_path / "adapters.yaml").write_text(json.dumps({"adapters": [entry]}), "utf-8")
    return tmp_path / "adapters.yaml"


def processes_of(temporary: Path) -> dict[int, str]:
    """Return the processes whose temporary folder this is, with their commands."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={temporary}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode()
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found


@pytest.mark.usefixtures("hang_up_is_heard")
async def test_a_closed_terminal_ends_engine_and_adapter_and_the_report_says_interrupted(
    tmp_path: Path, temporary: Path, registry: Path
) -> None:
    ours, theirs = os.openpty()
    # setsid makes the terminal the one that controls the run, so that closing it hangs up.
    process = await asyncio.create_subprocess_exec(
        *["setsid", "--ctty", "--wait", sys.executable, "-m", "arcrun_conformance", "run"],
        *[
            "--scenario",
            "health",
            "--adapters",
            str(registry),
            "--report-dir",
            tmp_path / "reports",
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    os.close(theirs)
    assert await asyncio.to_thread((tmp_path / "began").read_text) == "started"
    assert any("serve --dev" in command for command in processes_of(temporary).values())

    os.close(ours)
    await asyncio.wait_for(process.wait(), 60)

    report = json.loads((tmp_path / "reports/conformance.json").read_text("utf-8"))
    assert report["interrupted"] is True
    assert not report["crash"]
    assert processes_of(temporary) == {}
    assert os.listdir(temporary) == []  # noqa: PTH208 -- in an async function


async def test_an_engine_ends_with_a_run_that_is_killed(temporary: Path) -> None:
    program = """
import asyncio, sys
from arcrun_conformance.local_engine import local_engine

async def main():
    async with local_engine([sys.executable, "-m", "arcrun_server"]) as engine:
        print(engine.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", program],
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        found = processes_of(temporary).items()
        (pid,) = [pid for pid, command in found if "serve --dev" in command]
        ended = os.pidfd_open(pid)
    finally:
        process.kill()
        await process.wait()
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(ended, gone.set)
    await asyncio.wait_for(gone.wait(), 60)
    loop.remove_reader(ended)
    os.close(ended)
    assert url.startswith("http://127.0.0.1:")
    assert processes_of(temporary) == {}
