import os
import signal
import sys
from pathlib import Path

import pytest

from scripts.release.interruptions import left

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

# It waits for the signal itself: one that comes just before a sleep would be noticed after it only.
CLEAN = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
print("… the step", flush=True)
signal.sigwait({signal.SIGINT})
sys.exit(130)
"""
LEAVING = """
import os, pathlib, subprocess, sys, time
pathlib.Path(os.environ["TMPDIR"], "forgotten").write_text("")
child = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
print("… the step", flush=True)
time.sleep(60)
"""
# A process without the variables of its starter, as daemons are, and a file that says that it runs.
DAEMON = """
import os, pathlib, subprocess, time
folder = pathlib.Path(os.environ["TMPDIR"], "data")
folder.mkdir()
print("… the step", flush=True)
subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, cwd=folder, env={}, stdout=subprocess.DEVNULL)
(folder / "daemon.pid").touch()
time.sleep(60)
"""


def interrupted(code: str, by: str, work: Path) -> list[str]:
    command = [sys.executable, "-c", code]
    return left(command, work, until="… the step", by=by, scratch=work / "scratch")


def test_a_program_that_cleans_up_leaves_nothing(tmp_path: Path) -> None:
    assert interrupted(CLEAN, "SIGINT", tmp_path) == []


def test_what_a_program_leaves_is_named_with_its_exit_code(tmp_path: Path) -> None:
    process, forgotten, code = interrupted(LEAVING, "SIGTERM", tmp_path)
    os.kill(int(process.removeprefix("left: process ")), signal.SIGKILL)
    assert forgotten == "left: forgotten"
    assert code == f"its exit code is {-signal.SIGTERM}, not 130"


def test_a_daemon_is_named_by_the_folder_in_which_it_works(tmp_path: Path) -> None:
    where = tmp_path / "scratch"
    command = [sys.executable, "-c", DAEMON]
    until, once = "… the step", "*/daemon.pid"
    process, data, _ = left(command, tmp_path, until=until, by="SIGTERM", scratch=where, once=once)
    os.kill(int(process.removeprefix("left: process ")), signal.SIGKILL)
    assert data == "left: data"


def test_a_file_that_never_appears_is_no_interruption(tmp_path: Path) -> None:
    command, until = [sys.executable, "-c", "print('… the step')"], "… the step"
    scratch = tmp_path / "scratch"
    found = left(command, tmp_path, until=until, by="SIGINT", scratch=scratch, once="*.pid")
    assert found[0] == "it never printed '… the step', or there was no *.pid"


def test_a_step_that_is_never_reached_is_no_interruption(tmp_path: Path) -> None:
    assert interrupted("pass", "SIGINT", tmp_path) == [
        "it never printed '… the step'",
        "its exit code is 0, not 130",
    ]
